//! The helper's arguments, understood. Pure; the library compiles it too, to test it against what it builds.

use crate::protocol::RELAYS;

/// Copies what comes out of one descriptor into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) from: i32,
    pub(crate) to: i32,
}

/// What to do once the jail has ended; the arguments that follow belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Execute this open file with the arguments that follow and the jail's status.
    Finish(i32),
    /// Remove the paths that follow and exit with the jail's status.
    Exit,
}

/// The arguments of `supervise`, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Supervision {
    /// pidfd of the jail's first process, a child of ours.
    pub(crate) init: i32,
    /// Master of the jail's terminal.
    pub(crate) terminal: Option<i32>,
    /// Timer that ends the jail: asks it to at its first expiry, makes it at the next.
    pub(crate) timer: Option<i32>,
    pub(crate) relays: [Option<Copy>; RELAYS],
    pub(crate) end: End,
    /// How many arguments were used.
    pub(crate) used: usize,
}

/// The arguments of `exec`, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Execution {
    /// Where a failure is told.
    pub(crate) report: i32,
    /// The step that it is told as.
    pub(crate) step: u32,
    /// That step's own number in the program it forked.
    pub(crate) inner: Option<u32>,
    /// How many paths there are to try.
    pub(crate) paths: usize,
    /// How many arguments were used.
    pub(crate) used: usize,
}

/// Understands `REPORT STEP (INNER | -) PATHS`, which that many paths follow and then an argument vector.
pub(crate) fn execution<'a>(mut arguments: impl Iterator<Item = &'a [u8]>) -> Option<Execution> {
    let mut next = || arguments.next();
    let report = number(next()?)?;
    let step = u32::try_from(number(next()?)?).ok()?;
    let inner = match next()? {
        b"-" => None,
        text => Some(u32::try_from(number(text)?).ok()?),
    };
    let paths = usize::try_from(number(next()?)?).ok()?;
    (arguments.count() >= paths).then_some(Execution { report, step, inner, paths, used: 4 })
}

/// Understands `init=FD [terminal=FD] [timer=FD] [relay=FD:FD]... (finish=FD | exit)`.
pub(crate) fn supervision<'a>(arguments: impl Iterator<Item = &'a [u8]>) -> Option<Supervision> {
    let (mut init, mut terminal, mut timer, mut relays) = (None, None, None, [None; RELAYS]);
    for (index, argument) in arguments.enumerate() {
        let used = index + 1;
        let (key, value) = split(argument, b'=');
        match key {
            b"init" => init = Some(number(value)?),
            b"terminal" => terminal = Some(number(value)?),
            b"timer" => timer = Some(number(value)?),
            b"relay" => {
                let (from, to) = split(value, b':');
                let free = relays.iter_mut().find(|relay| relay.is_none())?;
                *free = Some(Copy { from: number(from)?, to: number(to)? });
            }
            b"finish" => {
                let end = End::Finish(number(value)?);
                return Some(Supervision { init: init?, terminal, timer, relays, end, used });
            }
            b"exit" => {
                return Some(Supervision { init: init?, terminal, timer, relays, end: End::Exit, used });
            }
            _ => return None,
        }
    }
    None
}

/// The parts before and after the first `mark`; all and nothing when there is none.
fn split(text: &[u8], mark: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == mark) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default()),
        None => (text, &[]),
    }
}

/// A decimal number without sign.
pub(crate) fn number(text: &[u8]) -> Option<i32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0i32, |sum, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        sum.checked_mul(10)?.checked_add(i32::from(digit))
    })
}

/// An exit status in decimal, ended by NUL. Only its low byte counts, as in _exit(2).
pub(crate) fn decimal(status: i32) -> [u8; 4] {
    let status = (status & 0xff) as u8;
    let digit = |by: u8| b'0' + status / by % 10;
    match status {
        100.. => [digit(100), digit(10), digit(1), 0],
        10.. => [digit(10), digit(1), 0, 0],
        _ => [digit(1), 0, 0, 0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understand(text: &str) -> Option<Supervision> {
        supervision(text.split(' ').map(str::as_bytes))
    }

    #[test]
    fn arguments_are_understood_up_to_the_end_they_name() {
        let plan = understand("init=5 terminal=7 relay=8:1 relay=9:2 finish=4 jail finish web").unwrap();
        assert_eq!((plan.init, plan.terminal, plan.end, plan.used), (5, Some(7), End::Finish(4), 5));
        assert_eq!(plan.relays[..2], [Some(Copy { from: 8, to: 1 }), Some(Copy { from: 9, to: 2 })]);
        let plan = understand("init=5 timer=6 exit /run/jail/x").unwrap();
        assert_eq!((plan.end, plan.timer, plan.used), (End::Exit, Some(6), 3));
    }

    #[test]
    fn a_command_is_told_where_and_as_what_it_failed() {
        let understand = |text: &str| execution(text.split(' ').map(str::as_bytes));
        let plan = Execution { report: 10, step: 7, inner: Some(12), paths: 2, used: 4 };
        assert_eq!(understand("10 7 12 2 /bin/a /usr/bin/a a"), Some(plan));
        assert_eq!(understand("10 7 - 0"), Some(Execution { inner: None, paths: 0, ..plan }));
        for text in ["", "10", "10 7", "10 7 -", "10 7 x 0", "10 - - 0", "10 7 - 2 /bin/a"] {
            assert_eq!(understand(text), None, "{text}");
        }
    }

    #[test]
    fn arguments_that_make_no_sense_are_refused() {
        for text in
            ["", "exit", "init=5", "init=x exit", "init= exit", "init=5 relay=3 exit", "init=5 what exit"]
        {
            assert_eq!(understand(text), None, "{text}");
        }
        assert_eq!(number(b"99999999999"), None);
    }

    #[test]
    fn a_status_is_written_in_decimal() {
        assert_eq!(decimal(0), *b"0\0\0\0");
        assert_eq!(decimal(42), *b"42\0\0");
        assert_eq!(decimal(137), *b"137\0");
    }
}
