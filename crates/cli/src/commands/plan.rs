//! `jail plan`, and the way from what was typed to a spec, which `run` goes as well.

use std::process::ExitCode;

use jail_core::spec::{FilterSpec, Net, SeccompSpec};
use jail_core::{Failure, Plan, Spec};
use serde::Serialize;

use super::interfaces::net_of;
use super::view::view_of;
use super::{Call, block_on, is_root, need_root_for};
use crate::args::Run;
use crate::output;

pub(super) fn plan(call: &Call, run: Run) -> Result<ExitCode, Failure> {
    let spec = spec_of(call, run)?;
    if matches!(spec.network.net, Net::On(_)) {
        need_root_for("planning a network, which looks at what only root may see,")?;
    }
    let (plan, changes) = block_on(async {
        let planned = Plan::make(&spec, &call.place).await?;
        let changes = planned.changes(&call.place).await?;
        Ok((planned.plan, changes))
    })?;
    if !is_root() && !call.quiet {
        output::say("jail: this is planned from what you can see of the host; running it needs root");
    }
    if call.json {
        return output::json(&Shown { plan, changes });
    }
    let mut lines = plan.lines();
    lines.extend(part("changes on the host", changes));
    lines.extend(part("sockets and FIFOs of the host's that it can use", plan.view.doors()));
    output::lines(lines)
}

/// Lines below a heading; nothing where there are none.
fn part(heading: &str, lines: Vec<String>) -> Vec<String> {
    let heading = if lines.is_empty() { None } else { Some(heading.to_owned()) };
    heading.into_iter().chain(lines.into_iter().map(|line| format!("  {line}"))).collect()
}

/// A plan as `--json` shows it.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    plan: Plan,
    /// What a start would change on the host's network, in words.
    changes: Vec<String>,
}

/// What was typed, as a spec.
pub(super) fn spec_of(call: &Call, run: Run) -> Result<Spec, Failure> {
    let mut spec = Spec::default();
    spec.view = view_of(&run)?;
    spec.filter = FilterSpec { seccomp: seccomp_of(&run.seccomp)?, ..FilterSpec::default() };
    spec.network.net = net_of(&run.net.0)?;
    spec.network.no_probe = run.no_probe;
    spec.network.dns = run.dns;
    spec.network.publish = run.publish;
    spec.network.egress = run.egress;
    spec.backends = call.backends.clone();
    spec.name = run.name;
    spec.command = run.command;
    Ok(spec)
}

/// Every `--seccomp` given, together; a bare one is the default.
fn seccomp_of(given: &[String]) -> Result<SeccompSpec, Failure> {
    let lists: Vec<&str> = given.iter().map(String::as_str).filter(|list| !list.is_empty()).collect();
    if lists.is_empty() { Ok(SeccompSpec::default()) } else { lists.join(",").parse() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_seccomp_is_the_default() {
        assert_eq!(seccomp_of(&[String::new()]).unwrap(), SeccompSpec::default());
        assert_eq!(seccomp_of(&["none".to_owned()]).unwrap(), SeccompSpec::Off);
        assert!(seccomp_of(&["no_such_call".to_owned()]).is_err());
    }
}
