//! The network stage: leases, forwarding and the two backends' attach, while the child makes its file system.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use async_trait::async_trait;
use ipnet::{IpNet, Ipv4Net};
use jail_net::backend::{Actions, Attached, Backend, Interface, Request, Role};
use jail_net::lease::{self, AddressLease, Holder};
use jail_net::mac::Mac;
use jail_net::model::{Attachment, Egress, JailId, Origin, Publish};
use jail_net::port::{self, Refusal};
use jail_net::store::Store;
use jail_net::{forwarding, host};
use jail_sys::lease::Lease;
use jail_sys::{Failure, Kind};

use super::backends::{self, Backends};
use super::resolve::NetworkPlan;
use crate::journal::{Entry, Journal};
use crate::machine::Machine;
use crate::place::Place;
use crate::plan::Wanted;
use crate::stage::{Child, Stage};

/// The network of one jail on its way up.
#[derive(Debug)]
pub(crate) struct NetworkStage<'a> {
    id: JailId,
    name: String,
    plan: &'a NetworkPlan,
    backends: &'a Backends,
    machine: Machine,
    place: &'a Place,
    leases: Vec<Lease>,
    ports: Vec<OwnedFd>,
    request: Option<Request>,
    interfaces: Vec<Interface>,
}

#[async_trait]
impl Stage for NetworkStage<'_> {
    fn name(&self) -> &'static str {
        "network"
    }

    async fn attach(&mut self, child: &Child<'_>, journal: &mut Journal) -> Result<(), Failure> {
        let Some(netns) = child.netns else {
            let message = "a network of its own needs a network namespace of its own";
            return Err(Failure::new(Kind::Invalid, "network", "attach", self.name.as_str(), message));
        };
        let lock = self.machine.network_lock()?;
        lock.exclusive().await?;
        self.make_bridge().await?;
        let request = self.lease(journal)?;
        lock.shared().await?;
        let (link, firewall) = (&self.backends.link, &self.backends.firewall);
        let (links, rules) = tokio::try_join!(link.plan(&request), firewall.plan(&request))?;
        for (role, plugin, actions) in [(Role::Link, link, &links), (Role::Firewall, firewall, &rules)] {
            let undo = actions.undo.clone();
            journal.write(Entry::Attachment { role, plugin: plugin.path().to_owned(), undo })?;
        }
        self.interfaces = self.apply(&links, &rules, netns).await?.interfaces;
        self.request = Some(request);
        Ok(())
    }

    fn keep(&mut self) -> Vec<OwnedFd> {
        let leases = std::mem::take(&mut self.leases).into_iter().map(Lease::into_fd);
        leases.chain(std::mem::take(&mut self.ports)).collect()
    }
}

impl<'a> NetworkStage<'a> {
    pub(crate) fn new(
        id: JailId,
        name: String,
        plan: &'a NetworkPlan,
        backends: &'a Backends,
        machine: Machine,
        place: &'a Place,
    ) -> Self {
        let (leases, ports, interfaces) = (Vec::new(), Vec::new(), Vec::new());
        NetworkStage { id, name, plan, backends, machine, place, leases, ports, request: None, interfaces }
    }

    /// Link and rules at the same time; but what keeps a jail without egress from other machines on a bridge of
    /// somebody else's are rules for frames of its interface, which must be there.
    async fn apply(
        &self,
        links: &Actions,
        rules: &Actions,
        netns: BorrowedFd<'_>,
    ) -> Result<Attached, Failure> {
        let (link, firewall) = (&self.backends.link, &self.backends.firewall);
        if self.plan.network.origin == Origin::Adopted && self.plan.egress != Egress::Allow {
            let links = link.attach(links, netns).await?;
            return firewall.attach(rules, netns).await.map(|_| links);
        }
        let (links, rules) = tokio::join!(link.attach(links, netns), firewall.attach(rules, netns));
        rules.and(links)
    }

    /// The network as it was asked of the backends, and the interfaces as they are.
    pub(crate) fn outcome(&mut self) -> (Option<Request>, Vec<Interface>) {
        (self.request.take(), std::mem::take(&mut self.interfaces))
    }

    /// After a reboot a network's bridge is not there; the first jail that needs it makes it again.
    async fn make_bridge(&self) -> Result<(), Failure> {
        let network = &self.plan.network;
        if Path::new("/proc/sys/net/ipv4/conf").join(&network.bridge).exists() {
            return Ok(());
        }
        if network.origin == Origin::Ours && self.store().get(&network.name)?.is_none() {
            let object = format!("--net={}", network.name);
            let message = format!("{object}: the network has been removed meanwhile");
            return Err(Failure::new(Kind::NotFound, "network", "attach", object, message)
                .hint("see the networks with: jail net list"));
        }
        self.backends.link.network_up(network).await.map(|_| ())
    }

