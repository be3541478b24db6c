//! `jail doctor`: what this host lacks or what gets in the way, each with its remedy.

use std::process::ExitCode;

use jail_core::{Failure, Finding, State, printable};

use super::{Call, block_on};
use crate::output;

/// Status 1 when something is lacking.
pub(super) fn doctor(call: &Call) -> Result<ExitCode, Failure> {
    let findings = block_on(async { Ok(jail_core::doctor(&call.place).await) })?;
    if call.json {
        output::json(&findings)?;
    } else {
        output::lines(findings.iter().map(line))?;
    }
    let lacking = findings.iter().any(|finding| finding.state == State::Lacks);
    Ok(ExitCode::from(u8::from(lacking)))
}

fn line(finding: &Finding) -> String {
    let Finding { tried, state, found, remedy } = finding;
    let state = match state {
        State::Works => "works",
        State::Partly => "partly",
        State::Lacks => "lacks",
    };
    let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
    printable(&format!("{state:<7} {tried}: {found}{remedy}"))
}
