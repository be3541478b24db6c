//! The helper program: its image, and safe builders for its two command lines.

use std::ffi::CString;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use crate::call::{fd, process};
use crate::kernel;
use crate::protocol;

/// The helper's executable: static, without libc.
pub fn image() -> &'static [u8] {
    include_bytes!(env!("JAIL_HELPER"))
}

/// The helper in a memory file that nobody can change, and that only its owner can read. `name` is what /proc shows.
///
/// # Errors
/// As [`fd::sealed_executable`].
pub fn sealed(name: &str) -> io::Result<OwnedFd> {
    fd::sealed_executable(&CString::new(name)?, image())
}

/// Where the jail's first process expects its lifeline: the read end of a pipe that its supervisor holds open.
pub const LIFELINE: RawFd = protocol::LIFELINE;

/// The command line of the jail's first process.
///
/// It reaps, passes signals on (TERM to everybody, what a terminal sends to the command's process group) and ends with the
/// command's status once the last process of the jail has ended, or at once when the lifeline does.
#[derive(Clone, Copy, Debug)]
pub struct InitArgs {
    /// The command's pid as the jail sees it; it leads a session.
    pub payload: i32,
}

impl InitArgs {
    /// The argument vector.
    pub fn argv(&self) -> Vec<CString> {
        vec![text("jail-init"), text(protocol::INIT), text(self.payload.to_string())]
    }
}

/// The command line of a command until it is executed, for [`crate::op::Op::ExecThrough`]: so many paths and the command's
/// own arguments come after it. A failure is told to `report` as that of a step, and perhaps of one it forked.
pub(crate) fn exec_arguments(report: RawFd, (step, inner): (u32, Option<u32>), paths: usize) -> Vec<CString> {
    let inner = inner.map_or_else(|| "-".to_owned(), |inner| inner.to_string());
    let numbers = [report.to_string(), step.to_string(), inner, paths.to_string()];
    [text("jail-exec"), text(protocol::EXEC)].into_iter().chain(numbers.map(text)).collect()
}

/// The command line of the process that waits beside a jail.
#[derive(Debug)]
pub struct SuperviseArgs {
    /// pidfd of the jail's first process, a child of this process.
    pub init: RawFd,
    /// Descriptors to keep open until the end: lifeline, locks, sockets.
    pub keep: Vec<RawFd>,
    /// Master of the jail's terminal, to be joined with standard input and output.
    pub terminal: Option<RawFd>,
    /// A timer, see timerfd_create(2). At its first expiry the jail is asked to end (TERM for everybody in it), at its next
    /// it is ended by force; that it was is said on standard error.
    pub timer: Option<RawFd>,
    /// What comes out of the first is copied to the second; up to four. Standard input may be a first: then the second
    /// is the only writing end of a pipe, which is closed at the end of the input and dropped with the jail, and nothing is
    /// read from a terminal while this process is in its background or when nobody inside reads the pipe any more.
    /// Descriptors above 2 become non-blocking; those of the user's do not.
    pub relays: Vec<(RawFd, RawFd)>,
    /// What happens once the jail has ended and what it had written is copied; before that, if TERM, INT, HUP or QUIT
    /// comes while a slow reader is waited for.
    pub end: End,
}

/// How supervision ends.
#[derive(Debug)]
pub enum End {
    /// Becomes this open program, with all capabilities back if it is root's, with these arguments and the jail's exit status (decimal) as the last one. TERM, INT,
    /// HUP, QUIT, USR1, USR2, CONT, WINCH, PIPE, TTIN and TTOU are blocked in it.
    Finish {
        /// The program.
        program: RawFd,
        /// Its arguments, from `argv[0]`.
        argv: Vec<CString>,
    },
    /// Removes these files and empty directories, in order, and exits with the jail's status. Until then it can do little
    /// else: it has a filter, and of its capabilities those that remove what is somebody else's.
    Exit {
        /// Absolute paths.
        remove: Vec<CString>,
    },
}

impl SuperviseArgs {
    /// The argument vector.
    pub fn argv(&self) -> Vec<CString> {
        let mut argv = vec![text("jail"), text(protocol::SUPERVISE), text(format!("init={}", self.init))];
        argv.extend(self.terminal.map(|master| text(format!("terminal={master}"))));
        argv.extend(self.timer.map(|timer| text(format!("timer={timer}"))));
        argv.extend(self.relays.iter().map(|(from, to)| text(format!("relay={from}:{to}"))));
        let rest = match &self.end {
            End::Finish { program, argv: rest } => {
                argv.push(text(format!("finish={program}")));
                rest
            }
            End::Exit { remove } => {
                argv.push(text("exit"));
                remove
            }
        };
        argv.extend(rest.iter().cloned());
        argv
    }

