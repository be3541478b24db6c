//! The calls that are decided by their arguments (`check` in the table), one function per reason.
//!
//! Only integer arguments can be looked at; where the kernel reads 32 bits of one, so do we: the upper half of the
//! register is the caller's to fill (CVE-2019-10063 compared all 64).

use libc::{EAFNOSUPPORT, EINVAL, EPERM};
use seccompiler::{SeccompCmpArgLen, SeccompCmpOp, SeccompCondition};

use super::protocol::Protocol;
use super::verdict::{Answer, Case, Verdict};

type Result<T> = std::result::Result<T, seccompiler::BackendError>;

const SET_ID: u32 = libc::S_ISUID | libc::S_ISGID;

/// What `open` takes a mode with: `O_CREAT`, and `O_TMPFILE` without the `O_DIRECTORY` that is part of it.
const CREATES: i32 = libc::O_CREAT | (libc::O_TMPFILE & !libc::O_DIRECTORY);

/// Every namespace that clone(2) can make; its low byte is the exit signal, so a time namespace is not among them.
const NEW_NAMESPACE: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;

/// `SOCK_PACKET`, with which `AF_INET` means `AF_PACKET`. See packet(7).
const SOCK_PACKET: u64 = 10;
const SOCK_TYPE_MASK: u64 = 0xf;

/// `PER_LINUX`, and the value that only asks which one it is.
const PERSONALITIES: [u64; 2] = [0, 0xffff_ffff];

/// `TIOCLINUX`, which libc does not have for every target: pastes into a virtual console. See ioctl_console(2).
const TIOCLINUX: u64 = 0x541c;

/// The core limit stays 1: below it, at 0, the kernel still starts a piped `core_pattern`, as root on the host. See
/// core(5). A program that sets it is told that it did, for pam_limits(8) ends a login when it cannot, and gpg(1) itself;
/// whoever asks is told 1, which is no core dump.
const KEPT: Answer = Answer::Errno(0);

/// How `call` is decided; `None` when it is not decided by its arguments.
pub(crate) fn verdict(call: &str, protocols: &[Protocol]) -> Result<Option<Verdict>> {
    Ok(Some(match call {
        "creat" | "chmod" | "fchmod" | "mkdir" => without_set_id(1)?,
        "fchmodat" | "fchmodat2" | "mkdirat" => without_set_id(2)?,
        "open" => creating_without_set_id(1, 2)?,
        "openat" => creating_without_set_id(2, 3)?,
        "mknod" => plain_node(1)?,
        "mknodat" => plain_node(2)?,
        "clone" => without_new_namespaces()?,
        "socket" | "socketpair" => granted_family(protocols)?,
        "ioctl" => without_terminal_injection()?,
        "personality" => usual_personality()?,
        "prctl" => without_memory_map_changes()?,
        "setrlimit" => Verdict {
            cases: vec![case([equal(0, u64::from(libc::RLIMIT_CORE))?], KEPT)],
            otherwise: Answer::Allow,
        },
        "prlimit64" => with_core_limit_kept()?,
        _ => return Ok(None),
    }))
}

/// A mode without `S_ISUID` and `S_ISGID`: with them a writable grant would plant a set-id program on the host.
fn without_set_id(mode: u8) -> Result<Verdict> {
    Ok(Verdict {
        cases: vec![case([masked(mode, SET_ID.into(), 0)?], Answer::Allow)],
        otherwise: Answer::Errno(EPERM),
    })
}

/// The same where the mode counts only if something is created, and is whatever the register held otherwise.
fn creating_without_set_id(flags: u8, mode: u8) -> Result<Verdict> {
    let mut verdict = without_set_id(mode)?;
    verdict.cases.insert(0, case([masked(flags, bits(CREATES), 0)?], Answer::Allow));
    Ok(verdict)
}

