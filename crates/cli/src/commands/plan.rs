//! `jail plan`, and the way from what was typed to a spec, which `run` goes as well.

use std::process::ExitCode;

use jail_core::spec::Net;
use jail_core::{Failure, KeptFd, Plan, Spec};
use serde::Serialize;

use super::confine::filter_of;
use super::interfaces::net_of;
use super::view::view_of;
use super::{Call, block_on, need_root_for};
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
    if call.json {
        return output::json(&Shown { plan, changes });
    }
    let mut lines = plan.lines();
    lines.extend(part("changes on the host", changes));
    lines.extend(part("sockets and FIFOs of the host's that it can use", plan.doors()));
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
    // First of all: nothing of ours is open yet that could have such a number.
    spec.identity.keep_fds = KeptFd::list(run.identity.keep_fd.iter().map(String::as_str))?;
    spec.view = view_of(&run.files)?;
    spec.filter = filter_of(&run.filter)?;
    spec.network.net = net_of(&run.net.0)?;
    spec.network.no_probe = run.no_probe;
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
