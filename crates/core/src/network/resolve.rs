//! What `--net` and the other network options come to: interfaces, backends, nothing taken yet.

use std::path::PathBuf;

use jail_net::model::Egress;
use jail_net::port;
use jail_net::store::Store;
use jail_sys::{Failure, Kind};

use super::backends::{Backends, Choice, reference};
use super::interface::{choose_default_route, decide, refuse_contradictions, refuse_together};
use super::plan::NetworkPlan;
use crate::place::Place;
use crate::spec::{InterfaceSpec, Net, NetworkSpec, Spec};

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Decides the network of a jail with these interfaces.
pub(crate) async fn resolve(
    asked: &[InterfaceSpec],
    spec: &Spec,
    place: &Place,
) -> Result<(NetworkPlan, Backends), Failure> {
    refuse_contradictions(asked)?;
    port::refuse_twice(&spec.network.publish)?;
    let store = Store::new(&place.networks);
    let mut choice = Choice::load(&spec.backends, place)?;
    let mut attachments = Vec::new();
    for (index, wanted) in asked.iter().enumerate() {
        let network = choice.network(&wanted.net, &store).await?;
        attachments.push(decide(index, wanted, network, &spec.network, &store)?);
    }
    refuse_together(&attachments, asked)?;
    choose_default_route(&mut attachments, asked);
    let backends = choice.with_firewall().await?;
    let plan = NetworkPlan {
        attachments,
        firewall: reference(&backends.firewall),
        dns: spec.network.dns.clone(),
        publish: spec.network.publish.clone(),
        egress: spec.network.egress.unwrap_or_default(),
    };
    refuse_unreachable(&plan)?;
    Ok((plan, backends))
}

/// Ports that could lead nowhere, and connections that nothing could open.
fn refuse_unreachable(plan: &NetworkPlan) -> Result<(), Failure> {
    let refused = |option: String, why: String, hint: &str| {
        let message = format!("{option}: {why}");
        Err(Failure::new(Kind::Invalid, "network", "resolve", option, message).hint(hint))
    };
    if plan.published_at().is_none()
        && let Some(publish) = plan.publish.first()
    {
        let option = format!("--publish={publish}");
        return match plan.attachments.iter().find(|attachment| !attachment.is_on_bridge()) {
            Some(parent) if !plan.attachments.iter().any(|attachment| attachment.is_on_bridge()) => {
                let (name, on) = (&parent.interface, parent.network.interface());
                let why =
                    format!("what goes to {name}, beside the host's {on}, never passes the host's firewall");
                refused(
                    option,
                    why,
                    "reach the jail by its own address, or give it a bridge as well: --net=BRIDGE",
                )
            }
            _ => {
                let why = "no interface on a bridge has an address it could lead to (--ip=none)".to_owned();
                refused(option, why, "leave --ip=none away")
            }
        };
    }
    if plan.egress != Egress::Deny && !plan.attachments.iter().any(|attachment| attachment.has_address()) {
        let why = "the jail has no address to open a connection from (--ip=none)".to_owned();
        return refused(format!("--egress={}", plan.egress), why, "leave one of them out");
    }
    Ok(())
}

/// Options that mean nothing without an interface are refused rather than passed over.
pub(crate) fn refuse_addresses(spec: &NetworkSpec) -> Result<(), Failure> {
    let option = if let Some(publish) = spec.publish.first() {
        format!("--publish={publish}")
    } else if let Some(egress) = spec.egress {
        format!("--egress={egress}")
    } else if spec.no_probe {
        "--no-probe".to_owned()
    } else {
        return Ok(());
    };
    let message = format!("{option}: it needs a network of the jail's own");
    Err(Failure::new(Kind::Usage, "network", "parse", option, message)
        .hint("give it one with --net=BRIDGE or --net=NETWORK"))
}

/// The files inside that come from the network options.
pub(crate) fn files(spec: &NetworkSpec) -> Option<(PathBuf, String)> {
    let content = if spec.dns.is_empty() {
        hosts_resolver(&spec.net)?
    } else {
        spec.dns.iter().map(|server| format!("nameserver {server}\n")).collect()
    };
    Some((PathBuf::from(RESOLV_CONF), content))
}

/// What the host's resolv.conf says, where it leads into /run, of which a jail sees nothing; otherwise it is shown as it
/// is. A resolver on the host's loopback is none of a jail's that has its own: systemd-resolved keeps beside that what
/// it asks itself (systemd-resolved.service(8), "/etc/resolv.conf").
fn hosts_resolver(net: &Net) -> Option<String> {
    let file = std::fs::canonicalize(RESOLV_CONF).ok().filter(|file| file.starts_with("/run"))?;
    let stub = file.ends_with("systemd/resolve/stub-resolv.conf");
    match net {
        Net::None => None,
        Net::On(_) if stub => std::fs::read_to_string(file.with_file_name("resolv.conf")).ok(),
        _ => std::fs::read_to_string(file).ok(),
    }
}
