//! The helper as supervisor, beside a stand-in for a jail: a shell without namespaces.
//!
//! Each test forks a process that launches the stand-in and becomes the helper, as the command line does. The test
//! process itself launches nothing, so that no lock of the library is held when it forks.
#![cfg(test)]
#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use jail_sys::call::process::{self, Ended};
use jail_sys::call::{mount, terminal};
use jail_sys::helper::{self, End, SuperviseArgs, become_supervisor};
use jail_sys::launch::launch;
use jail_sys::op::{Fd, Op, Program, Step};

/// What a test sets up, in the numbers of the forked process.
struct Setup<'a> {
    script: &'a str,
    /// Standard input, output and error of the stand-in.
    jail: [Option<RawFd>; 3],
    /// Standard input and output of the supervisor.
    own: [Option<RawFd>; 2],
    close: Vec<RawFd>,
    terminal: Option<RawFd>,
    relays: Vec<(RawFd, RawFd)>,
    end: End,
}

impl<'a> Setup<'a> {
    fn new(script: &'a str) -> Self {
        let end = End::Exit { remove: Vec::new() };
        Setup {
            script,
            jail: [None; 3],
            own: [None; 2],
            close: Vec::new(),
            terminal: None,
            relays: Vec::new(),
            end,
        }
    }

    /// Starts it; the answer is the supervisor.
    fn start(self) -> OwnedFd {
        // SAFETY: glibc's fork leaves the allocator usable, and this process holds no lock of the library's.
        match unsafe { libc::fork() } {
            0 => {
                let error = self.supervise();
                let _ = writeln!(io::stderr(), "no supervisor: {error}");
                // SAFETY: ends the process.
                unsafe { libc::_exit(99) }
            }
            pid => process::open(pid).unwrap(),
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
        let (terminal, relays, end) = (self.terminal, self.relays, self.end);
        let args = SuperviseArgs { init, keep: Vec::new(), terminal, relays, end };
        become_supervisor(&args, helper::sealed("jail").unwrap().as_fd())
    }
}

/// A pipe between the stand-in's output and the supervisor, and one between the supervisor's output and the test.
struct Relayed {
    supervisor: OwnedFd,
    output: PipeReader,
    /// Nothing is written here: reading its standard input is how a stand-in waits.
    _input: PipeWriter,
}

fn relayed(script: &str) -> Relayed {
    let (from_jail, jail): (PipeReader, PipeWriter) = io::pipe().unwrap();
    let (output, own) = io::pipe().unwrap();
    let (input, _input) = io::pipe().unwrap();
    let mut setup = Setup::new(script);
    setup.jail = [Some(input.as_raw_fd()), Some(jail.as_raw_fd()), None];
    setup.own = [None, Some(own.as_raw_fd())];
    setup.close = vec![jail.as_raw_fd(), own.as_raw_fd(), output.as_raw_fd(), _input.as_raw_fd()];
    setup.relays = vec![(from_jail.as_raw_fd(), 1)];
    Relayed { supervisor: setup.start(), output, _input }
}

fn ended(supervisor: &OwnedFd) -> Ended {
    process::wait(supervisor.as_fd()).unwrap()
}

fn line(reader: &mut impl Read) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while reader.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

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

#[test]
fn signals_are_passed_on() {
    for (name, signal) in [("TERM", libc::SIGTERM), ("HUP", libc::SIGHUP), ("USR1", libc::SIGUSR1)] {
        let script = format!("trap 'exit 5' {name}; echo up; read forever");
        let mut run = relayed(&script);
        assert_eq!(line(&mut run.output), "up");
        process::send_signal(run.supervisor.as_fd(), signal).unwrap();
        assert_eq!(ended(&run.supervisor), Ended(5), "{name}");
    }
}

#[test]
fn all_output_arrives_even_when_the_jail_ended_before_it_was_read() {
    let mut run = relayed("head -c 60000 /dev/zero; exit 4");
    let mut bytes = Vec::new();
    run.output.read_to_end(&mut bytes).unwrap();
    assert_eq!((bytes.len(), ended(&run.supervisor)), (60000, Ended(4)));

    let mut run = relayed("head -c 5000000 /dev/zero | tr '\\0' x; exit 4");
    bytes.clear();
    run.output.read_to_end(&mut bytes).unwrap();
    assert!(bytes.len() == 5_000_000 && bytes.iter().all(|byte| *byte == b'x'));
    assert_eq!(ended(&run.supervisor), Ended(4));
}

#[test]
fn a_reader_that_went_away_is_felt_inside() {
    let run = relayed("exec cat /dev/zero");
    drop(run.output);
    assert_eq!(ended(&run.supervisor), Ended(128 + libc::SIGPIPE));
}

#[test]
fn a_slow_reader_does_not_keep_signals_from_the_jail() {
    let mut run = relayed("trap 'exit 6' TERM; cat /dev/zero & echo up; wait");
    assert!(line(&mut run.output).ends_with("up")); // and zeros before it
    process::send_signal(run.supervisor.as_fd(), libc::SIGTERM).unwrap();
    // `cat` outlives the shell and goes on writing: a second signal says not to wait for it.
    let mut drained = [0; 100_000];
    run.output.read_exact(&mut drained).unwrap();
    drop(run.output);
    assert_eq!(ended(&run.supervisor), Ended(6));
}

/// The settings of a terminal that raw mode changes.
fn local_modes(of: &impl AsRawFd) -> libc::tcflag_t {
    // SAFETY: plain integers, written by the call.
    let mut settings: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: an open terminal and a structure to write to.
    assert_eq!(unsafe { libc::tcgetattr(of.as_raw_fd(), &raw mut settings) }, 0);
    settings.c_lflag
}

#[test]
fn a_jails_terminal_is_joined_with_the_users_which_is_put_back_after() {
    let devpts = mount::new_mount("devpts", &[("newinstance", ""), ("ptmxmode", "0666")], 0)
        .expect("run as root: the test mounts a devpts");
    let (user_master, user_slave) = terminal::open(devpts.as_fd()).unwrap();
    let (jail_master, jail_slave) = terminal::open(devpts.as_fd()).unwrap();
    let size = libc::winsize { ws_row: 33, ws_col: 101, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: an open terminal and its size.
    assert_eq!(unsafe { libc::ioctl(user_master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) }, 0);
    let before = local_modes(&user_slave);

    let slave = jail_slave.as_raw_fd();
    let mut setup = Setup::new("stty size; read word; echo got $word; exit 8");
    setup.jail = [Some(slave); 3];
    setup.own = [Some(user_slave.as_raw_fd()); 2];
    setup.close = vec![slave];
    setup.terminal = Some(jail_master.as_raw_fd());
    let supervisor = setup.start();
    drop((jail_slave, jail_master));

    let mut user = File::from(user_master);
    let mut said = || line(&mut user).trim_end().to_owned();
    let size = said();
    // The shell may have asked before the supervisor passed the size on.
    assert!(size == "33 101" || size == "0 0", "{size}");
    assert_ne!(local_modes(&user_slave) & libc::ECHO, before & libc::ECHO);
    user.write_all(b"hello\r").unwrap();
    let mut said = || line(&mut user).trim_end().to_owned();
    assert_eq!((said().as_str(), said().as_str()), ("hello", "got hello")); // the jail's terminal echoes
    assert_eq!(ended(&supervisor), Ended(8));
    assert_eq!(local_modes(&user_slave), before);
}