    /// Every descriptor the helper must find open.
    fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        let program = match &self.end {
            End::Finish { program, .. } => Some(*program),
            End::Exit { .. } => None,
        };
        let relays = self.relays.iter().flat_map(|(from, to)| [*from, *to]);
        let alone = [Some(self.init), self.terminal, self.timer, program];
        self.keep.iter().copied().chain(alone.into_iter().flatten()).chain(relays)
    }
}

/// Becomes the helper in `image` (see [`sealed`]), with this process's pid and the named descriptors; all others that are
/// close-on-exec are closed. It has the environment only if it becomes a program that may need it. Returns only if it fails, and everything is as it was then.
pub fn become_supervisor(args: &SuperviseArgs, image: BorrowedFd<'_>) -> io::Error {
    if args.relays.len() > protocol::RELAYS {
        return io::ErrorKind::InvalidInput.into();
    }
    let mut cleared = Vec::new();
    for number in args.descriptors() {
        let flags = match process::answer(kernel::fcntl(number, libc::F_GETFD, 0)) {
            Ok(flags) => flags as i32,
            Err(error) => return restore(&cleared, error),
        };
        if flags & libc::FD_CLOEXEC != 0 {
            let _ = kernel::fcntl(number, libc::F_SETFD, 0);
            cleared.push(number);
        }
    }
    let error = match args.end {
        End::Finish { .. } => process::execute(image, &args.argv()),
        End::Exit { .. } => process::execute_without_environment(image, &args.argv()),
    };
    restore(&cleared, error)
}

fn restore(cleared: &[RawFd], error: io::Error) -> io::Error {
    for number in cleared {
        let _ = kernel::fcntl(*number, libc::F_SETFD, libc::FD_CLOEXEC);
    }
    error
}

/// A text of ours, which holds no NUL.
fn text(text: impl Into<Vec<u8>>) -> CString {
    CString::new(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd, AsRawFd};

    use super::*;
    use crate::arguments;

    #[test]
    fn the_helper_understands_what_is_built_for_it() {
        let args = SuperviseArgs {
            init: 5,
            keep: vec![11],
            terminal: Some(7),
            timer: Some(6),
            relays: vec![(8, 1), (9, 2)],
            end: End::Finish { program: 4, argv: vec![c"jail".into(), c"exit".into()] },
        };
        let argv = args.argv();
        assert_eq!(argv[1].to_bytes(), protocol::SUPERVISE);
        let plan = arguments::supervision(argv[2..].iter().map(|argument| argument.to_bytes())).unwrap();
        assert_eq!((plan.init, plan.terminal, plan.end), (5, Some(7), arguments::End::Finish(4)));
        assert_eq!(plan.timer, Some(6));
        assert_eq!(plan.relays[1], Some(arguments::Copy { from: 9, to: 2 }));
        assert_eq!(argv[2 + plan.used..], [CString::from(c"jail"), c"exit".into()]);
    }

    #[test]
    fn the_helper_understands_how_a_command_is_executed() {
        let argv = exec_arguments(10, (7, Some(12)), 0);
        assert_eq!(argv[1].to_bytes(), protocol::EXEC);
        let plan = arguments::execution(argv[2..].iter().map(|argument| argument.to_bytes())).unwrap();
        assert_eq!((plan.report, plan.step, plan.inner, plan.paths, plan.used), (10, 7, Some(12), 0, 4));
    }

    #[test]
    fn a_failure_to_become_the_helper_changes_nothing() {
        let (reader, _writer) = io::pipe().unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        let args = SuperviseArgs {
            init: reader.as_raw_fd(),
            keep: Vec::new(),
            terminal: None,
            timer: None,
            relays: Vec::new(),
            end: End::Exit { remove: Vec::new() },
        };
        let error = become_supervisor(&args, file.as_fd());
        assert_eq!(error.raw_os_error(), Some(libc::EACCES));
        let flags = kernel::fcntl(reader.as_raw_fd(), libc::F_GETFD, 0).unwrap();
        assert_eq!(flags as i32, libc::FD_CLOEXEC);
    }
}
