//! What starts leave in the process that made them: nothing. One test, because others would start things meanwhile.
#![cfg(test)]
#![allow(unsafe_code)]

use std::os::fd::AsFd;

use jail_sys::call::process::{self, Ended};
use jail_sys::launch::launch;
use jail_sys::op::{Op, Program, Step};

fn program(ops: Vec<Op>) -> Program {
    Program { steps: ops.into_iter().map(|op| Step::new("command", "the step", op)).collect() }
}

fn execute(path: &str) -> Op {
    let path = std::ffi::CString::new(path).unwrap();
    Op::Exec { paths: vec![path.clone()], argv: vec![path], envp: Vec::new() }
}

fn dumpable() -> i32 {
    // SAFETY: takes no memory.
    unsafe { libc::prctl(libc::PR_GET_DUMPABLE) }
}

fn count(directory: &str) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

#[test]
fn starts_leave_no_descriptor_no_mapping_no_child_and_the_dumpable_flag_as_it_was() {
    let fork = || Op::Fork {
        program: Box::new(program(vec![Op::NotDumpable, execute("/bin/true")])),
        sibling: false,
    };
    let round = || {
        let started = launch(program(vec![fork(), execute("/bin/true")]), 0).unwrap().outcome().unwrap();
        assert_eq!(process::wait(started.pidfd.as_fd()).unwrap(), Ended(0));
        drop(launch(program(vec![fork(), execute("/bin/true")]), 0).unwrap());
        assert!(launch(program(vec![fork(), execute("/no/such")]), 0).unwrap().outcome().is_err());
    };
    assert_eq!(dumpable(), 1);
    round();
    let mappings = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    let before = (count("/proc/self/fd"), mappings());
    for _ in 0..20 {
        round();
    }
    assert_eq!((count("/proc/self/fd"), mappings()), before);
    assert_eq!(dumpable(), 1);
    // SAFETY: asks for any child, with no place for its status.
    assert_eq!(unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) }, -1);
}
