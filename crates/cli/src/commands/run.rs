//! `jail run`: starts a jail and becomes its supervisor, here or in the background.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::process::ExitCode;

use jail_core::{Failure, Plan, Running, Spec, Streams, start};
use jail_sys::call::process::{self, Side};
use nix::sys::signal::{SigmaskHow, Signal, pthread_sigmask};
use nix::unistd::{isatty, tcgetpgrp};
use serde_json::json;

use super::{Call, block_on, finish, plan::spec_of};
use crate::args::Run;
use crate::output;

pub(super) fn run(call: &Call, run: Run) -> Result<ExitCode, Failure> {
    let detach = run.identity.detach;
    let spec = spec_of(call, run)?;
    hold_signals(SigmaskHow::SIG_BLOCK)?;
    // Opened now: by the end of the jail the file may have been replaced.
    let program = File::open("/proc/self/exe").map_err(|error| {
        Failure::call("command", "open", "/proc/self/exe", &error).hint("jail needs /proc mounted")
    })?;
    if detach {
        return in_background(call, &spec, &program);
    }
    if !call.quiet && types_into_nothing() {
        output::say(
            "jail: standard input is the terminal of another session (su -c, setsid): nothing is read from it",
        );
    }
    let running = bring_up(call, &spec, Streams::Caller)?;
    Err(supervise(call, running, &program))
}

/// Whether standard input is a terminal of which nobody can tell whether it is ours to read from: see tcgetpgrp(3).
fn types_into_nothing() -> bool {
    isatty(io::stdin()).unwrap_or(false) && tcgetpgrp(io::stdin()).is_err()
}

/// What would end us while the host has half of a jail waits until it has all of it: the supervisor, which has the same
/// signals, passes it on to the jail then.
fn hold_signals(how: SigmaskHow) -> Result<(), Failure> {
    use Signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    let ending = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];
    let held = pthread_sigmask(how, Some(&ending.into_iter().collect()), None);
    held.map_err(|errno| Failure::call("command", "sigprocmask", "jail", &errno.into()))
}

fn bring_up(call: &Call, spec: &Spec, streams: Streams) -> Result<Running, Failure> {
    let running = block_on(async {
        let mut planned = Plan::make(spec, &call.place).await?;
        if call.debug {
            planned.tell(output::step);
        }
        start(&planned, &call.place, streams, &mut []).await
    })?;
    if !call.quiet && !call.json {
        output::table(&running);
    }
    Ok(running)
}

/// Stays as the small supervisor; comes back only with the reason why it could not.
fn supervise(call: &Call, running: Running, program: &File) -> Failure {
    let failure = running.hand_over(program, &finish::arguments(call, &running.plan().name));
    // Why it could not be supervised is the one to tell.
    let _ = block_on(running.end());
    failure
}

/// Starts the jail in a process of its own, and waits only until its command runs or could not be run.
fn in_background(call: &Call, spec: &Spec, program: &File) -> Result<ExitCode, Failure> {
    let failed =
        |operation: &'static str, error: io::Error| Failure::call("command", operation, "--detach", &error);
    let (result, tell) = io::pipe().map_err(|error| failed("pipe2", error))?;
    match process::fork().map_err(|error| failed("fork", error))? {
        Side::Parent { .. } => {
            drop(tell);
            hold_signals(SigmaskHow::SIG_UNBLOCK)?; // the start is no longer ours
            let name = read_result(result)?;
            let told =
                if call.json { output::json(&json!({ "name": name })) } else { output::lines([&name]) };
            if told.is_err() {
                output::say(&format!(
                    "jail: the jail {name} runs; its name could not be written to standard output"
                ));
            }
            Ok(ExitCode::SUCCESS)
        }
        Side::Child => {
            drop(result);
            // It leads no process group yet, so this cannot fail.
            process::new_session().map_err(|error| failed("setsid", error))?;
            let failure = match bring_up(call, spec, Streams::Null) {
                Ok(running) => {
                    report(tell, &Ok(running.plan().name.clone()));
                    let_go_of_the_terminal()?;
                    supervise(call, running, program)
                }
                Err(failure) => {
                    report(tell, &Err(failure));
                    return Ok(ExitCode::from(125));
                }
            };
            Err(failure)
        }
    }
}

/// What became of the start, from the background to who waits for it.
fn report(mut tell: PipeWriter, result: &Result<String, Failure>) {
    // Who is not there to read it does not miss it.
    let _ = serde_json::to_vec(result).map_err(io::Error::from).and_then(|text| tell.write_all(&text));
}

fn read_result(mut result: PipeReader) -> Result<String, Failure> {
    let failed = |error: io::Error| {
        Failure::call("command", "read", "--detach", &error)
            .hint("the process that started it was ended by somebody")
    };
    let mut text = Vec::new();
    result.read_to_end(&mut text).map_err(failed)?;
    serde_json::from_slice::<Result<String, Failure>>(&text).map_err(|error| failed(error.into()))?
}

/// The supervisor holds none of the caller's descriptors, for a pipe that is waited on must come to its end, and keeps no
/// file system from being unmounted.
fn let_go_of_the_terminal() -> Result<(), Failure> {
    std::env::set_current_dir("/").map_err(|error| Failure::call("command", "chdir", "/", &error))?;
    let null = File::options().read(true).write(true).open("/dev/null");
    let failed = |error: io::Error| Failure::call("command", "open", "/dev/null", &error);
    let null = null.map_err(failed)?;
    nix::unistd::dup2_stdin(&null)
        .and_then(|()| nix::unistd::dup2_stdout(&null))
        .and_then(|()| nix::unistd::dup2_stderr(&null))
        .map_err(|errno| failed(errno.into()))
}
