//! What the supervisor is while the jail runs: passes signals and output on, waits, and then hands over or ends.

use core::ffi::{CStr, c_char};

use crate::arguments::{Copy, End, Supervision, decimal};
use crate::filter::OF_SUPERVISOR;
use crate::os::{self, Poll, Whom, signal};
use crate::raw::Answer;
use crate::protocol::{RELAYS, shell_status};
use crate::relay::{Relay, Way};
use crate::terminal::Terminal;

const NOT_SET_UP: i32 = 125;

/// What is passed on to the jail. CHLD is not among them: the pidfd tells.
const PASSED_ON: u64 = signal::set(&[
    signal::TERM,
    signal::INT,
    signal::HUP,
    signal::QUIT,
    signal::USR1,
    signal::USR2,
    signal::CONT,
    signal::WINCH,
]);

/// Blocked without being read: what would stop or end us answers with an error instead, a write to a closed pipe or
/// the use of a terminal from the background.
const SILENCED: u64 = signal::set(&[signal::PIPE, signal::TTIN, signal::TTOU]);

/// The terminal's two directions, and the other relays.
const COPIES: usize = 2 + RELAYS;

/// What is waited for beside them: signals and the jail's end, the timer.
const OWN: usize = 2;

type Copies = [Option<Relay>; COPIES];

/// Supervises to the end. `arguments` are those that belong to [`Supervision::end`], followed by null; the slot before
/// them is free to use.
///
/// # Safety
/// `arguments` and `environment` must each end with null and point to strings that end with NUL, and the slot before
/// `arguments` must be writable.
pub(crate) unsafe fn run(
    plan: &Supervision,
    arguments: *mut *const c_char,
    environment: *const *const c_char,
) -> ! {
    os::set_name(c"jail");
    // Blocking an ignored signal would bring it back.
    let passed_on = PASSED_ON & !os::ignored(PASSED_ON);
    let Ok(signals) = os::block(passed_on | SILENCED).and_then(|_| os::signalfd(passed_on)) else {
        os::complain(b"jail: the supervisor has no descriptor for signals; the jail ends\n");
        os::exit(NOT_SET_UP)
    };
    let terminal = plan.terminal.map(Terminal::new);
    let (status, timed_out) = wait(plan, signals as i32, terminal.as_ref());
    if let Some(terminal) = &terminal {
        terminal.restore();
    }
    if timed_out {
        os::complain(b"jail: its time was up (--timeout): it has been ended\n");
    }
    match plan.end {
        // SAFETY: the caller's promise.
        End::Finish(program) => unsafe { finish(program, arguments, environment, status) },
        // SAFETY: the caller's promise.
        End::Exit => unsafe { remove(arguments) },
    }
    os::exit(status)
}

/// Waits until the jail has ended and its output is drained; the answer is its status, and whether it ended because its
/// time was up. A user who reads slowly gets all of it, one who asks for an end does not wait for that.
fn wait(plan: &Supervision, signals: i32, terminal: Option<&Terminal>) -> (i32, bool) {
    let mut copies = copies(plan);
    if confine(plan.end).is_err() {
        os::complain(b"jail: the supervisor cannot give up what it does not need; the jail ends\n");
        os::exit(NOT_SET_UP)
    }
    let mut ended = None;
    let mut timed_out = false;
    loop {
        if let Some(status) = ended
            && copies.iter().flatten().all(Relay::is_done)
        {
            return (status, timed_out);
        }
        let alive = |file: i32| if ended.is_none() { Poll::new(file, Poll::IN) } else { Poll::NOTHING };
        let mut events = [[Poll::NOTHING; 2]; OWN + COPIES];
        events[0] = [Poll::new(signals, Poll::IN), alive(plan.init)];
        events[1] = [plan.timer.map_or(Poll::NOTHING, alive), Poll::NOTHING];
        for (event, copy) in events.iter_mut().skip(OWN).zip(&copies) {
            *event = copy.as_ref().map_or([Poll::NOTHING; 2], Relay::polls);
        }
        os::poll(events.as_flattened_mut());
        let [[signalled, exited], [expired, _], ..] = events;
        for (event, copy) in events.iter().skip(OWN).zip(&mut copies) {
            if let Some(copy) = copy {
                copy.advance(*event);
                // Servers that the command left behind have no terminal, but who runs them has.
                if copy.holds_interrupt() && terminal.is_some_and(Terminal::is_deserted) {
                    os::send_signal(plan.init, signal::INT);
                }
            }
        }
        if exited.happened != 0 {
            ended = ended.or_else(|| end_of(plan.init, &mut copies));
        }
        if expired.happened != 0 && ended.is_none() && os::read(expired.file, &mut [0; 8]).is_ok() {
            os::send_signal(plan.init, if timed_out { signal::KILL } else { signal::TERM });
            timed_out = true;
        }
        if signalled.happened != 0 {
            while let Some(signal) = os::next_signal(signals) {
                // Asked anew: who saw the jail end and then sends a signal means us.
                ended = ended.or_else(|| end_of(plan.init, &mut copies));
                match ended {
                    None => pass_on(signal, plan.init, terminal),
                    Some(status) if signal::set(&[signal]) & ENDING != 0 => return (status, timed_out),
                    Some(_) => {}
                }
            }
        }
    }
}

