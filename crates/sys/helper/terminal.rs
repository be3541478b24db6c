//! The user's terminal while a jail has one of its own: raw meanwhile, and put back after.

use crate::os;

const TCGETS: usize = 0x5401;
const TCSETS: usize = 0x5402;
const TIOCGWINSZ: usize = 0x5413;
const TIOCSWINSZ: usize = 0x5414;

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

/// Standard input as it was, and the jail's terminal behind `master`.
pub(crate) struct Terminal {
    master: i32,
    before: Option<Settings>,
}

impl Terminal {
    /// Makes standard input raw, if it is a terminal.
    pub(crate) fn new(master: i32) -> Self {
        let mut settings =
            Settings { input: 0, output: 0, control: 0, local: 0, line: 0, characters: [0; 19] };
        let before = os::ioctl(0, TCGETS, &mut settings).ok().map(|_| settings);
        let terminal = Terminal { master, before };
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
        raw.input &= !INPUT;
        raw.output &= !OUTPUT;
        raw.local &= !LOCAL;
        raw.control = raw.control & !SIZE_AND_PARITY | EIGHT_BITS;
        let _ = os::ioctl(0, TCSETS, &mut raw);
    }

    /// Gives the jail's terminal the size of the user's.
    pub(crate) fn follow_size(&self) {
        let mut size = [0u16; 4];
        if os::ioctl(0, TIOCGWINSZ, &mut size).is_ok() {
            let _ = os::ioctl(self.master, TIOCSWINSZ, &mut size);
        }
    }

    /// Puts the user's terminal back.
    pub(crate) fn restore(&self) {
        if let Some(mut before) = self.before {
            let _ = os::ioctl(0, TCSETS, &mut before);
        }
    }
}
