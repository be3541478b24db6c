//! The command `jail`: what was typed becomes a spec, what came of it a sentence and an exit status.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    if let Some(status) = commands::finish::asked() {
        return status;
    }
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return output::usage(&error),
    };
    let json = args.json;
    match commands::run(args) {
        Ok(status) => status,
        Err(failure) => output::failure(&failure, json),
    }
}
