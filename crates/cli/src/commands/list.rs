//! `jail list`, `tree` and `inspect`: what runs.

use std::process::ExitCode;

use jail_core::{Failure, Process, Registered, Wanted, find, listening, printable, trees, unanswered};
use serde_json::{Value, json};

use super::Call;
use crate::output;

pub(super) fn list(call: &Call) -> Result<ExitCode, Failure> {
    let jails = all(call)?;
    if call.json {
        return output::json(&jails.iter().map(describe).collect::<Vec<_>>());
    }
    output::lines(jails.iter().map(line))
}

/// Every jail that lives. Of those that cannot be shown it is said why.
fn all(call: &Call) -> Result<Vec<Registered>, Failure> {
    let registry = call.place.registry();
    let jails = registry.living()?;
    let left_behind = if call.quiet { Vec::new() } else { registry.left_behind()? };
    for failure in registry.unreadable()?.iter().chain(&left_behind) {
        output::say_why(failure);
    }
    Ok(jails)
}

pub(super) fn tree(call: &Call, jail: Option<&str>) -> Result<ExitCode, Failure> {
    let jails = match jail {
        Some(jail) => vec![find(&call.place, jail)?],
        None => all(call)?,
    };
    let trees = trees(&jails);
    if call.json {
        let tree = |(jail, processes): (&Registered, &Vec<Process>)| {
            let mut jail = describe(jail);
            jail["processes"] = processes
                .iter()
                .map(|process| {
                    json!({"pid": process.pid, "user": process.user, "command": process.command, "depth": process.depth})
                })
                .collect();
            jail
        };
        return output::json(&jails.iter().zip(&trees).map(tree).collect::<Vec<_>>());
    }
    let mut lines = Vec::new();
    for (jail, processes) in jails.iter().zip(trees) {
        lines.push(line(jail));
        // The first is the jail's init, whose line the jail's own is.
        lines.extend(processes.iter().skip(1).map(|process| {
            format!(
                "{}{}:{}:{}",
                "  ".repeat(process.depth.max(1)),
                process.pid,
                process.user,
                process.command
            )
        }));
    }
    output::lines(lines)
}

pub(super) fn inspect(call: &Call, jail: &str) -> Result<ExitCode, Failure> {
    let jail = find(&call.place, jail)?;
    let mut all = describe(&jail);
    all["plan"] = serde_json::to_value(&jail.plan).unwrap_or_default();
    all["lines"] = json!(jail.plan.lines());
    let jails = [jail];
    let listening = trees(&jails).pop().map_or_else(Vec::new, |processes| listening(&jails[0], &processes));
    all["unanswered"] = json!(unanswered(&jails[0], &listening));
    all["listening"] = json!(listening);
    output::json(&all)
}

/// `PID:USER:NAME:COMMAND`.
fn line(jail: &Registered) -> String {
    let pid = jail.status.as_ref().map_or_else(|| "-".to_owned(), |status| status.pid.to_string());
    format!("{pid}:{}:{}:{}", printable(&jail.plan.user.name), jail.plan.name, printable(&jail.plan.command))
}

/// Everything `list --json` tells of a jail.
fn describe(jail: &Registered) -> Value {
    let status = jail.status.as_ref();
    let firewall = match &jail.plan.network {
        Wanted::Dmz(network) => Some(&network.firewall.name),
        _ => None,
    };
    json!({
        "id": jail.plan.id,
        "name": jail.plan.name,
        "pid": status.map(|status| status.pid),
        "user": jail.plan.user.name,
        "userns": jail.plan.userns,
        "command": jail.plan.command,
        "started": status.map(|status| &status.started),
        "state": jail.state(),
        "namespaces": status.map(|status| &status.namespaces),
        "network": interfaces(jail),
        "firewall": firewall,
    })
}

fn interfaces(jail: &Registered) -> Vec<Value> {
    let (Wanted::Dmz(network), Some(status)) = (&jail.plan.network, &jail.status) else { return Vec::new() };
    let Some(request) = &status.request else { return Vec::new() };
    let attachments = request.attachments.iter().zip(&network.attachments).zip(&status.interfaces);
    let published_at = network.published_at().map(|planned| &planned.interface);
    let described = attachments.map(|((attachment, planned), interface)| {
        let published = request.publish.iter().filter(|_| published_at == Some(&attachment.interface));
        json!({
            "interface": interface.name,
            "backend": planned.link.name,
            "bridge": attachment.network.bridge(),
            "mac": interface.mac,
            "mtu": interface.mtu,
            "addresses": attachment.addresses,
            "gateway": planned.gateway,
            "published": published.collect::<Vec<_>>(),
            "egress": request.egress.to_string(),
        })
    });
    described.collect()
}