/// A regular file, FIFO or socket, and no set-id mode.
fn plain_node(mode: u8) -> Result<Verdict> {
    let mask = u64::from(libc::S_IFMT | SET_ID);
    let cases = [0, libc::S_IFREG, libc::S_IFIFO, libc::S_IFSOCK]
        .into_iter()
        .map(|kind| Ok(case([masked(mode, mask, kind.into())?], Answer::Allow)))
        .collect::<Result<_>>()?;
    Ok(Verdict { cases, otherwise: Answer::Errno(EPERM) })
}

/// A process or thread in the namespaces of its parent.
fn without_new_namespaces() -> Result<Verdict> {
    Ok(Verdict {
        cases: vec![case([masked(0, bits(NEW_NAMESPACE), 0)?], Answer::Allow)],
        otherwise: Answer::Errno(EPERM),
    })
}

/// A socket of one of these families; of netlink's protocols only route, which is 0.
fn granted_family(protocols: &[Protocol]) -> Result<Verdict> {
    let unsupported = Answer::Errno(EAFNOSUPPORT);
    let packet = [equal(0, bits(libc::AF_INET))?, masked(1, SOCK_TYPE_MASK, SOCK_PACKET)?];
    let mut cases = vec![case(packet, unsupported)];
    for protocol in protocols {
        let mut conditions = vec![equal(0, bits(protocol.family()))?];
        if *protocol == Protocol::Netlink {
            conditions.push(equal(2, bits(libc::NETLINK_ROUTE))?);
        }
        cases.push(case(conditions, Answer::Allow));
    }
    Ok(Verdict { cases, otherwise: unsupported })
}

/// Anything but what types on a terminal in somebody else's name.
fn without_terminal_injection() -> Result<Verdict> {
    Ok(Verdict {
        cases: vec![
            case([equal(1, u64::from(libc::TIOCSTI as u32))?], Answer::Errno(EPERM)),
            case([equal(1, TIOCLINUX)?], Answer::Errno(EPERM)),
        ],
        otherwise: Answer::Allow,
    })
}

/// No other ABI's behaviour and no address randomization off.
fn usual_personality() -> Result<Verdict> {
    let cases = PERSONALITIES
        .into_iter()
        .map(|value| Ok(case([equal(0, value)?], Answer::Allow)))
        .collect::<Result<_>>()?;
    Ok(Verdict { cases, otherwise: Answer::Errno(EPERM) })
}

/// No `PR_SET_MM`: it is there for restoring checkpoints, and rewrites what /proc says of a process.
fn without_memory_map_changes() -> Result<Verdict> {
    Ok(Verdict {
        cases: vec![case([equal(0, bits(libc::PR_SET_MM))?], Answer::Errno(EPERM))],
        otherwise: Answer::Allow,
    })
}

/// The limit of before is not written where it is asked for in the same call, so that such a call fails.
fn with_core_limit_kept() -> Result<Verdict> {
    let sets_it = || Ok([equal(1, u64::from(libc::RLIMIT_CORE))?, not_null(2)?]);
    let asks_too = [&sets_it()?[..], &[not_null(3)?]].concat();
    let cases = vec![case(asks_too, Answer::Errno(EINVAL)), case(sets_it()?, KEPT)];
    Ok(Verdict { cases, otherwise: Answer::Allow })
}

fn case(conditions: impl Into<Vec<SeccompCondition>>, answer: Answer) -> Case {
    Case { conditions: conditions.into(), answer }
}

fn equal(argument: u8, value: u64) -> Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)
}

fn not_null(argument: u8) -> Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)
}

/// A C `int` as the 32 bits the kernel compares.
fn bits(value: i32) -> u64 {
    u64::from(value as u32)
}

#[cfg(test)]
mod tests {
    use super::super::table::{CALLS, Standing};
    use super::*;

    #[test]
    fn every_call_the_table_marks_has_a_check_and_no_other_has() {
        for call in CALLS {
            let checked = verdict(call.name, &Protocol::DEFAULT).unwrap().is_some();
            assert_eq!(checked, call.standing == Standing::Check, "{}", call.name);
        }
    }
}