    /// Takes what only one jail can have, and switches on forwarding. Under the exclusive network lock.
    fn lease(&mut self, journal: &mut Journal) -> Result<Request, Failure> {
        backends::refuse_another(&self.plan.firewall, &self.machine, self.place)?;
        journal.write(Entry::Networked { path: self.machine.networked_file(&self.id) })?;
        let plugins = [&self.plan.link.path, &self.plan.firewall.path];
        self.leases.push(self.machine.networked(&self.id, plugins)?);
        let address = self.address()?;
        self.leases.push(journal.lease(address.lease)?);
        self.ports = port::hold(&self.plan.publish).map_err(|refusal| self.explain(refusal))?;
        let dir = self.machine.forwarding();
        let forward = forwarding::plan(&dir, &self.plan.network, &self.plan.publish, self.plan.egress)?;
        forwarding::apply(&dir, &forward.changes)?;
        Ok(Request {
            jail: self.id.clone(),
            name: self.name.clone(),
            attachments: vec![self.attachment(address.address)?],
            publish: self.plan.publish.clone(),
            egress: self.plan.egress,
            off_limits: self.off_limits()?,
            published: self.published()?,
            forwards: forward.interfaces,
        })
    }

    fn store(&self) -> Store {
        Store::new(&self.place.networks)
    }

    /// Every address of the host's, and every network of ours but the jail's own. A network that cannot be read could
    /// not be kept from a jail that may open connections.
    fn off_limits(&self) -> Result<Vec<IpNet>, Failure> {
        if self.plan.egress != Egress::Deny
            && let Some(mut unreadable) = self.store().unreadable()?.into_iter().next()
        {
            unreadable.message = format!("--egress={}: {}", self.plan.egress, unreadable.message);
            return Err(unreadable);
        }
        let own = self.plan.network.subnet;
        let mut off_limits: Vec<IpNet> =
            host::addresses()?.into_iter().map(|address| address.net.addr().into()).collect();
        let used = self.living()?.into_iter().map(|plan| plan.network);
        let networks = self.store().list()?.into_iter().chain(used);
        off_limits.extend(
            networks
                .filter_map(|other| other.subnet)
                .filter(|subnet| Some(*subnet) != own)
                .map(|subnet| IpNet::V4(subnet.trunc())),
        );
        off_limits.sort_unstable();
        off_limits.dedup();
        Ok(off_limits)
    }

    /// What all jails publish on this host.
    fn published(&self) -> Result<Vec<Publish>, Failure> {
        let others = self.living()?.into_iter().flat_map(|plan| plan.publish);
        let mut published: Vec<Publish> = others.chain(self.plan.publish.iter().cloned()).collect();
        published.sort_unstable_by_key(ToString::to_string);
        published.dedup();
        Ok(published)
    }

    fn address(&self) -> Result<AddressLease, Failure> {
        let holder = Holder { name: self.name.clone(), id: self.id.clone() };
        let mut exclude: Vec<Ipv4Addr> =
            host::addresses()?.iter().filter_map(|address| v4(address.net.addr())).collect();
        exclude.extend(self.plan.gateway);
        let (dir, network) = (self.machine.addresses(), &self.plan.network);
        match self.plan.address {
            Some(address) => lease::take(&dir, network, address, &holder, &exclude),
            None => lease::choose(&dir, network, &holder, &exclude),
        }
    }

    fn attachment(&self, address: Ipv4Addr) -> Result<Attachment, Failure> {
        let network = &self.plan.network;
        let prefix = network.subnet.map_or(32, |subnet| subnet.prefix_len());
        let net = Ipv4Net::new(address, prefix).map_err(|error| {
            Failure::new(Kind::Invalid, "network", "address", address.to_string(), error.to_string())
        })?;
        Ok(Attachment {
            network: network.clone(),
            interface: "eth0".to_owned(),
            host_interface: self.id.link_name(0),
            mac: Mac::of_address(address.into()).to_string(),
            mtu: None,
            addresses: vec![IpNet::V4(net)],
            gateways: self.plan.gateway.map(IpAddr::V4).into_iter().collect(),
        })
    }

    /// The networks of the other jails of this state directory.
    fn living(&self) -> Result<Vec<NetworkPlan>, Failure> {
        let others = self.place.registry().living()?.into_iter().filter(|jail| *jail.id() != self.id);
        Ok(others
            .filter_map(|jail| if let Wanted::Dmz(plan) = jail.plan.network { Some(*plan) } else { None })
            .collect())
    }

    /// A port that is taken, with the jail's name if it is one of ours that has it.
    fn explain(&self, refusal: Refusal) -> Failure {
        let Refusal::InUse { publish, port } = &refusal else { return refusal.into() };
        let (protocol, port) = (publish.protocol, *port);
        let publishes = |plan: &NetworkPlan| {
            plan.publish
                .iter()
                .any(|other| other.protocol == protocol && other.host.ports().any(|taken| taken == port))
        };
        let jails = self.place.registry().living().unwrap_or_default();
        let owner = jails.into_iter().find(|jail| {
            *jail.id() != self.id && matches!(&jail.plan.network, Wanted::Dmz(plan) if publishes(plan))
        });
        let Some(owner) = owner else { return refusal.into() };
        let name = owner.plan.name;
        let object = format!("--publish={publish}");
        let message = format!("{object}: port {port}/{} is published by the jail {name}", protocol.as_str());
        Failure::new(Kind::Conflict, "network", "bind", object, message).hint(format!(
            "choose another port of the host, like -p 8080:{port}, or stop it: jail stop {name}"
        ))
    }
}

fn v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}
