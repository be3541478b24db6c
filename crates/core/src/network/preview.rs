//! What the start of a jail would change on the host, in the backends' own words, for `jail plan`. Takes nothing.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use jail_net::backend::{Backend, Request};
use jail_net::mac::Mac;
use jail_net::model::{Attachment, JailId};
use jail_net::{forwarding, host};
use jail_sys::Failure;

use super::backends::Backends;
use super::interface::refuse_down;
use super::others::Others;
use super::plan::{AttachmentPlan, NetworkPlan};
use super::work::own;
use crate::machine::Machine;
use crate::place::Place;
use crate::spec::Ip;

/// What is to become a jail's network.
pub(crate) struct Preview<'a> {
    pub(crate) id: &'a JailId,
    pub(crate) name: &'a str,
    pub(crate) plan: &'a NetworkPlan,
    pub(crate) backends: &'a Backends,
    pub(crate) place: &'a Place,
}

impl Preview<'_> {
    /// Every change, in order, a line each.
    pub(crate) async fn words(&self) -> Result<Vec<String>, Failure> {
        let mut words = Vec::new();
        let networks = || self.plan.attachments.iter().map(|attachment| &attachment.network);
        networks().try_for_each(refuse_down)?;
        for network in networks().filter(|network| !host::has_interface(network.interface())) {
            words.push(format!("the bridge {} is made again", network.interface()));
        }
        let dir = Machine::look().forwarding();
        let forward = forwarding::plan(&dir, &self.plan.bridges(), &self.plan.publish, self.plan.egress)?;
        for change in &forward.changes {
            words.push(format!(
                "{} = {}, as long as a jail needs it",
                change.path.replace('/', "."),
                change.want
            ));
        }
        let request = self.request(forward.interfaces)?;
        for link in &self.backends.links {
            let wanted = own(self.plan, link, &request);
            // A bridge that is to be made cannot be asked about.
            if wanted.attachments.iter().all(|one| host::has_interface(one.network.interface())) {
                words.extend(link.plan(&wanted).await?.words);
            }
        }
        words.extend(self.backends.firewall.plan(&request).await?.words);
        for attachment in self.plan.attachments.iter().filter(|attachment| attachment.ip == Ip::Lease) {
            if let Some(address) = stand_in(attachment)? {
                let interface = &attachment.interface;
                words
                    .push(format!("({address} stands for the address that {interface} leases at the start)"));
            }
        }
        Ok(words)
    }

    fn request(&self, forwards: Vec<String>) -> Result<Request, Failure> {
        let others = Others { place: self.place, id: self.id };
        let attachments = self.plan.attachments.iter().enumerate();
        Ok(Request {
            jail: self.id.clone(),
            name: self.name.to_owned(),
            attachments: attachments
                .map(|(index, planned)| self.attachment(index, planned))
                .collect::<Result<_, _>>()?,
            publish: self.plan.publish.clone(),
            egress: self.plan.egress,
            off_limits: others.off_limits(self.plan)?,
            published: others.published(self.plan)?,
            forwards,
        })
    }

    fn attachment(&self, index: usize, planned: &AttachmentPlan) -> Result<Attachment, Failure> {
        let address = stand_in(planned)?;
        let mac = planned.mac.unwrap_or_else(|| match address {
            Some(address) => Mac::of_address(address.into()),
            None => Mac::of_link(self.id, index),
        });
        let prefix = planned.network.subnet.map_or(32, |subnet| subnet.prefix_len());
        let net = address.and_then(|address| Ipv4Net::new(address, prefix).ok());
        let gateway = |wanted: bool| planned.gateway.filter(|_| wanted).map(IpAddr::V4).into_iter().collect();
        Ok(Attachment {
            network: planned.network.clone(),
            interface: planned.interface.clone(),
            host_interface: self.id.link_name(index),
            mac: mac.to_string(),
            mtu: planned.mtu,
            addresses: net.map(IpNet::V4).into_iter().collect(),
            gateways: gateway(planned.default_route),
            source_gateways: gateway(self.plan.has_several_addresses()),
            probe: planned.probe,
        })
    }
}

/// The address asked for; the first that could be leased where none was.
fn stand_in(planned: &AttachmentPlan) -> Result<Option<Ipv4Addr>, Failure> {
    match (planned.ip, planned.network.subnet) {
        (Ip::None, _) | (Ip::Lease, None) => Ok(None),
        (Ip::Fixed(asked), _) => Ok(Some(asked.address)),
        (Ip::Lease, Some(subnet)) => {
            let host = host::addresses()?;
            let used = |address: Ipv4Addr| host.iter().any(|one| one.net.addr() == IpAddr::V4(address));
            let mut free =
                subnet.hosts().filter(|address| planned.gateway != Some(*address) && !used(*address));
            Ok(free.find(|address| planned.network.refuses(*address).is_none()))
        }
    }
}
