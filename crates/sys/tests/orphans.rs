//! What becomes of starts whose process is killed. One test, because it forks: no other may hold a lock meanwhile.
#![cfg(test)]
#![allow(unsafe_code)]

use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd};

use jail_sys::call::process;
use jail_sys::launch::{Launched, launch};
use jail_sys::op::{Fd, Op, Program, Step};

/// A child that waits for its start to go on, with `output` open as long as it is there.
fn waiting(on: &io::PipeReader, output: &PipeWriter) -> Launched {
    let shell = Op::Exec { paths: vec![c"/bin/true".into()], argv: vec![c"true".into()], envp: Vec::new() };
    let ops = [
        Op::Dup { from: Fd::Parent(output.as_raw_fd()), to: 1 },
        Op::Wait(Fd::Parent(on.as_raw_fd())),
        shell,
    ];
    let steps = ops.into_iter().map(|op| Step::new("command", "the step", op)).collect();
    launch(Program { steps }, 0).unwrap()
}

#[test]
fn starts_at_once_end_with_their_process_however_it_ends() {
    let (mut reader, mut output) = io::pipe().unwrap();
    // SAFETY: glibc's fork leaves the allocator usable, and this process holds no lock of the library's.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // Each pipe is there before either child is: both have copies of both, as in a program of many threads.
        let ((one, _go), (other, _go_too)) = (io::pipe().unwrap(), io::pipe().unwrap());
        let _starts = (waiting(&one, &output), waiting(&other, &output));
        output.write_all(b"x").unwrap();
        loop {
            // SAFETY: takes no memory.
            unsafe { libc::pause() };
        }
    }
    drop(output);
    reader.read_exact(&mut [0]).unwrap();
    let pidfd = process::open(pid).unwrap();
    process::send_signal(pidfd.as_fd(), libc::SIGKILL).unwrap();
    process::wait(pidfd.as_fd()).unwrap();
    let mut poll = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which lives across the call.
    assert_eq!(unsafe { libc::poll(&raw mut poll, 1, 10_000) }, 1, "they wait for each other");
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
}
