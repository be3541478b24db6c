//! Processes: pidfds, waiting, executing an open file, leaving the terminal behind.

use std::ffi::{CString, c_char};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;

use super::fd::owned;
use crate::kernel;
use crate::raw::{Answer, Errno};

/// An answer of the kernel's as std tells it.
pub(crate) fn answer(answer: Answer) -> io::Result<usize> {
    answer.map_err(|Errno(errno)| io::Error::from_raw_os_error(errno))
}

/// pidfd_open(2).
///
/// # Errors
/// `ESRCH` if there is no such process.
pub fn open(pid: i32) -> io::Result<OwnedFd> {
    owned(kernel::pidfd_open(pid))
}

/// pidfd_send_signal(2). Signal 0 asks whether the process is there.
///
/// # Errors
/// `ESRCH` if it is gone.
pub fn send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    answer(kernel::pidfd_send_signal(pidfd.as_raw_fd(), signal)).map(|_| ())
}

/// Has the kernel keep the children of this process until they are waited for, as it does unless SIGCHLD is ignored: an
/// ignored one outlives execve(2), and whoever started this program may have ignored it. See waitpid(2).
///
/// # Errors
/// None that rt_sigaction(2) documents for this signal.
pub fn keep_ended_children() -> io::Result<()> {
    answer(kernel::default_action(libc::SIGCHLD)).map(|_| ())
}

/// Has a write beyond the limit on the size of files (`ulimit -f`) fail with `EFBIG` instead of ending this process: see
/// setrlimit(2). Programs that it executes inherit that; a jail's command does not.
///
/// # Errors
/// None that rt_sigaction(2) documents for this signal.
pub fn outlive_file_limit() -> io::Result<()> {
    answer(kernel::ignore(libc::SIGXFSZ)).map(|_| ())
}

/// How a process ended, as a shell would say it: its exit status, or 128 + n when signal n ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended(pub i32);

/// Waits for a child of ours to end and reaps it: waitid(2).
///
/// # Errors
/// `ECHILD` if it is not a child of ours.
pub fn wait(pidfd: BorrowedFd<'_>) -> io::Result<Ended> {
    loop {
        match wait_once(pidfd) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

fn wait_once(pidfd: BorrowedFd<'_>) -> io::Result<Ended> {
    // SAFETY: plain integers, for which zero is a value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: `info` is a siginfo_t to be written.
    if unsafe { libc::waitid(libc::P_PIDFD, pidfd.as_raw_fd() as u32, &raw mut info, libc::WEXITED) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: waitid filled in the fields of SIGCHLD.
    let status = unsafe { info.si_status() };
    Ok(Ended(crate::protocol::shell_status(info.si_code, status)))
}

/// Becomes an open program: execveat(2) with `AT_EMPTY_PATH` and this process's environment. Returns only if it fails.
pub fn execute(file: BorrowedFd<'_>, argv: &[CString]) -> io::Error {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    // SAFETY: libc's own, which ends with null and points to strings.
    unsafe { execute_with(file, argv, environ) }
}

/// As [`execute`], with an empty environment.
pub fn execute_without_environment(file: BorrowedFd<'_>, argv: &[CString]) -> io::Error {
    // SAFETY: a vector that is nothing but its end.
    unsafe { execute_with(file, argv, [ptr::null()].as_ptr()) }
}

/// # Safety
/// `environment` must end with null and point to strings that end with NUL.
unsafe fn execute_with(
    file: BorrowedFd<'_>,
    argv: &[CString],
    environment: *const *const c_char,
) -> io::Error {
    let argv: Vec<_> = argv.iter().map(|argument| argument.as_ptr()).chain([ptr::null()]).collect();
    // SAFETY: argv ends with null and points to strings that live on; the environment is the caller's promise.
    let result =
        unsafe { kernel::execveat(file.as_raw_fd(), c"", argv.as_ptr(), environment, libc::AT_EMPTY_PATH) };
    answer(result).err().unwrap_or_else(|| io::ErrorKind::Other.into())
}

/// Which side of [`fork`] this is.
#[derive(Debug)]
pub enum Side {
    /// The process that called.
    Parent {
        /// The child.
        child: OwnedFd,
    },
    /// The new one.
    Child,
}

/// fork(2), for a program that goes to the background before it has any threads.
///
/// # Errors
/// What fork(2) answers; `EBUSY` if this process has a second thread, for then the child could not even allocate.
pub fn fork() -> io::Result<Side> {
    if std::fs::read_dir("/proc/self/task")?.count() > 1 {
        return Err(io::Error::from_raw_os_error(libc::EBUSY));
    }
    // SAFETY: there is only this thread, so the child finds no lock held and no state half-changed.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Side::Child),
        pid => Ok(Side::Parent { child: open(pid)? }),
    }
}

/// setsid(2): a session of its own, without a terminal.
///
/// # Errors
/// `EPERM` if it leads a process group.
pub fn new_session() -> io::Result<()> {
    answer(kernel::setsid()).map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_child_is_waited_for_by_its_pidfd() {
        let mut child = Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap();
        let pidfd = open(child.id() as i32).unwrap();
        assert_eq!(wait(pidfd.as_fd()).unwrap(), Ended(7));
        assert_eq!(child.wait().unwrap_err().raw_os_error(), Some(libc::ECHILD));
    }

    #[test]
    fn a_killed_child_counts_as_128_and_the_signal() {
        let mut child = Command::new("sleep").arg("100").spawn().unwrap();
        let pidfd = open(child.id() as i32).unwrap();
        send_signal(pidfd.as_fd(), libc::SIGTERM).unwrap();
        assert_eq!(wait(pidfd.as_fd()).unwrap(), Ended(128 + libc::SIGTERM));
        assert_eq!(child.wait().unwrap_err().raw_os_error(), Some(libc::ECHILD));
    }
}
