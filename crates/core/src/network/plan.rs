//! `NetworkPlan`: the network of a jail as it is decided, before anything is taken.

use std::net::{IpAddr, Ipv4Addr};

use jail_net::mac::Mac;
use jail_net::model::{Egress, Network, Publish};
use serde::{Deserialize, Serialize};

use super::backends::PluginRef;
use crate::spec::Ip;

/// The network of a jail as it is decided; addresses are leased when it starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkPlan {
    /// Its interfaces, `eth0` first; at least one.
    pub attachments: Vec<AttachmentPlan>,
    /// The backend of the firewall.
    pub firewall: PluginRef,
    /// Its name servers; empty shows the host's resolv.conf.
    pub dns: Vec<IpAddr>,
    /// The ports published, to the first interface on a bridge that has an address.
    pub publish: Vec<Publish>,
    /// The connections it may open.
    pub egress: Egress,
}

/// One interface of a jail as it is decided.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AttachmentPlan {
    /// Its name inside.
    pub interface: String,
    /// The network it is on.
    pub network: Network,
    /// The backend that makes its link.
    pub link: PluginRef,
    /// Its address.
    pub ip: Ip,
    /// Its MAC; `None` makes one from the address.
    pub mac: Option<Mac>,
    /// Its MTU; `None` takes the bridge's or the parent's.
    pub mtu: Option<u32>,
    /// The router that what is sent from its address goes by.
    pub gateway: Option<Ipv4Addr>,
    /// Whether the jail's default route leads to that gateway.
    pub default_route: bool,
    /// Whether others on the segment are asked first if they use the address.
    pub probe: bool,
}

impl AttachmentPlan {
    /// Whether it has an address, or will.
    pub fn has_address(&self) -> bool {
        self.ip != Ip::None
    }

    /// Whether the host's firewall sees its packets.
    pub fn is_on_bridge(&self) -> bool {
        self.network.bridge().is_some()
    }

    fn line(&self) -> String {
        let AttachmentPlan { interface, network, link, ip, mac, mtu, .. } = self;
        let kind = if self.is_on_bridge() {
            format!("veth {interface} on")
        } else {
            format!("{interface} beside the host's")
        };
        let subnet = network.subnet.map_or_else(String::new, |subnet| format!(" ({})", subnet.trunc()));
        let address = match ip {
            Ip::Lease => "an address leased at the start".to_owned(),
            Ip::None => "no address".to_owned(),
            Ip::Fixed(address) => address.address.to_string(),
        };
        let mac = mac.map_or_else(String::new, |mac| format!(", MAC {mac}"));
        let mtu = mtu.map_or_else(String::new, |mtu| format!(", MTU {mtu}"));
        let probe = if self.probe && self.has_address() { ", if nobody else uses it" } else { "" };
        format!("{}: {kind} {}{subnet}, {address}{probe}{mac}{mtu}", link.name, network.interface())
    }
}

impl NetworkPlan {
    /// The bridges that it has an address on, the one that published ports lead to first.
    pub(super) fn bridges(&self) -> Vec<&str> {
        let with_address = self.attachments.iter().filter(|attachment| attachment.has_address());
        with_address.filter_map(|attachment| attachment.network.bridge()).collect()
    }

    /// The interface that published ports lead to.
    pub fn published_at(&self) -> Option<&AttachmentPlan> {
        self.attachments.iter().find(|attachment| attachment.is_on_bridge() && attachment.has_address())
    }

    /// Whether what is sent must go by its source: the default route leads to one of several networks.
    pub(super) fn has_several_addresses(&self) -> bool {
        self.attachments.iter().filter(|attachment| attachment.has_address()).count() > 1
    }

    /// In words, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.attachments.iter().map(|attachment| format!("link        {}", attachment.line())).collect();
        let default = self.attachments.iter().filter(|attachment| attachment.default_route);
        let gateway =
            default.filter_map(|attachment| Some((attachment.gateway?, &attachment.interface))).next();
        lines.push(match gateway {
            Some((gateway, interface)) => format!("gateway     {gateway} by {interface}"),
            None => "gateway     none".to_owned(),
        });
        lines.push(format!("firewall    {}, {}", self.firewall.name, self.where_rules_are()));
        lines.extend(self.dns.iter().map(|server| format!("dns         {server}")));
        lines.extend(self.publish.iter().map(|publish| self.publish_line(publish)));
        lines.push(format!("egress      {}", self.egress_line()));
        lines
    }

    fn where_rules_are(&self) -> &'static str {
        let bridged = self.attachments.iter().filter(|attachment| attachment.is_on_bridge()).count();
        if bridged == self.attachments.len() {
            "on the host and inside the jail's own network namespace"
        } else if bridged > 0 {
            "inside the jail's own network namespace, and on the host for what is on a bridge"
        } else {
            "inside the jail's own network namespace: the host never sees what a macvlan sends"
        }
    }

    fn publish_line(&self, publish: &Publish) -> String {
        let Publish { address, host, jail, protocol } = publish;
        let address = address.map_or_else(|| "any address".to_owned(), |address| address.to_string());
        let by = self.published_at().map_or("no interface", |attachment| &attachment.interface);
        format!(
            "publish     {host}/{} of the host ({address}) -> {jail} of the jail, by {by}",
            protocol.as_str()
        )
    }

    fn egress_line(&self) -> String {
        let names = |on_bridge| {
            let with_address = self.attachments.iter().filter(|one| one.has_address());
            let names =
                with_address.filter(|one| one.is_on_bridge() == on_bridge).map(|one| one.network.interface());
            names.collect::<Vec<_>>().join(" and ")
        };
        let (bridges, parents) = (names(true), names(false));
        match self.egress {
            Egress::Allow => {
                "allow: the LAN and the Internet, of the host only the ports that jails publish, no other bridges"
                    .to_owned()
            },
            _ if bridges.is_empty() => "deny: no connection at all".to_owned(),
            _ if parents.is_empty() => format!("deny: no connection but to other jails on {bridges}"),
            _ => format!(
                "deny: no connection but to other jails on {bridges}, none beside the host's {parents}"
            ),
        }
    }
}
