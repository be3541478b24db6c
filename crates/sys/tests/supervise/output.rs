//! The jail's output, to readers of all kinds.

use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};

use jail_sys::call::process::{self, Ended};

use crate::stand_in::{Setup, ended, line, relayed, until_ended};

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
    let mut run = relayed("echo up; exec cat /dev/zero");
    assert_eq!(line(&mut run.output), "up");
    process::send_signal(run.supervisor.as_fd(), libc::SIGTERM).unwrap();
    drop(run.outside);
    run.output.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(ended(&run.supervisor), Ended(128 + libc::SIGTERM));
}

#[test]
fn a_jail_that_passed_its_output_out_is_not_waited_for() {
    let mut run = relayed("head -c 300000 /dev/zero; exit 4");
    let mut bytes = Vec::new();
    run.output.read_to_end(&mut bytes).unwrap();
    assert_eq!((bytes.len(), ended(&run.supervisor)), (300_000, Ended(4)));
    drop(run.outside);
}

#[test]
fn who_goes_on_writing_outside_is_not_waited_for() {
    let mut run = relayed("head -c 300000 /dev/zero; exit 4");
    let mut outside = run.outside;
    // Ends with a broken pipe once the supervisor is gone.
    let writer = std::thread::spawn(move || while outside.write_all(&[1; 4096]).is_ok() {});
    run.output.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(ended(&run.supervisor), Ended(4));
    writer.join().unwrap();
}

#[test]
fn a_full_disk_is_not_the_end_of_the_output() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let (from_jail, jail) = std::io::pipe().unwrap();
    let mut setup = Setup::new("head -c 300000 /dev/zero || exit 5; exit 4");
    setup.jail = [None, Some(jail.as_raw_fd()), None];
    setup.own = [None, Some(full.as_raw_fd())];
    setup.close = vec![jail.as_raw_fd()];
    setup.relays = vec![(from_jail.as_raw_fd(), 1)];
    assert_eq!(ended(&setup.start()), Ended(4));
}

#[test]
fn output_that_nobody_reads_is_waited_for_until_a_signal_says_not_to() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT] {
        let mut run = relayed("echo $$; exec cat /dev/zero");
        let pid = line(&mut run.output);
        process::send_signal(run.supervisor.as_fd(), libc::SIGTERM).unwrap();
        until_ended(&pid);
        process::send_signal(run.supervisor.as_fd(), signal).unwrap();
        assert_eq!(ended(&run.supervisor), Ended(128 + libc::SIGTERM));
    }
}
