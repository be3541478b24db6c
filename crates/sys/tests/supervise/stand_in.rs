//! A supervisor beside a stand-in for a jail: a shell without namespaces.
//!
//! Each test forks a process that launches the stand-in and becomes the helper, as the command line does. The test
//! process itself launches nothing, so that no lock of the library is held when it forks.

use std::ffi::CString;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use jail_sys::call::process::{self, Ended};
use jail_sys::helper::{self, End, SuperviseArgs, become_supervisor};
use jail_sys::launch::launch;
use jail_sys::op::{Fd, Op, Program, Step};

/// What a test sets up, in the numbers of the forked process.
pub(crate) struct Setup<'a> {
    script: &'a str,
    /// Standard input, output and error of the stand-in.
    pub(crate) jail: [Option<RawFd>; 3],
    /// Standard input and output of the supervisor.
    pub(crate) own: [Option<RawFd>; 2],
    pub(crate) close: Vec<RawFd>,
    pub(crate) terminal: Option<RawFd>,
    pub(crate) timer: Option<RawFd>,
    pub(crate) relays: Vec<(RawFd, RawFd)>,
    pub(crate) end: End,
}

impl<'a> Setup<'a> {
    pub(crate) fn new(script: &'a str) -> Self {
        let end = End::Exit { remove: Vec::new() };
        Setup {
            script,
            jail: [None; 3],
            own: [None; 2],
            close: Vec::new(),
            terminal: None,
            timer: None,
            relays: Vec::new(),
            end,
        }
    }

    /// Starts it; the answer is the supervisor.
    pub(crate) fn start(self) -> OwnedFd {
        process::open(self.fork(|| {})).unwrap()
    }

    /// Starts it in a process group of its own, whose number is the second answer.
    pub(crate) fn start_in_group(self) -> (OwnedFd, i32) {
        // Both sides do it, so that whoever goes on first finds it done.
        let group = |pid| {
            // SAFETY: numbers.
            unsafe { libc::setpgid(pid, pid) };
        };
        let pid = self.fork(|| group(0));
        group(pid);
        (process::open(pid).unwrap(), pid)
    }

    fn fork(self, first: impl FnOnce()) -> i32 {
        // SAFETY: glibc's fork leaves the allocator usable, and this process holds no lock of the library's.
        match unsafe { libc::fork() } {
            0 => {
                heed_signals();
                first();
                let error = self.supervise();
                let _ = writeln!(io::stderr(), "no supervisor: {error}");
                // SAFETY: ends the process.
                unsafe { libc::_exit(99) }
            }
            pid => pid,
        }
    }

    fn supervise(self) -> io::Error {
        for (number, source) in (0..).zip(self.own) {
            if let Some(source) = source {
                // SAFETY: two numbers.
                unsafe { libc::dup2(source, number) };
            }
        }
        let dup = |(to, from): (RawFd, Option<RawFd>)| Some(Op::Dup { from: Fd::Parent(from?), to });
        let mut ops: Vec<Op> = vec![Op::SetSid];
        ops.extend((0..).zip(self.jail).filter_map(dup));
        if self.terminal.is_some() {
            ops.push(Op::ControllingTerminal);
        }
        ops.extend([Op::CloseOnExecFrom(3), Op::ResetSignals]);
        let argv = ["sh", "-c", self.script].map(|text| CString::new(text).unwrap()).to_vec();
        ops.push(Op::Exec { paths: vec![c"/bin/sh".into()], argv, envp: vec![c"PATH=/usr/bin:/bin".into()] });
        let steps = ops.into_iter().map(|op| Step::new("command", "stand-in", op)).collect();
        let started = launch(Program { steps }, 0).unwrap().outcome().unwrap();
        for number in self.close {
            // SAFETY: a number.
            unsafe { libc::close(number) };
        }
        let init = started.pidfd.as_raw_fd();
        let (terminal, timer, relays, end) = (self.terminal, self.timer, self.relays, self.end);
        let args = SuperviseArgs { init, keep: Vec::new(), terminal, timer, relays, end };
        become_supervisor(&args, helper::sealed("jail").unwrap().as_fd())
    }
}

/// Whoever runs the tests may have them ignored: a script's `&` does, and nohup(1).
fn heed_signals() {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
        // SAFETY: a number, and no handler.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// A pipe between the stand-in's output and the supervisor, and one between the supervisor's output and the test.
pub(crate) struct Relayed {
    pub(crate) supervisor: OwnedFd,
    pub(crate) output: PipeReader,
    /// The writing end that the stand-in has, as if it had been passed out.
    pub(crate) outside: PipeWriter,
    /// Nothing is written here: reading its standard input is how a stand-in waits.
    _input: PipeWriter,
}

pub(crate) fn relayed(script: &str) -> Relayed {
    relayed_after(script, || {})
}

/// The same by a supervisor that does something first.
pub(crate) fn relayed_after(script: &str, first: impl FnOnce()) -> Relayed {
    let (from_jail, jail): (PipeReader, PipeWriter) = io::pipe().unwrap();
    let (output, own) = io::pipe().unwrap();
    let (input, _input) = io::pipe().unwrap();
    let mut setup = Setup::new(script);
    setup.jail = [Some(input.as_raw_fd()), Some(jail.as_raw_fd()), None];
    setup.own = [None, Some(own.as_raw_fd())];
    setup.close = vec![jail.as_raw_fd(), own.as_raw_fd(), output.as_raw_fd(), _input.as_raw_fd()];
    setup.relays = vec![(from_jail.as_raw_fd(), 1)];
    Relayed { supervisor: process::open(setup.fork(first)).unwrap(), output, outside: jail, _input }
}

pub(crate) fn ended(supervisor: &OwnedFd) -> Ended {
    process::wait(supervisor.as_fd()).unwrap()
}

/// Waits until the stand-in that said its pid has ended, which its supervisor need not have noticed yet.
pub(crate) fn until_ended(pid: &str) {
    if let Ok(stand_in) = process::open(pid.parse().unwrap()) {
        wait_for(&stand_in, libc::POLLIN);
    }
}

/// Waits for an event of poll(2).
pub(crate) fn wait_for(file: &impl AsRawFd, events: i16) {
    let mut poll = libc::pollfd { fd: file.as_raw_fd(), events, revents: 0 };
    // SAFETY: one entry, which lives across the call.
    assert_eq!(unsafe { libc::poll(&raw mut poll, 1, -1) }, 1);
}

pub(crate) fn line(reader: &mut impl Read) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while reader.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}
