//! One direction of a copy between two descriptors that never blocks: it holds at most what one write takes.

use crate::arguments::Copy;
use crate::os::{self, EAGAIN, EDQUOT, EINTR, EIO, ENOSPC, Poll};
use crate::raw::Errno;
use crate::{own, terminal};

/// `PIPE_BUF`: a pipe that polls writable takes so much without blocking.
const CHUNK: usize = 4096;

/// More than a terminal holds of what was written to it. What is there now cannot be asked: some of it is on its way.
const TERMINAL: usize = 1 << 17;

/// `VEOF` as terminals have it unless told otherwise.
const END_OF_TRANSMISSION: u8 = 4;

/// `VINTR` likewise.
const INTERRUPT: u8 = 3;

/// Which way a copy goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The jail's output, to the user.
    Out,
    /// The user's standard input, to a terminal of the jail's, which is told of its end as by a key.
    IntoTerminal,
    /// The user's standard input, to a pipe of the jail's, which is closed at its end.
    IntoPipe,
}

/// A copy under way.
pub(crate) struct Relay {
    from: i32,
    to: i32,
    way: Way,
    from_pipe: bool,
    /// A pipe says without being written to that nobody reads it any more.
    to_pipe: bool,
    /// The source has more; false after its end.
    open: bool,
    /// How much more is read: without a limit until the jail has ended.
    left: Option<usize>,
    held: usize,
    sent: usize,
    buffer: [u8; CHUNK],
}

impl Relay {
    pub(crate) fn new(copy: Copy, way: Way) -> Self {
        let (from, to) = (own::source(copy.from), own::target(copy.to));
        let (from_pipe, to_pipe) = (os::is_pipe(from), os::is_pipe(to));
        Relay { from, to, way, from_pipe, to_pipe, open: true, left: None, held: 0, sent: 0, buffer: [0; CHUNK] }
    }

    /// Whether it feeds the jail.
    pub(crate) fn is_input(&self) -> bool {
        self.way != Way::Out
    }

    /// Whether the key that interrupts is on its way to the jail's terminal.
    pub(crate) fn holds_interrupt(&self) -> bool {
        let held = self.buffer.get(self.sent..self.held).unwrap_or_default();
        self.way == Way::IntoTerminal && held.contains(&INTERRUPT)
    }

    /// Whether everything has been copied, or cannot be.
    pub(crate) fn is_done(&self) -> bool {
        !self.open && self.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.sent == self.held
    }

    /// What it waits for: its source, its target.
    pub(crate) fn polls(&self) -> [Poll; 2] {
        if !self.is_empty() {
            return [Poll::NOTHING, Poll::new(self.to, Poll::OUT)];
        }
        if !self.open {
            return [Poll::NOTHING; 2];
        }
        let from = if self.may_read() { Poll::new(self.from, Poll::IN) } else { Poll::NOTHING };
        let to = if self.to_pipe { Poll::new(self.to, 0) } else { Poll::NOTHING };
        [from, to]
    }

    /// What is typed while we are in the background is the shell's. Nothing tells that we are back, but whatever happens
    /// next lets us ask again: as a rule the SIGCONT of the shell's `fg`.
    fn may_read(&self) -> bool {
        !self.is_input() || terminal::is_ours()
    }

    /// Goes on after something it waited for happened.
    pub(crate) fn advance(&mut self, [source, target]: [Poll; 2]) {
        if target.happened & Poll::ERR != 0 {
            self.give_up();
        } else if target.happened != 0 {
            self.send();
            if self.left.is_some() && self.open && self.is_empty() {
                self.receive();
            }
        } else if source.happened != 0 {
            self.receive();
        }
    }

    /// Every writer inside is gone, so what is there now is all there is. Neither waiting for end of file nor reading on
    /// until it is empty, for a jail may have passed its end of a pipe to somebody who goes on writing.
    pub(crate) fn drain(&mut self) {
        self.left = Some(if self.from_pipe { os::available(self.from) } else { TERMINAL });
        if self.open && self.is_empty() {
            self.receive();
        }
    }

    fn receive(&mut self) {
        let most = self.left.unwrap_or(CHUNK).min(CHUNK);
        let room = self.buffer.get_mut(..most).unwrap_or_default();
        match os::read(self.from, room) {
            Ok(0) => self.end(),
            Ok(length) => {
                (self.sent, self.held) = (0, length);
                self.left = self.left.map(|left| left - length);
            }
            Err(Errno(EAGAIN | EINTR)) if self.left.is_none() => {}
            Err(Errno(EIO)) if !self.may_read() => {} // in the background since we asked
            Err(_) => self.end(),                     // EIO: the last slave of a terminal is closed
        }
    }

    /// After the end of the source.
    fn end(&mut self) {
        self.open = false;
        match self.way {
            Way::Out => {}
            Way::IntoTerminal => {
                self.buffer[0] = END_OF_TRANSMISSION;
                (self.sent, self.held) = (0, 1);
            }
            Way::IntoPipe => os::close(self.to),
        }
    }

    fn send(&mut self) {
        let held = self.buffer.get(self.sent..self.held).unwrap_or_default();
        match os::write(self.to, held) {
            Ok(length) => self.sent += length,
            Err(Errno(EAGAIN | EINTR)) => {}
            // A full disk takes what comes later, when somebody has made room.
            Err(Errno(ENOSPC | EDQUOT)) => self.sent = self.held,
            Err(_) => self.give_up(),
        }
    }

    /// Nobody takes it any more. The jail's writers are to know as if they wrote there themselves; what the user types
    /// from now on is the shell's.
    fn give_up(&mut self) {
        self.sent = self.held;
        if self.open {
            match self.way {
                Way::Out => os::close(self.from),
                Way::IntoTerminal => {}
                Way::IntoPipe => os::close(self.to),
            }
        }
        self.open = false;
    }
}
