//! The user's terminal: joined with one of the jail's, or copied into a pipe of the jail's.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use jail_sys::call::process::{self, Ended};
use jail_sys::call::{mount, terminal};

use crate::stand_in::{Setup, ended, line, until_ended};

/// As many new terminals as asked for: their masters and slaves.
fn terminals<const N: usize>() -> [(OwnedFd, OwnedFd); N] {
    let devpts = mount::new_mount("devpts", &[("newinstance", ""), ("ptmxmode", "0666")], 0)
        .expect("run as root: the test mounts a devpts");
    std::array::from_fn(|_| terminal::open(devpts.as_fd()).unwrap())
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
    let [(user_master, user_slave), (jail_master, jail_slave)] = terminals();
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

#[test]
fn a_terminal_that_shows_nothing_keeps_no_supervisor_and_its_settings() {
    let [(user_master, user_slave)] = terminals();
    let (from_jail, jail) = io::pipe().unwrap();
    let mut setup = Setup::new("echo $$; exec cat /dev/zero");
    setup.jail[1] = Some(jail.as_raw_fd());
    setup.own[1] = Some(user_slave.as_raw_fd());
    setup.close = vec![jail.as_raw_fd(), user_master.as_raw_fd()];
    setup.relays = vec![(from_jail.as_raw_fd(), 1)];
    let supervisor = setup.start();
    drop(jail);

    let pid = line(&mut File::from(user_master.try_clone().unwrap()));
    process::send_signal(supervisor.as_fd(), libc::SIGTERM).unwrap();
    until_ended(pid.trim_end());
    process::send_signal(supervisor.as_fd(), libc::SIGTERM).unwrap();
    assert_eq!(ended(&supervisor), Ended(128 + libc::SIGTERM));
    // SAFETY: a number.
    let flags = unsafe { libc::fcntl(user_slave.as_raw_fd(), libc::F_GETFL) };
    assert_eq!(flags & libc::O_NONBLOCK, 0, "others share this terminal");
}

/// A stand-in whose input is a pipe that the user's terminal is copied to.
struct Typed {
    user: File,
    /// The terminal, as the shell has it.
    shell: File,
    supervisor: OwnedFd,
    output: PipeReader,
    /// The stand-in waits by reading its standard error.
    _hold: PipeWriter,
}

fn typed(script: &str, start: fn(Setup<'_>, RawFd) -> OwnedFd) -> Typed {
    let [(user_master, user_slave)] = terminals();
    let (input, to_jail) = io::pipe().unwrap();
    let (output, jail) = io::pipe().unwrap();
    let (held, hold) = io::pipe().unwrap();
    let mut setup = Setup::new(script);
    setup.jail = [Some(input.as_raw_fd()), Some(jail.as_raw_fd()), Some(held.as_raw_fd())];
    setup.own = [Some(user_slave.as_raw_fd()), None];
    setup.close =
        [&input as &dyn AsRawFd, &output, &jail, &held, &hold, &user_master].map(AsRawFd::as_raw_fd).into();
    setup.relays = vec![(0, to_jail.as_raw_fd())];
    let supervisor = start(setup, user_slave.as_raw_fd());
    Typed { user: user_master.into(), shell: user_slave.into(), supervisor, output, _hold: hold }
}

#[test]
fn what_is_typed_reaches_the_jail_up_to_the_end_of_input() {
    let mut run = typed("read word; echo got $word; cat; exit 3", |setup, _| setup.start());
    run.user.write_all(b"hello\n").unwrap();
    assert_eq!(line(&mut run.output), "got hello");
    run.user.write_all(b"more\n\x04").unwrap();
    let mut rest = String::new();
    run.output.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), ended(&run.supervisor)), ("more\n", Ended(3)));
}

#[test]
fn what_is_typed_after_the_jail_stopped_reading_is_the_shells() {
    let mut run = typed("exec <&-; echo closed; read line <&2; exit 3", |setup, _| setup.start());
    assert_eq!(line(&mut run.output), "closed");
    run.user.write_all(b"for the shell\n").unwrap();
    assert_eq!(line(&mut run.shell), "for the shell");
    run._hold.write_all(b"\n").unwrap();
    assert_eq!(ended(&run.supervisor), Ended(3));
}

#[test]
fn a_jail_that_ended_does_not_wait_for_its_input() {
    let run = typed("exit 3", |setup, _| setup.start());
    assert_eq!(ended(&run.supervisor), Ended(3));
}

/// Starts it in the background of a session whose leader, in the foreground, ends with its status. At USR1 the leader
/// lets the supervisor have the terminal, as a shell's `fg` does.
fn start_in_background(setup: Setup<'_>, slave: RawFd) -> OwnedFd {
    // SAFETY: a set of signals, filled in by the calls; fork as in `Setup::start`; then numbers.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGUSR1);
        match libc::fork() {
            0 => {}
            pid => return process::open(pid).unwrap(),
        }
        libc::signal(libc::SIGTTOU, libc::SIG_IGN);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        libc::setsid();
        libc::ioctl(slave, libc::TIOCSCTTY, 0);
        let supervisor = setup.start_in_group();
        let mut signal = 0;
        libc::sigwait(&raw const set, &raw mut signal);
        libc::tcsetpgrp(slave, supervisor.1);
        libc::kill(-supervisor.1, libc::SIGCONT);
        libc::_exit(ended(&supervisor.0).0)
    }
}

#[test]
fn what_is_typed_while_it_is_in_the_background_is_the_shells() {
    let mut run = typed("echo up; read word; echo got $word; exit 3", start_in_background);
    assert_eq!(line(&mut run.output), "up");
    run.user.write_all(b"ls\n").unwrap();
    assert_eq!(line(&mut run.shell), "ls");
    process::send_signal(run.supervisor.as_fd(), libc::SIGUSR1).unwrap();
    run.user.write_all(b"hello\n").unwrap();
    assert_eq!(line(&mut run.output), "got hello");
    assert_eq!(ended(&run.supervisor), Ended(3));
}
