//! The user's terminal while a jail has one of its own: raw meanwhile, and put back after.

use crate::os;

const TCGETS: usize = 0x5401;
const TCSETS: usize = 0x5402;
const TIOCGPGRP: usize = 0x540f;
const TIOCGWINSZ: usize = 0x5413;
const TIOCSWINSZ: usize = 0x5414;
const TIOCGPTN: usize = 0x8004_5430;

/// The kernel's `struct termios`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Settings {
    input: u32,
    output: u32,
    control: u32,
    local: u32,
    line: u8,
    characters: [u8; 19],
}

impl Settings {
    fn of(file: i32) -> Option<Self> {
        let mut settings =
            Settings { input: 0, output: 0, control: 0, local: 0, line: 0, characters: [0; 19] };
        os::ioctl(file, TCGETS, &mut settings).ok().map(|_| settings)
    }
}

/// Whether it is a terminal, and not the other end of one: to open that anew would make another terminal.
pub(crate) fn is_terminal(file: i32) -> bool {
    Settings::of(file).is_some() && os::ioctl(file, TIOCGPTN, &mut 0u32).is_err()
}

/// Whether standard input is ours to read and to change: it is not while it is our session's terminal and another
/// process group is in the foreground.
pub(crate) fn is_ours() -> bool {
    let mut foreground = 0i32;
    os::ioctl(0, TIOCGPGRP, &mut foreground).is_err() || os::group() == Ok(foreground as usize)
}

/// Standard input as it was, and the jail's terminal behind `master`.
pub(crate) struct Terminal {
    master: i32,
    before: Option<Settings>,
}

impl Terminal {
    /// Makes standard input raw, if it is a terminal.
    pub(crate) fn new(master: i32) -> Self {
        let terminal = Terminal { master, before: Settings::of(0) };
        terminal.make_raw();
        terminal.follow_size();
        terminal
    }

    /// Every key goes to the jail's terminal, which does what keys do: see cfmakeraw in termios(3).
    pub(crate) fn make_raw(&self) {
        const INPUT: u32 = 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000;
        const OUTPUT: u32 = 0o1;
        const LOCAL: u32 = 0o1 | 0o2 | 0o10 | 0o100 | 0o100_000;
        const SIZE_AND_PARITY: u32 = 0o60 | 0o400;
        const EIGHT_BITS: u32 = 0o60;
        let Some(mut raw) = self.before else { return };
        if !is_ours() {
            return; // the shell's, which puts it back before it lets us have it
        }
        raw.input &= !INPUT;
        raw.output &= !OUTPUT;
        raw.local &= !LOCAL;
        raw.control = raw.control & !SIZE_AND_PARITY | EIGHT_BITS;
        let _ = os::ioctl(0, TCSETS, &mut raw);
    }

    /// Whether no process group is in the foreground of the jail's terminal: the command has ended, and keys reach nobody.
    pub(crate) fn is_deserted(&self) -> bool {
        let mut foreground = 0i32;
        os::ioctl(self.master, TIOCGPGRP, &mut foreground).is_ok() && foreground == 0
    }

    /// Gives the jail's terminal the size of the user's.
    pub(crate) fn follow_size(&self) {
        let mut size = [0u16; 4];
        if os::ioctl(0, TIOCGWINSZ, &mut size).is_ok() {
            let _ = os::ioctl(self.master, TIOCSWINSZ, &mut size);
        }
    }

    /// Puts the user's terminal back; in the background the shell has done so.
    pub(crate) fn restore(&self) {
        if let Some(mut before) = self.before
            && is_ours()
        {
            let _ = os::ioctl(0, TCSETS, &mut before);
        }
    }
}
