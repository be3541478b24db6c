//! The kernel's own answers to a probe that runs under the default filter, and without it.

#![cfg(test)]
use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::File;
use std::io::{Read, pipe};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use jail_filter::{FilterSpec, plan};
use jail_sys::op::{Fd, Op, Program, Step};
use jail_sys::{call, launch};
use libc::{EAFNOSUPPORT, EBADF, EINVAL, ENOSYS, EPERM};

/// The probe. Whoever has Rust has a C compiler: Rust links with it.
static PROBE: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (probe, ours) = (directory.join("probe"), directory.join(format!("probe-{}", std::process::id())));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probe.c");
    let status = Command::new("cc").arg("-O1").arg("-o").arg(&ours).arg(source).status().unwrap();
    assert!(status.success());
    // Another run of this test may be using it.
    std::fs::rename(ours, &probe).unwrap();
    probe
});

/// What the probe printed, and its wait status as a shell tells it.
fn confined(option: &str, arguments: &[&str]) -> (String, i32) {
    let directory = tempfile::tempdir().unwrap();
    let mut spec = FilterSpec::default();
    if !option.is_empty() {
        spec.seccomp = option.parse().unwrap();
    }
    let (mut reader, writer) = pipe().unwrap();
    let here = CString::new(directory.path().as_os_str().as_bytes()).unwrap();
    let program = CString::new(PROBE.as_os_str().as_bytes()).unwrap();
    let mut ops =
        vec![Op::ResetSignals, Op::Chdir(here), Op::Dup { from: Fd::Parent(writer.as_raw_fd()), to: 1 }];
    // Sets of capabilities are not the filter's, and changing them takes root.
    let steps = plan(&spec).unwrap().steps().unwrap().into_iter();
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

#[cfg(target_arch = "x86_64")]
#[test]
fn calls_of_another_abi_end_the_process() {
    for abi in ["x32", "i386"] {
        assert_eq!(unconfined(&[abi]), "survived\n", "{abi}");
        let (text, status) = confined("", &[abi]);
        assert_eq!((text.as_str(), status), ("", 128 + libc::SIGSYS), "{abi}");
    }
}
