//! The kernel's own answers to a probe that runs under the default filter, and without it.

#![cfg(test)]
use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::File;
use std::io::{Read, pipe};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use jail_filter::{FilterSpec, Profile, Rules, SeccompSpec, plan};
use jail_sys::op::{Fd, Op, Program, Step};
use jail_sys::{call, launch};
use libc::{EAFNOSUPPORT, EBADF, EINVAL, ENOSYS, EPERM};

#[path = "support/probe.rs"]
mod probe;

use probe::PROBE;

/// What the probe printed, and its wait status as a shell tells it.
fn confined(option: &str, arguments: &[&str]) -> (String, i32) {
    let mut spec = FilterSpec::default();
    if !option.is_empty() {
        spec.seccomp = option.parse().unwrap();
    }
    confined_by(&spec, arguments)
}

fn confined_by(spec: &FilterSpec, arguments: &[&str]) -> (String, i32) {
    let directory = tempfile::tempdir().unwrap();
    let (mut reader, writer) = pipe().unwrap();
    let here = CString::new(directory.path().as_os_str().as_bytes()).unwrap();
    let program = CString::new(PROBE.as_os_str().as_bytes()).unwrap();
    let mut ops =
        vec![Op::ResetSignals, Op::Chdir(here), Op::Dup { from: Fd::Parent(writer.as_raw_fd()), to: 1 }];
    // Sets of capabilities are not the filter's, and changing them takes root.
    let steps = plan(spec).unwrap().steps().unwrap().into_iter();
    ops.extend(steps.map(|step| step.op).filter(|op| !matches!(op, Op::KeepCaps(_) | Op::SetCaps(_))));
    let rest = arguments.iter().map(|&argument| CString::new(argument).unwrap());
    let argv = std::iter::once(program.clone()).chain(rest).collect();
    ops.push(Op::Exec { paths: vec![program], argv, envp: Vec::new() });
    let steps = ops.into_iter().map(|op| Step::new("test", "probe", op)).collect();

    let started = launch::launch(Program { steps }, 0).unwrap().outcome().unwrap();
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let ended = call::process::wait(started.pidfd.as_fd()).unwrap();
    (text, ended.0)
}

fn unconfined(arguments: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(&*PROBE).args(arguments).current_dir(directory.path()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn answers(text: &str) -> BTreeMap<&str, i32> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, errno)| (name, errno.parse().unwrap()))
        .collect()
}

fn is_root() -> bool {
    File::open("/proc/self/status").is_ok_and(|mut file| {
        let mut text = String::new();
        file.read_to_string(&mut text).is_ok_and(|_| text.contains("\nUid:\t0\t0\t"))
    })
}

const REFUSED: [(&str, i32); 21] = [
    ("mount", EPERM),
    ("unshare_user", EPERM),
    ("clone_user", EPERM),
    ("clone3", ENOSYS),
    ("openat2", ENOSYS),
    ("io_uring_setup", EPERM),
    ("chmod_4755", EPERM),
    ("fchmod_2755", EPERM),
    ("open_4755", EPERM),
    ("mkdir_2755", EPERM),
    ("mknod_device", EPERM),
    ("socket_audit", EAFNOSUPPORT),
    ("socket_packet", EAFNOSUPPORT),
    ("socket_inet_packet", EAFNOSUPPORT),
    ("tiocsti", EPERM),
    ("tiocsti_high_bits", EPERM),
    ("core_limit_exchanged", EINVAL),
    ("core_limit_is_zero", EPERM),
    ("personality", EPERM),
    ("set_mm", EPERM),
    ("socket_vsock_high_bits", EAFNOSUPPORT),
];

/// As root the attack works without the filter, so that it is the filter that stops it. The last two are refused by
/// some kernels anyhow.
const CANARIES: usize = REFUSED.len() - 2;

#[test]
fn what_the_filter_refuses_fails_with_its_own_errno_and_would_work_without() {
    let (text, status) = confined("", &[]);
    assert_eq!(status, 0, "{text}");
    let inside = answers(&text);
    for (name, errno) in REFUSED {
        assert_eq!(inside[name], errno, "{name}");
    }
    if !is_root() {
        return;
    }
    let text = unconfined(&[]);
    let outside = answers(&text);
    for (name, errno) in &REFUSED[..CANARIES] {
        assert_ne!(outside[name], *errno, "{name}");
    }
}

