//! One direction of a copy between two descriptors that never blocks: it holds at most what one write takes.

use crate::arguments::Copy;
use crate::os::{self, EAGAIN, EINTR, Poll};
use crate::raw::Errno;

/// `PIPE_BUF`: a pipe that polls writable takes so much without blocking.
const CHUNK: usize = 4096;

/// `VEOF` as terminals have it unless told otherwise.
const END_OF_TRANSMISSION: u8 = 4;

/// A copy under way.
pub(crate) struct Relay {
    copy: Copy,
    /// The source has more; false after its end of file.
    open: bool,
    /// At the source's end of file, tell a terminal so.
    into_terminal: bool,
    held: usize,
    sent: usize,
    buffer: [u8; CHUNK],
}

impl Relay {
    pub(crate) fn new(copy: Copy, into_terminal: bool) -> Self {
        Relay { copy, open: true, into_terminal, held: 0, sent: 0, buffer: [0; CHUNK] }
    }

    /// Whether everything has been copied, or cannot be.
    pub(crate) fn is_done(&self) -> bool {
        !self.open && self.sent == self.held
    }

    /// What it waits for.
    pub(crate) fn poll(&self) -> Poll {
        match (self.sent < self.held, self.open) {
            (true, _) => Poll::new(self.copy.to, Poll::OUT),
            (false, true) => Poll::new(self.copy.from, Poll::IN),
            (false, false) => Poll::new(-1, 0),
        }
    }

    /// Goes on after what it waited for happened.
    pub(crate) fn advance(&mut self) {
        if self.sent < self.held { self.send() } else { self.receive() }
    }

    fn receive(&mut self) {
        match os::read(self.copy.from, &mut self.buffer) {
            Ok(0) => {
                self.open = false;
                if self.into_terminal {
                    self.buffer[0] = END_OF_TRANSMISSION;
                    (self.sent, self.held) = (0, 1);
                }
            }
            Ok(length) => (self.sent, self.held) = (0, length),
            Err(Errno(EAGAIN | EINTR)) => {}
            Err(_) => self.open = false, // EIO: the last slave of a terminal is closed
        }
    }

    fn send(&mut self) {
        let held = self.buffer.get(self.sent..self.held).unwrap_or_default();
        match os::write(self.copy.to, held) {
            Ok(length) => self.sent += length,
            Err(Errno(EAGAIN | EINTR)) => {}
            Err(_) => self.give_up(),
        }
    }

    /// Nobody takes it any more: closing the source lets the jail's writers know as if they wrote there themselves.
    fn give_up(&mut self) {
        self.sent = self.held;
        if self.open && self.copy.from > 2 {
            os::close(self.copy.from);
        }
        self.open = false;
    }
}
