//! `jail stop`, `gc` and `backends`.

use std::process::ExitCode;
use std::time::Duration;

use jail_core::network::{self, Support};
use jail_core::{Failure, find};
use serde_json::json;

use super::{Call, block_on, is_root};
use crate::output;

/// Stops them all, also when one of them could not be. Found before the first is stopped: two words may mean one jail.
pub(super) fn stop(call: &Call, jails: &[String], timeout: u64) -> Result<ExitCode, Failure> {
    let patience = Duration::from_secs(timeout);
    let found: Vec<_> = jails.iter().map(|jail| find(&call.place, jail)).collect();
    let mut status = ExitCode::SUCCESS;
    for jail in found {
        if let Err(failure) = jail.and_then(|jail| block_on(jail_core::stop(&call.place, &jail, patience))) {
            status = output::failure(&failure, call.json);
        }
    }
    Ok(status)
}

pub(super) fn gc(call: &Call) -> Result<ExitCode, Failure> {
    let removed = block_on(jail_core::gc(&call.place))?;
    if call.json {
        return output::json(&removed);
    }
    output::lines(removed.iter().map(|thing| format!("removed {thing}")))
}

pub(super) fn backends(call: &Call) -> Result<ExitCode, Failure> {
    let found = block_on(network::backends(&call.place))?;
    let mut lines = Vec::new();
    let mut objects = Vec::new();
    for backend in found {
        let (role, version, usable, why) = match &backend.result {
            // What a backend could do for root, who asks cannot have.
            Ok((about, _)) if !is_root() => {
                let why = "changing the host's links and rules needs root; run it with sudo to see more";
                (Some(about.role), about.version.clone(), false, why.to_owned())
            }
            Ok((about, Support::Yes)) => {
                (Some(about.role), about.version.clone(), true, about.summary.clone())
            }
            Ok((about, Support::No { reason, hint })) => {
                (Some(about.role), about.version.clone(), false, format!("{reason}; {hint}"))
            }
            Err(failure) => (None, String::new(), false, failure.to_string()),
        };
        let path = backend.path.display().to_string();
        let shown = role.map_or("?", |role| role.as_str());
        let answer = if usable { "usable" } else { "not usable" };
        lines.push(format!("{:<10} {shown:<9} {version:<8} {answer}: {why} ({path})", backend.name));
        objects.push(json!({
            "name": backend.name, "role": role, "version": version, "file": path, "usable": usable, "about": why
        }));
    }
    if call.json { output::json(&objects) } else { output::lines(lines) }
}