/// `CAP_DAC_OVERRIDE` and `CAP_FOWNER` of capabilities(7): to remove files from a state directory of somebody else's.
const REMOVING: u64 = 1 << 1 | 1 << 3;

/// Gives up what waiting does not take. Descriptors are open by now. A filter would hold for the program that finishes as
/// well, and so would no_new_privs, so one that has such an end only lays down its capabilities: as root's, that program
/// takes them up again.
fn confine(end: End) -> Answer {
    match end {
        End::Finish(_) => os::keep_capabilities(u64::MAX, 0),
        End::Exit => {
            os::bound_capabilities(REMOVING);
            os::keep_capabilities(REMOVING, REMOVING)?;
            os::confine(&OF_SUPERVISOR)
        }
    }
}

/// Ends the copying once the jail has ended.
const ENDING: u64 = signal::set(&[signal::TERM, signal::INT, signal::HUP, signal::QUIT]);

fn copies(plan: &Supervision) -> Copies {
    let mut copies = [const { None }; COPIES];
    if let Some(master) = plan.terminal {
        copies[0] = Some(Relay::new(Copy { from: 0, to: master }, Way::IntoTerminal));
        copies[1] = Some(Relay::new(Copy { from: master, to: 1 }, Way::Out));
    }
    for (place, relay) in copies.iter_mut().skip(2).zip(plan.relays) {
        let way = |copy: Copy| if copy.from == 0 { Way::IntoPipe } else { Way::Out };
        *place = relay.map(|copy| Relay::new(copy, way(copy)));
    }
    copies
}

/// The jail's status, if it has ended: then nothing feeds it any more, and only the rest of its output is copied.
fn end_of(init: i32, copies: &mut Copies) -> Option<i32> {
    let status = status_of(init)?;
    for place in copies {
        match place {
            Some(copy) if copy.is_input() => *place = None,
            Some(copy) => copy.drain(),
            None => {}
        }
    }
    Some(status)
}

/// The jail's status, if it has ended.
fn status_of(init: i32) -> Option<i32> {
    match os::reap(Whom::Pidfd(init)) {
        Ok(dead) => dead.map(|dead| shell_status(dead.code, dead.status)),
        Err(_) => Some(NOT_SET_UP), // not a child of ours
    }
}

fn pass_on(signal: i32, init: i32, terminal: Option<&Terminal>) {
    match (signal, terminal) {
        (signal::WINCH, Some(terminal)) => return terminal.follow_size(), // the kernel tells the jail
        (signal::CONT, Some(terminal)) => terminal.make_raw(), // a shell put it back while we were stopped
        _ => {}
    }
    os::send_signal(init, signal);
}

/// Becomes the program that tears down, with the status as one more argument. Our signals stay blocked across it, so
/// that a second Ctrl-C does not leave things half undone.
unsafe fn finish(
    program: i32,
    arguments: *mut *const c_char,
    environment: *const *const c_char,
    status: i32,
) -> ! {
    let text = decimal(status);
    // SAFETY: by the caller's promise the slot before is writable and null comes after the last: each argument moves one
    // down, and the status takes the last one's place.
    unsafe {
        let argv = arguments.sub(1);
        let mut last = argv;
        while !(*last.add(1)).is_null() {
            *last = *last.add(1);
            last = last.add(1);
        }
        *last = text.as_ptr().cast();
        os::execute(program, argv, environment);
    }
    os::complain(b"jail: cannot execute jail to clear up; something of the jail is left: jail gc removes it\n");
    os::exit(status)
}

/// Removes what the paths name, in order.
unsafe fn remove(mut paths: *const *const c_char) {
    // SAFETY: by the caller's promise null ends the vector and NUL each string.
    unsafe {
        while !(*paths).is_null() {
            os::remove(CStr::from_ptr(*paths));
            paths = paths.add(1);
        }
    }
}