#[test]
fn what_a_server_needs_works() {
    let (text, _) = confined("", &[]);
    let inside = answers(&text);
    for name in [
        "open_0644",
        "open_existing",
        "clone_plain",
        "chmod_0755",
        "mkdir_0755",
        "mkfifo",
        "socket_inet",
        "socket_route",
        "other_limit",
        // it is told so, and pam_limits(8) lets a user in
        "core_limit",
    ] {
        assert_eq!(inside[name], 0, "{name}");
    }
    assert_eq!(inside["tcgets"], EBADF);
    assert_eq!(inside["unknown_call"], ENOSYS);
    assert_eq!(inside["minus_one"], ENOSYS);
}

#[test]
fn the_users_list_changes_the_answers() {
    let (text, _) = confined("@network-io,!unshare", &[]);
    let inside = answers(&text);
    assert_eq!(inside["socket_inet"], EPERM);
    assert_eq!(inside["mount"], EPERM);
    if is_root() {
        assert_eq!(inside["unshare_user"], 0);
    }
}

#[test]
fn an_item_answers_as_it_says() {
    let (text, status) = confined("socket:EACCES,fchmod:ENOSYS,999:EIO,prctl:log", &[]);
    assert_eq!(status, 0, "{text}");
    let inside = answers(&text);
    assert_eq!(inside["socket_inet"], libc::EACCES);
    assert_eq!(inside["fchmod_2755"], ENOSYS);
    assert_eq!(inside["unknown_call"], libc::EIO);
    assert_eq!(inside["set_mm"], EPERM);
    let (_, status) = confined("@network-io:kill", &[]);
    assert_eq!(status, 128 + libc::SIGSYS);
}

fn with_profile(text: &str) -> FilterSpec {
    let rules = Rules::default().with_profile(Profile::read("test.json", text.as_bytes()).unwrap()).unwrap();
    FilterSpec { seccomp: SeccompSpec::On(rules), ..FilterSpec::default() }
}

#[test]
fn a_profile_is_the_list_and_what_protects_the_host_stays_over_it() {
    // Every entry is in the kernel's way of a container engine's profile; what it allows that protects the host is not.
    let spec = with_profile(
        r#"{ "defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
             "syscalls": [
               { "names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28 },
               { "names": ["mknodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95,
                 "args": [ { "index": 2, "value": 61440, "valueTwo": 4096, "op": "SCMP_CMP_MASKED_EQ" } ] },
               { "names": ["socket"], "action": "SCMP_ACT_ERRNO",
                 "args": [ { "index": 0, "value": 2, "op": "SCMP_CMP_EQ" }, { "index": 1, "value": 1, "op": "SCMP_CMP_EQ" } ] }
             ] }"#,
    );
    let (text, status) = confined_by(&spec, &[]);
    assert_eq!(status, 0, "{text}");
    let inside = answers(&text);
    assert_eq!(inside["mkdir_0755"], libc::ENOSPC);
    assert_eq!(inside["mkfifo"], libc::EOPNOTSUPP);
    assert_eq!(inside["socket_inet"], EPERM);
    assert_eq!(inside["socket_route"], 0);
    for (name, errno) in REFUSED {
        // Allowed by the profile, and then the kernel's to refuse.
        let kernels_own = ["mount", "unshare_user", "mkdir_2755"].contains(&name);
        assert!(kernels_own || inside[name] == errno, "{name}: {}", inside[name]);
    }
    if is_root() {
        assert_eq!(inside["unshare_user"], 0);
    }
}

#[test]
fn a_profile_ends_a_thread_or_a_process_or_sends_a_signal_as_it_says() {
    for action in ["SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"] {
        let text = format!(
            r#"{{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ {{ "names": ["fchmodat"], "action": "{action}" }} ] }}"#
        );
        let (text, status) = confined_by(&with_profile(&text), &[]);
        assert_eq!((text.contains("chmod_0755"), status), (false, 128 + libc::SIGSYS), "{action}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn calls_of_another_abi_end_the_process() {
    for abi in ["x32", "i386"] {
        assert_eq!(unconfined(&[abi]), "survived\n", "{abi}");
        let (text, status) = confined("", &[abi]);
        assert_eq!((text.as_str(), status), ("", 128 + libc::SIGSYS), "{abi}");
    }
}
