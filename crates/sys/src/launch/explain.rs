//! A start that failed, in words: from the clone's errno, or from the step that failed in the child.

use std::io;

use crate::op::Op;
use crate::raw::Errno;
use crate::record::Record;
use crate::script::Script;
use crate::{Failure, Kind, protocol};

/// Why clone3 was refused, and what to do.
pub(super) fn clone_failed(Errno(errno): Errno, namespaces: i32) -> Failure {
    let new_user = namespaces & libc::CLONE_NEWUSER != 0;
    let (kind, message, hint) = match errno {
        libc::ENOSPC => (
            Kind::Unsupported,
            "this host's limit of namespaces is reached",
            "raise the limits in /proc/sys/user (max_*_namespaces), or stop jails that are not needed",
        ),
        libc::EPERM if new_user => (
            Kind::Denied,
            "this host does not let us make a user namespace",
            "run as root; in a chroot or a container it may need to be allowed from outside",
        ),
        libc::EPERM => (
            Kind::Denied,
            "making namespaces needs root with all its capabilities (CAP_SYS_ADMIN)",
            "run it as the host's own root",
        ),
        libc::EINVAL => (
            Kind::Unsupported,
            "this kernel lacks a kind of namespace that was asked for",
            "it takes Linux 5.15 with mnt, pid, net, ipc, uts, cgroup and user namespaces",
        ),
        libc::ENOSYS => (
            Kind::Unsupported,
            "clone3 is not available here",
            "it takes Linux 5.15; a filter on system calls around jail, like a container's, may hide the call",
        ),
        libc::EAGAIN => (
            Kind::Failed,
            "the limit of processes is reached",
            "raise the pids limit of this service, or RLIMIT_NPROC",
        ),
        _ => {
            let error = io::Error::from_raw_os_error(errno);
            return Failure::call("namespace", "clone3", "new namespaces", &error);
        }
    };
    let failure = Failure::new(kind, "namespace", "clone3", "new namespaces", message).hint(hint);
    Failure { errno: Some(errno), ..failure }
}

/// Why the program did not run to its end.
pub(super) fn failed(script: &Script, record: Option<Record>) -> Failure {
    let Some(Record { step: number, inner, errno }) = record else {
        return gone();
    };
    let Some(step) = script.step(number, inner) else { return gone() };
    let error = io::Error::from_raw_os_error(errno);
    let failure = match &step.op {
        Op::ExecThrough { .. } if errno == protocol::REPORT_STAYS_OPEN => {
            let message = format!("{}: the filter does not let it be executed", step.object);
            return Failure::new(Kind::Denied, step.stage, step.op.name(), step.object.as_str(), message)
                .hint("add fcntl to --seccomp.keep: with ids of the host's it is called on the way");
        }
        Op::Exec { paths, .. } | Op::ExecThrough { paths, .. } => {
            not_executed(step.stage, &step.object, paths.len() == 1, &error)
        }
        Op::ExecFd { .. } => not_executed(step.stage, &step.object, true, &error),
        Op::ProveNoUserNamespace if errno == libc::ENOTRECOVERABLE => {
            let message = "a process of the jail could still make user namespaces";
            Failure::new(Kind::Unsupported, step.stage, step.op.name(), step.object.as_str(), message)
        }
        Op::Chdir(_) if errno == libc::EXDEV => {
            let message = format!("{}: it leads out of the jail", step.object);
            Failure::new(Kind::Denied, step.stage, step.op.name(), step.object.as_str(), message)
        }
        op => {
            let failure = Failure::call(step.stage, op.name(), step.object.as_str(), &error);
            // The path is one of the jail's: what is full, read-only or closed there is none of the host's.
            if matches!(errno, libc::EPERM | libc::ENOSYS) { failure } else { failure.hint("") }
        }
    };
    match step.hint.is_empty() {
        true => failure,
        false => failure.hint(step.hint),
    }
}

/// execve's own error: "not there" is [`Kind::NotFound`] (a shell's 127), all else [`Kind::Denied`] (126). The kernel says
/// so too of a file that is there, when its interpreter is not: most likely where a path was given, and no name to look for.
fn not_executed(stage: &'static str, object: &str, is_path: bool, error: &io::Error) -> Failure {
    let (kind, message) = match error.raw_os_error() {
        Some(libc::ENOENT) if is_path => {
            (Kind::NotFound, format!("{object}: not found in the jail, or the interpreter it names is not"))
        }
        Some(libc::ENOENT | libc::ENOTDIR) => (Kind::NotFound, format!("{object}: not found in the jail")),
        Some(libc::EACCES | libc::EPERM) => {
            (Kind::Denied, format!("{object}: may not be executed in the jail"))
        }
        Some(libc::ENOEXEC) => (Kind::Denied, format!("{object}: not a program this machine can run")),
        _ => (Kind::Denied, Failure::call(stage, "execve", object, error).message),
    };
    let failure = Failure::new(kind, stage, "execve", object, message);
    Failure { errno: error.raw_os_error(), ..failure }
}

/// No record, and yet not at its end: killed, or its parent gave up.
fn gone() -> Failure {
    let message = "the jail's first process ended before the command ran";
    Failure::new(Kind::Failed, "namespace", "clone3", "jail", message)
        .hint("something killed it (out of memory?), or the start was given up")
}
