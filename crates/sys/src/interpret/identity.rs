//! Steps about what the process is and may do: names, signals, ids, capabilities, filters, and the execve at the end.

use std::ffi::{CStr, CString};
use std::os::fd::RawFd;

use super::{Done, done};
use crate::kernel;
use crate::op::Op;
use crate::raw::Errno;
use crate::script::Vectors;

/// Signals the kernel knows, `SIGRTMAX` included.
const SIGNALS: i32 = 64;

/// Runs a step that needs no slot; `None` when it is not one of these.
pub(super) fn step(op: &Op) -> Option<Done> {
    Some(match op {
        Op::HostName(name) => done(kernel::sethostname(name)),
        Op::LoopbackUp => done(kernel::loopback_up()),
        Op::ProveNoUserNamespace => prove_no_user_namespace(),
        Op::SetIds { uid, gid, groups } => set_ids(*uid, *gid, groups),
        Op::UsePermitted => done(kernel::use_permitted()),
        Op::OwnKeyring => own_keyring(),
        Op::SetSid => done(kernel::setsid()),
        Op::ControllingTerminal => done(kernel::ioctl(0, libc::TIOCSCTTY, 0)),
        Op::Chdir(path) => change_directory(path),
        Op::Umask(mask) => done(kernel::umask(*mask)),
        Op::CloseOnExecFrom(first) => done(kernel::close_on_exec_from(*first)),
        Op::ResetSignals => reset_signals(),
        Op::KeepCaps(mask) => keep_capabilities(*mask),
        Op::SetCaps(mask) => done(kernel::set_capabilities(*mask)),
        Op::AmbientCaps(mask) => make_ambient(*mask),
        Op::NoNewPrivs => done(kernel::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0)),
        Op::NotDumpable => done(kernel::prctl(libc::PR_SET_DUMPABLE, 0, 0)),
        Op::Rlimit { resource, soft, hard } => done(kernel::set_limit(*resource, *soft, *hard)),
        Op::Seccomp { filter, flags } => done(kernel::seccomp(filter, *flags)),
        _ => return None,
    })
}

fn own_keyring() -> Done {
    match kernel::own_session_keyring() {
        Ok(_) | Err(Errno(libc::ENOSYS)) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// A directory that the root does not lead to has a path that begins with "(unreachable)": see getcwd(3).
fn change_directory(path: &CStr) -> Done {
    kernel::chdir(path)?;
    let mut buffer = [0; libc::PATH_MAX as usize];
    kernel::getcwd(&mut buffer)?;
    if buffer[0] == b'/' { Ok(()) } else { Err(Errno(libc::EXDEV)) }
}

/// dup2(2); a descriptor that is there already only loses close-on-exec.
pub(super) fn duplicate(from: RawFd, to: RawFd) -> Done {
    match from == to {
        true => done(kernel::fcntl(from, libc::F_SETFD, 0)),
        false => done(kernel::duplicate_to(from, to)),
    }
}

/// Only a limit or a refusal proves it; any other answer might be different for the command.
fn prove_no_user_namespace() -> Done {
    match kernel::unshare(libc::CLONE_NEWUSER) {
        Err(Errno(libc::ENOSPC | libc::EPERM)) => Ok(()),
        Err(errno) => Err(errno),
        Ok(_) => Err(Errno(libc::ENOTRECOVERABLE)),
    }
}

fn reset_signals() -> Done {
    for signal in 1..=SIGNALS {
        if signal != libc::SIGKILL && signal != libc::SIGSTOP {
            kernel::default_action(signal)?;
        }
    }
    kernel::set_signal_mask(0).map(|_| ())
}

fn keep_capabilities(mask: u64) -> Done {
    const AMBIENT_CLEAR_ALL: usize = 4;
    kernel::prctl(libc::PR_CAP_AMBIENT, AMBIENT_CLEAR_ALL, 0)?;
    for capability in 0..64 {
        if mask & (1 << capability) != 0 {
            continue;
        }
        match kernel::prctl(libc::PR_CAPBSET_DROP, capability, 0) {
            Err(Errno(libc::EINVAL)) => break, // beyond the last one this kernel knows
            answer => answer?,
        };
    }
    done(kernel::set_inheritable(0))
}

fn make_ambient(mask: u64) -> Done {
    const AMBIENT_RAISE: usize = 2;
    kernel::set_inheritable(mask)?;
    for capability in (0..64).filter(|capability| mask & (1 << capability) != 0) {
        kernel::prctl(libc::PR_CAP_AMBIENT, AMBIENT_RAISE, capability)?;
    }
    Ok(())
}

/// The kernel takes every capability from who ceases to be root, unless told not to: the steps that follow need some.
fn set_ids(uid: u32, gid: u32, groups: &[u32]) -> Done {
    kernel::prctl(libc::PR_SET_KEEPCAPS, 1, 0)?;
    kernel::set_ids(uid, gid, groups)?;
    done(kernel::prctl(libc::PR_SET_KEEPCAPS, 0, 0))
}

/// Tries each path in turn; like execvp(3), remembers a refusal over "not there".
pub(super) fn execute(paths: &[CString], vectors: &Vectors) -> Errno {
    let mut answer = Errno(libc::ENOENT);
    for path in paths {
        let (argv, envp) = (vectors.argv.as_ptr(), vectors.envp.as_ptr());
        // SAFETY: the tables end with null and point into the strings of the step being run, which nobody changes.
        match unsafe { kernel::execveat(libc::AT_FDCWD, path, argv, envp, 0) } {
            Err(Errno(libc::ENOENT | libc::ENOTDIR)) => {}
            Err(Errno(libc::EACCES)) => answer = Errno(libc::EACCES),
            Err(errno) => return errno,
            Ok(_) => {}
        }
    }
    answer
}

/// Executes an open file.
pub(super) fn execute_file(file: RawFd, vectors: &Vectors) -> Errno {
    let (argv, envp) = (vectors.argv.as_ptr(), vectors.envp.as_ptr());
    // SAFETY: as in `execute`.
    match unsafe { kernel::execveat(file, c"", argv, envp, libc::AT_EMPTY_PATH) } {
        Err(errno) => errno,
        Ok(_) => Errno(libc::EINVAL),
    }
}
