//! `jail plan`, and the way from what was typed to a spec, which `run` goes as well.

use std::process::ExitCode;

use jail_core::spec::Net;
use jail_core::{Failure, Plan, Spec};

use super::confine::filter_of;
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
    spec.view = view_of(&run.files)?;
    spec.filter = filter_of(&run.filter)?;
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
    spec.identity.hostname = run.identity.hostname;
    spec.identity.user = run.identity.user;
    spec.identity.env = run.identity.env;
    spec.identity.rmenv = run.identity.rmenv;
    spec.identity.cwd = run.identity.cwd;
    spec.identity.timeout = run.identity.timeout;
    spec.identity.userns = run.identity.userns;
    spec.name = run.identity.name;
    spec.command = run.command;
    Ok(spec)
}
