//! `jail plan`, and the way from what was typed to a spec, which `run` goes as well.

use std::process::ExitCode;

use jail_core::spec::{FilterSpec, Net, SeccompSpec};
use jail_core::{Failure, Plan, Spec};

use super::view::view_of;
use super::{Call, block_on, is_root, need_root_for};
use crate::args::Run;
use crate::output;

pub(super) fn plan(call: &Call, run: Run) -> Result<ExitCode, Failure> {
    let spec = spec_of(call, run)?;
    if matches!(spec.network.net, Net::On(_)) {
        need_root_for("planning a network, which looks at what only root may see,")?;
    }
    let planned = block_on(Plan::make(&spec, &call.place))?;
    if !is_root() && !call.quiet {
        output::say("jail: this is planned from what you can see of the host; running it needs root");
    }
    if call.json {
        return output::json(&planned.plan);
    }
    let mut lines = planned.plan.lines();
    let doors = planned.plan.view.doors();
    if !doors.is_empty() {
        lines.push("sockets and FIFOs of the host's that it can use".to_owned());
        lines.extend(doors.into_iter().map(|line| format!("  {line}")));
    }
    output::lines(lines)
}

/// What was typed, as a spec.
pub(super) fn spec_of(call: &Call, run: Run) -> Result<Spec, Failure> {
    let mut spec = Spec::default();
    spec.view = view_of(&run)?;
    spec.filter = FilterSpec { seccomp: seccomp_of(&run.seccomp)?, ..FilterSpec::default() };
    spec.network.net = match run.net.as_str() {
        "none" => Net::None,
        "host" => Net::Host,
        name => Net::On(name.to_owned()),
    };
    spec.network.ip = run.ip;
    spec.network.gateway = run.defaultgw;
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
