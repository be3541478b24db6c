//! The command `jail`: what was typed becomes a spec, what came of it a sentence and an exit status.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod output;
mod usage;

use std::process::ExitCode;

use jail_core::Failure;
use jail_sys::call::process::{keep_ended_children, outlive_file_limit};

fn main() -> ExitCode {
    // Before anything is started: what started us may have left SIGCHLD ignored, and then no child could be waited for.
    if let Err(error) = keep_ended_children() {
        return output::failure(&Failure::call("state", "sigaction", "SIGCHLD", &error), false);
    }
    // A file that cannot be written is an error like any other, after which nothing is left.
    if let Err(error) = outlive_file_limit() {
        return output::failure(&Failure::call("state", "sigaction", "SIGXFSZ", &error), false);
    }
    if let Some(status) = commands::finish::asked() {
        return status;
    }
    let args = match usage::read(std::env::args_os()) {
        Ok(args) => args,
        Err(wrong) => return output::usage(&wrong),
    };
    let json = args.json;
    match commands::run(args) {
        Ok(status) => status,
        Err(failure) => output::failure(&failure, json),
    }
}
