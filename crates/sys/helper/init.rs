//! Pid 1 of the jail: reaps, passes signals on, and ends the jail when its supervisor is gone or its last process ended.

use crate::filter::OF_INIT;
use crate::os::{self, Poll, Whom, signal};
use crate::protocol::{CLD_EXITED, LIFELINE, shell_status};

/// The exit status when the supervisor is gone: as if killed, and that is what happens to everybody else.
const KILLED: i32 = 128 + 9;
const NOT_SET_UP: i32 = 125;
const EVERYBODY: i32 = -1;

/// Runs until the jail ends; the answer is its exit status, that of `payload`.
pub(crate) fn run(payload: i32) -> i32 {
    if os::not_dumpable().is_err() {
        return NOT_SET_UP;
    }
    os::set_name(c"jail-init");
    let all = u64::MAX;
    let Ok(signals) = os::block(all).and_then(|_| os::signalfd(all)) else { return NOT_SET_UP };
    if os::confine(&OF_INIT).is_err() {
        return NOT_SET_UP;
    }
    attend(payload, signals as i32)
}

fn attend(payload: i32, signals: i32) -> i32 {
    let mut status = NOT_SET_UP;
    let mut running = true;
    let mut events = [Poll::new(signals, Poll::IN), Poll::new(LIFELINE, Poll::IN)];
    loop {
        // Before the first wait too: the payload may have ended before we were here.
        loop {
            match os::reap(Whom::Anyone) {
                Ok(Some(dead)) if dead.pid == payload => {
                    status = shell_status(dead.code, dead.status);
                    running = false;
                    // Who interrupts the command means the servers that it started as well.
                    if dead.code != CLD_EXITED {
                        os::kill(EVERYBODY, signal::TERM);
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return status, // no child left: the last process of the jail has ended
            }
        }
        os::poll(&mut events);
        while let Some(signal) = os::next_signal(signals) {
            pass_on(signal, if running { Some(payload) } else { None });
        }
        if events[1].happened != 0 && os::read(LIFELINE, &mut [0]) == Ok(0) {
            return KILLED;
        }
    }
}

/// TERM is for everybody, what a terminal or an administrator sends for the command's process group. When the command has
/// ended and only what it left is running, everything that asks for an end is for everybody.
fn pass_on(signal: i32, payload: Option<i32>) {
    match (signal, payload) {
        (signal::TERM, _) | (signal::HUP | signal::INT | signal::QUIT, None) => {
            os::kill(EVERYBODY, signal::TERM)
        }
        (
            signal::HUP
            | signal::INT
            | signal::QUIT
            | signal::USR1
            | signal::USR2
            | signal::CONT
            | signal::WINCH,
            Some(payload),
        ) => os::kill(-payload, signal),
        _ => {}
    }
}
