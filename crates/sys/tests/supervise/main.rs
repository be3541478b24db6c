//! The helper as supervisor.
#![cfg(test)]
#![allow(unsafe_code)]

mod output;
mod stand_in;
mod terminal;

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use jail_sys::call::process::{self, Ended};
use jail_sys::helper::End;

use crate::stand_in::{Setup, ended, line, relayed, relayed_after};

#[test]
fn the_jails_status_is_the_supervisors() {
    assert_eq!(ended(&Setup::new("exit 7").start()), Ended(7));
    assert_eq!(ended(&Setup::new("kill -KILL $$").start()), Ended(137));
}

#[test]
fn what_it_was_told_to_remove_is_removed_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("jail");
    std::fs::create_dir(&inner).unwrap();
    File::create(inner.join("lock")).unwrap();
    let text = |path: &std::path::Path| CString::new(path.to_str().unwrap()).unwrap();
    let mut setup = Setup::new("exit 3");
    setup.end = End::Exit { remove: vec![text(&inner.join("lock")), text(&inner)] };
    assert_eq!(ended(&setup.start()), Ended(3));
    assert!(!inner.exists());
}

#[test]
fn the_program_that_finishes_gets_the_status_as_its_last_argument() {
    let (mut output, own) = io::pipe().unwrap();
    let shell = File::open("/bin/sh").unwrap();
    let mut setup = Setup::new("exit 42");
    setup.own = [None, Some(own.as_raw_fd())];
    setup.close = vec![own.as_raw_fd()];
    let argv =
        vec![c"sh".into(), c"-c".into(), c"echo $# $1 $2; exit 9".into(), c"jail".into(), c"finish".into()];
    setup.end = End::Finish { program: shell.as_raw_fd(), argv };
    let supervisor = setup.start();
    drop(own);
    assert_eq!(line(&mut output), "2 finish 42");
    assert_eq!(ended(&supervisor), Ended(9));
}

/// A timer that expires after 20 ms, and every 50 ms from then on.
fn timer() -> OwnedFd {
    let milliseconds = |number: i64| libc::timespec { tv_sec: 0, tv_nsec: number * 1_000_000 };
    let times = libc::itimerspec { it_value: milliseconds(20), it_interval: milliseconds(50) };
    // SAFETY: numbers, and a value that lives across the call.
    unsafe {
        let timer = libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC);
        assert_eq!(libc::timerfd_settime(timer, 0, &raw const times, std::ptr::null_mut()), 0);
        OwnedFd::from_raw_fd(timer)
    }
}

#[test]
fn a_jail_whose_time_is_up_is_asked_to_end_and_then_made_to() {
    for (script, status) in [("sleep 60", 143), ("trap '' TERM; while :; do sleep 60; done", 137)] {
        let timer = timer();
        let mut setup = Setup::new(script);
        setup.timer = Some(timer.as_raw_fd());
        assert_eq!(ended(&setup.start()), Ended(status), "{script}");
    }
    let timer = timer();
    let mut setup = Setup::new("exit 5");
    setup.timer = Some(timer.as_raw_fd());
    assert_eq!(ended(&setup.start()), Ended(5));
}

#[test]
fn a_signal_that_was_ignored_before_stays_ignored() {
    let ignore = || {
        // SAFETY: a number, and no handler.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) };
    };
    let mut run = relayed_after("echo up; exec cat", ignore);
    assert_eq!(line(&mut run.output), "up");
    process::send_signal(run.supervisor.as_fd(), libc::SIGHUP).unwrap();
    process::send_signal(run.supervisor.as_fd(), libc::SIGTERM).unwrap();
    assert_eq!(ended(&run.supervisor), Ended(128 + libc::SIGTERM));
}

#[test]
fn signals_are_passed_on() {
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1] {
        // Without a trap: a shell that a signal reaches just before it reads does not run it until the read is over.
        let mut run = relayed("echo up; exec cat");
        assert_eq!(line(&mut run.output), "up");
        process::send_signal(run.supervisor.as_fd(), signal).unwrap();
        assert_eq!(ended(&run.supervisor), Ended(128 + signal));
    }
}
