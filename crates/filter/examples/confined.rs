//! Runs a program with the default filter, capabilities and limits, and nothing else of a jail. Needs root.
//!
//! ```text
//! cargo run -p jail-filter --example confined -- [--seccomp=LIST] /PATH/TO/PROGRAM [ARG]...
//! ```

use std::ffi::{CString, OsString};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use jail_filter::{FilterSpec, plan};
use jail_sys::op::{Op, Program, Step};
use jail_sys::{Failure, Kind, call, launch};

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1).collect()) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            // Nobody is left to tell when stderr is closed.
            let _ = writeln!(io::stderr(), "confined: {failure}");
            ExitCode::from(125)
        }
    }
}

fn run(mut arguments: Vec<OsString>) -> Result<u8, Failure> {
    let mut spec = FilterSpec::default();
    let option = arguments.first().and_then(|first| first.to_str()?.strip_prefix("--seccomp="));
    if let Some(seccomp) = option.map(str::parse) {
        spec.seccomp = seccomp?;
        arguments.remove(0);
    }
    let argv = strings(arguments)?;
    let environment = std::env::vars_os().map(|(name, value)| [name, value].join("=".as_ref())).collect();
    let Some(program) = argv.first().cloned() else {
        return Err(wrong("there is no program to run"));
    };

    let mut steps = vec![Step::new("command", "signals", Op::ResetSignals)];
    steps.extend(plan(&spec)?.steps()?);
    let object = program.to_string_lossy().into_owned();
    let exec = Op::Exec { paths: vec![program], argv, envp: strings(environment)? };
    steps.push(Step::new("command", object.clone(), exec));

    let started = launch::launch(Program { steps }, 0)?.outcome()?;
    let ended = call::process::wait(started.pidfd.as_fd())
        .map_err(|error| Failure::call("command", "waitid", object, &error))?;
    Ok(u8::try_from(ended.0).unwrap_or(u8::MAX))
}

fn strings(texts: Vec<OsString>) -> Result<Vec<CString>, Failure> {
    texts
        .into_iter()
        .map(|text| CString::new(text.into_vec()).map_err(|error| wrong(&error.to_string())))
        .collect()
}

fn wrong(message: &str) -> Failure {
    Failure::new(Kind::Usage, "command", "parse", "PROGRAM", message)
}
