//! What of the host's network is not the jail's: the host's addresses, other networks, what other jails publish.

use std::collections::BTreeSet;

use ipnet::IpNet;
use jail_net::host;
use jail_net::model::{Egress, JailId, Network, Publish};
use jail_net::port::{self, Refusal};
use jail_net::store::Store;
use jail_sys::{Failure, Kind};

use super::plan::NetworkPlan;
use crate::place::Place;
use crate::plan::Wanted;

/// The host and its other jails, as one jail sees them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Others<'a> {
    pub(super) place: &'a Place,
    pub(super) id: &'a JailId,
}

impl Others<'_> {
    /// Every address of the host's, and every bridge network of ours but those the jail has an address on; what is
    /// beside a parent is the LAN. A network that cannot be read could not be kept from a jail that may open connections.
    pub(super) fn off_limits(&self, plan: &NetworkPlan) -> Result<Vec<IpNet>, Failure> {
        let store = Store::new(&self.place.networks);
        if plan.egress != Egress::Deny
            && let Some(mut unreadable) = store.unreadable()?.into_iter().next()
        {
            unreadable.message = format!("--egress={}: {}", plan.egress, unreadable.message);
            return Err(unreadable);
        }
        let own = plan.attachments.iter().filter(|attachment| attachment.has_address());
        let own: BTreeSet<_> = own.map(|attachment| attachment.network.subnet).collect();
        let mut off_limits: BTreeSet<IpNet> =
            host::addresses()?.into_iter().map(|address| address.net.addr().into()).collect();
        let used = self.living()?.into_iter().flat_map(|(_, plan)| plan.attachments);
        let networks = store.list()?.into_iter().chain(used.map(|attachment| attachment.network));
        let bridged = networks.filter(|network: &Network| network.bridge().is_some());
        let others =
            bridged.filter(|network| !own.contains(&network.subnet)).filter_map(|network| network.subnet);
        off_limits.extend(others.map(|subnet| IpNet::V4(subnet.trunc())));
        Ok(off_limits.into_iter().collect())
    }

    /// What all jails publish on this host.
    pub(super) fn published(&self, plan: &NetworkPlan) -> Result<Vec<Publish>, Failure> {
        let others = self.living()?.into_iter().flat_map(|(_, plan)| plan.publish);
        let mut published: Vec<Publish> = others.chain(plan.publish.iter().cloned()).collect();
        published.sort_unstable_by_key(ToString::to_string);
        published.dedup();
        Ok(published)
    }

    /// The other jails of this state directory that have a network, by name.
    fn living(&self) -> Result<Vec<(String, NetworkPlan)>, Failure> {
        let others = self.place.registry().living()?.into_iter().filter(|jail| jail.id() != self.id);
        Ok(others
            .filter_map(|jail| match jail.plan.network {
                Wanted::Dmz(plan) => Some((jail.plan.name, *plan)),
                _ => None,
            })
            .collect())
    }

    /// A port that is taken, with the jail's name if it is one of ours that has it, and another that is free. `beside` is
    /// all that was to be published.
    pub(super) fn explain(&self, refusal: Refusal, beside: &[Publish]) -> Failure {
        let Refusal::InUse { publish, port } = &refusal else { return refusal.into() };
        let (protocol, port) = (publish.protocol, *port);
        let another = port::another(publish, port, beside);
        let publishes = |plan: &NetworkPlan| {
            plan.publish
                .iter()
                .any(|other| other.protocol == protocol && other.host.ports().any(|taken| taken == port))
        };
        let owner = self.living().unwrap_or_default().into_iter().find(|(_, plan)| publishes(plan));
        let failure = match owner {
            None => Failure::from(refusal),
            Some((name, _)) => {
                let object = format!("--publish={publish}");
                let message =
                    format!("{object}: port {port}/{} is published by the jail {name}", protocol.as_str());
                Failure::new(Kind::Conflict, "network", "bind", object, message)
                    .hint(format!("stop it: jail stop {name}"))
            }
        };
        let Some(another) = another else { return failure };
        let hint = format!("choose another port of the host, like -p {another}, or {}", failure.hint);
        failure.hint(hint)
    }
}
