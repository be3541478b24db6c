//! The network stage: leases, forwarding and the backends' attach, while the child makes its file system.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;

use async_trait::async_trait;
use ipnet::{IpNet, Ipv4Net};
use jail_net::backend::{Backend, Interface, Request, Taken};
use jail_net::forwarding::{self, Forwarding};
use jail_net::model::{Attachment, JailId};
use jail_net::store::Store;
use jail_net::{host, port};
use jail_sys::{Failure, Kind};

use super::backends::{self, Backends};
use super::claims::Claims;
use super::interface::refuse_down;
use super::others::Others;
use super::plan::{AttachmentPlan, NetworkPlan};
use super::work::Work;
use crate::journal::Journal;
use crate::machine::Machine;
use crate::place::Place;
use crate::spec::Ip;
use crate::stage::{Child, Stage};

/// How many addresses that others use are tried before it is said so: some routers answer for all there are (proxy ARP).
const MOST_TRIED: usize = 8;

/// The network of one jail on its way up.
#[derive(Debug)]
pub(crate) struct NetworkStage<'a> {
    id: JailId,
    name: String,
    plan: &'a NetworkPlan,
    backends: &'a Backends,
    machine: Machine,
    place: &'a Place,
    claims: Claims,
    request: Option<Request>,
    interfaces: Vec<Interface>,
    done: Vec<String>,
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
        self.make_bridges().await?;
        self.plan.attachments.iter().try_for_each(|attachment| refuse_down(&attachment.network))?;
        let (request, forwarding) = self.request(journal)?;
        lock.shared().await?;
        let mut work = Work::plan(self.plan, self.backends, request, journal).await?;
        if work.asks() {
            // Nobody else's start is to wait for our question: what it is about is leased.
            lock.release()?;
        }
        let another = |request: &mut _, taken: &_, journal: &mut _| self.replace(request, taken, journal);
        self.interfaces = work.attach_links(netns, journal, another).await?;
        lock.shared().await?;
        work.attach_rules(netns).await?;
        // Only now: without the rules the host would be a router for everybody.
        forwarding::apply(&self.machine.forwarding(), &forwarding.changes)?;
        self.done = work.words();
        self.request = Some(work.request);
        Ok(())
    }

    fn keep(&mut self) -> Vec<OwnedFd> {
        self.claims.files()
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
        let claims = Claims::new(machine.clone(), &name, &id);
        let (request, interfaces, done) = (None, Vec::new(), Vec::new());
        NetworkStage { id, name, plan, backends, machine, place, claims, request, interfaces, done }
    }

    /// What the backends have done, in their own words.
    pub(crate) fn done(&self) -> impl Iterator<Item = &str> {
        self.done.iter().map(String::as_str)
    }

    /// The network as it was asked of the backends, and the interfaces as they are.
    pub(crate) fn outcome(&mut self) -> (Option<Request>, Vec<Interface>) {
        (self.request.take(), std::mem::take(&mut self.interfaces))
    }

    /// After a reboot a network's bridge is not there; the first jail that needs it makes it again.
    async fn make_bridges(&self) -> Result<(), Failure> {
        for attachment in &self.plan.attachments {
            let network = &attachment.network;
            let link = self.backends.links.iter().find(|link| link.describe().name == attachment.link.name);
            let Some(link) = link.filter(|_| !host::has_interface(network.interface())) else { continue };
            if network.is_ours() && Store::new(&self.place.networks).get(&network.name)?.is_none() {
                let object = format!("--net={}", network.name);
                let message = format!("{object}: the network has been removed meanwhile");
                return Err(Failure::new(Kind::NotFound, "network", "attach", object, message)
                    .hint("see the networks with: jail net list"));
            }
            link.network_up(network).await?;
        }
        Ok(())
    }

    /// Takes what only one jail can have, and looks at what must be forwarded. Under the exclusive network lock.
    fn request(&mut self, journal: &mut Journal) -> Result<(Request, Forwarding), Failure> {
        backends::refuse_another(&self.plan.firewall, &self.machine, self.place)?;
        self.claims.place(self.plan, journal)?;
        let attachments = (0..self.plan.attachments.len()).map(|index| self.attachment(index, journal));
        let attachments = attachments.collect::<Result<Vec<_>, _>>()?;
        let others = Others { place: self.place, id: &self.id };
        self.claims.ports =
            port::hold(&self.plan.publish).map_err(|refusal| others.explain(refusal, &self.plan.publish))?;
        let dir = self.machine.forwarding();
        let forwarding = forwarding::plan(&dir, &self.plan.bridges(), &self.plan.publish, self.plan.egress)?;
        let request = Request {
            jail: self.id.clone(),
            name: self.name.clone(),
            attachments,
            publish: self.plan.publish.clone(),
            egress: self.plan.egress,
            off_limits: others.off_limits(self.plan)?,
            published: others.published(self.plan)?,
            forwards: forwarding.interfaces.clone(),
        };
        Ok((request, forwarding))
    }

    fn attachment(&mut self, index: usize, journal: &mut Journal) -> Result<Attachment, Failure> {
        let planned = &self.plan.attachments[index];
        let address = self.claims.address(index, self.plan, journal)?;
        let mac = self.claims.mac(index, self.plan, address, journal)?;
        let gateway = |wanted: bool| planned.gateway.filter(|_| wanted).map(IpAddr::V4).into_iter().collect();
        Ok(Attachment {
            network: planned.network.clone(),
            interface: planned.interface.clone(),
            host_interface: self.id.link_name(index),
            mac: mac.to_string(),
            mtu: planned.mtu,
            addresses: self.net(index, address)?,
            gateways: gateway(planned.default_route),
            source_gateways: gateway(self.plan.has_several_addresses()),
            probe: planned.probe,
        })
    }

    /// An address of interface number `index` with the prefix length of its subnet.
    fn net(&self, index: usize, address: Option<Ipv4Addr>) -> Result<Vec<IpNet>, Failure> {
        let prefix = self.plan.attachments[index].network.subnet.map_or(32, |subnet| subnet.prefix_len());
        let net = address.map(|address| Ipv4Net::new(address, prefix)).transpose();
        let net = net.map_err(|error| {
            Failure::new(Kind::Invalid, "network", "address", format!("/{prefix}"), error.to_string())
        })?;
        Ok(net.map(IpNet::V4).into_iter().collect())
    }

    /// Other addresses for those that somebody on the segment uses; one that was asked for has no other.
    fn replace(
        &mut self,
        request: &mut Request,
        taken: &[Taken],
        journal: &mut Journal,
    ) -> Result<(), Failure> {
        for Taken { address, mac } in taken {
            let has = |attachment: &Attachment| attachment.addresses.iter().any(|net| net.addr() == *address);
            let (Some(index), IpAddr::V4(used)) = (request.attachments.iter().position(has), *address) else {
                continue;
            };
            let planned = &self.plan.attachments[index];
            self.claims.taken.push(used);
            refuse_taken(planned, used, mac, self.claims.taken.len())?;
            let address = self.claims.address(index, self.plan, journal)?;
            let mac = match planned.mac {
                Some(mac) => mac, // leased already
                None => self.claims.mac(index, self.plan, address, journal)?,
            };
            request.attachments[index].addresses = self.net(index, address)?;
            request.attachments[index].mac = mac.to_string();
        }
        Ok(())
    }
}

/// Refuses an address that was asked for, or the last one that is tried.
fn refuse_taken(planned: &AttachmentPlan, used: Ipv4Addr, mac: &str, tried: usize) -> Result<(), Failure> {
    let on = planned.network.interface();
    let (object, why, hint) = match planned.ip {
        Ip::Fixed(_) => (
            format!("--ip={used}"),
            format!("{used} is used by {mac} on {on} already"),
            "choose another, or leave --ip away to get a free one; --no-probe takes it without asking",
        ),
        _ if tried == MOST_TRIED => (
            format!("--net={}", planned.network.name),
            format!("{tried} addresses were tried on {on}, and all are used; the last, {used}, by {mac}"),
            "choose one with --ip; where a router answers for every address, --no-probe takes it without asking",
        ),
        _ => return Ok(()),
    };
    let message = format!("{object}: {why}");
    Err(Failure::new(Kind::Conflict, "network", "probe", object, message).hint(hint))
}
