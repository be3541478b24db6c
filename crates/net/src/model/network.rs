//! `Network`: a bridge or an interface of the host's, and the subnets on it.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

/// Whose the bridge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Made by `jail net create`: made again when it is missing, removed by `jail net rm`.
    Ours,
    /// Somebody else's: never made, changed or removed by us.
    Adopted,
}

/// What of the host's a network is on. As JSON its members stand among the network's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Segment {
    /// A bridge: the host's end of a jail's link is a port of it.
    Bridge {
        /// The bridge interface.
        bridge: String,
        /// Whose it is.
        origin: Origin,
    },
    /// Any other interface, always somebody else's: a jail's link shares it, and the host never sees its packets.
    Parent {
        /// The interface.
        parent: String,
        /// The router the host's own default route leads to by this interface.
        #[serde(default)]
        router: Option<Ipv4Addr>,
    },
}

/// A bridge or an interface of the host's, and the subnets on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its name: the one given to `jail net create`, or the interface's.
    pub name: String,
    /// What it is on.
    #[serde(flatten)]
    pub segment: Segment,
    /// The IPv4 subnet, its address part being the host's own address there.
    pub subnet: Option<Ipv4Net>,
    /// The IPv6 subnet, likewise.
    pub subnet6: Option<Ipv6Net>,
}

impl Network {
    /// A network that `jail net create` makes: the host is the address part of `subnet` on the bridge. IPv4 only.
    pub fn ours(name: impl Into<String>, bridge: impl Into<String>, subnet: Ipv4Net) -> Network {
        Network {
            name: name.into(),
            segment: Segment::Bridge { bridge: bridge.into(), origin: Origin::Ours },
            subnet: Some(subnet),
            subnet6: None,
        }
    }

    /// The host's interface it is on: the bridge or the parent.
    pub fn interface(&self) -> &str {
        match &self.segment {
            Segment::Bridge { bridge, .. } => bridge,
            Segment::Parent { parent, .. } => parent,
        }
    }

    /// The bridge it is on, if it is on one.
    pub fn bridge(&self) -> Option<&str> {
        match &self.segment {
            Segment::Bridge { bridge, .. } => Some(bridge),
            Segment::Parent { .. } => None,
        }
    }

    /// Whether it is on a bridge that is ours to make and remove.
    pub fn is_ours(&self) -> bool {
        matches!(self.segment, Segment::Bridge { origin: Origin::Ours, .. })
    }

    /// Whether it is on a bridge of somebody else's.
    pub fn is_adopted(&self) -> bool {
        matches!(self.segment, Segment::Bridge { origin: Origin::Adopted, .. })
    }

    /// The host's own addresses there with their prefix lengths: what a bridge of ours is given.
    pub fn host_addresses(&self) -> Vec<IpNet> {
        self.subnet.map(IpNet::V4).into_iter().chain(self.subnet6.map(IpNet::V6)).collect()
    }

    /// The gateway of a jail with that address: on a bridge the host, beside a parent the host's own router there.
    pub fn gateway(&self, address: IpAddr) -> Option<IpAddr> {
        match (&self.segment, address) {
            (Segment::Bridge { .. }, IpAddr::V4(_)) => self.subnet.map(|net| net.addr().into()),
            (Segment::Bridge { .. }, IpAddr::V6(_)) => self.subnet6.map(|net| net.addr().into()),
            (Segment::Parent { router, .. }, IpAddr::V4(_)) => router.map(IpAddr::V4),
            (Segment::Parent { .. }, IpAddr::V6(_)) => None,
        }
    }

    /// Why `address` cannot be a jail's on this network, or `None` if it can.
    pub fn refuses(&self, address: Ipv4Addr) -> Option<String> {
        let on = self.interface();
        let Some(subnet) = self.subnet else { return Some(format!("{on} has no IPv4 subnet")) };
        let small = subnet.prefix_len() >= 31; // RFC 3021: no network or broadcast address
        if !subnet.contains(&address) {
            Some(format!("{address} is not in {}, the subnet of {on}", subnet.trunc()))
        } else if address == subnet.addr() {
            Some(format!("{address} is the host's own address on {on}"))
        } else if self.gateway(address.into()) == Some(address.into()) {
            Some(format!("{address} is the router of {on}"))
        } else if !small && address == subnet.network() {
            Some(format!("{address} is the network's own address in {}", subnet.trunc()))
        } else if !small && address == subnet.broadcast() {
            Some(format!("{address} is the broadcast address of {}", subnet.trunc()))
        } else {
            None
        }
    }
}

/// What is never a subnet of hosts: "this network", loopback, link-local, multicast and reserved addresses. See RFC 6890.
const NOT_FOR_HOSTS: [([u8; 4], u8); 5] = [
    ([0, 0, 0, 0], 8),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// Why no network can have this subnet on any host, or `None` if one can.
pub fn refuses_subnet(subnet: Ipv4Net) -> Option<String> {
    let mut reserved =
        NOT_FOR_HOSTS.iter().filter_map(|(address, len)| Ipv4Net::new((*address).into(), *len).ok());
    let met = reserved.find(|net| net.contains(&subnet) || subnet.contains(net));
    met.map(|net| format!("{} is not for hosts: {net} is reserved", subnet.trunc()))
}

/// Why `name` cannot be a bridge's that we make or put jails on, or `None` if it can. The kernel allows more, of which
/// much means something else to those who are told of it: `br*` to nft, `br%d` to the kernel itself.
pub fn refuses_bridge(name: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !first || name.len() > 15 || !name.bytes().all(fits) {
        Some(format!(
            "'{name}' is not a bridge's name: 1 to 15 letters, digits, '.', '_' and '-', a letter or digit first"
        ))
    } else if matches!(name, "all" | "default" | "lo") {
        Some(format!("'{name}' is not a bridge's name: it stands for something else"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lan() -> Network {
        Network {
            name: "eth1".into(),
            segment: Segment::Parent { parent: "eth1".into(), router: Some([192, 168, 7, 254].into()) },
            subnet: Some("192.168.7.1/24".parse().unwrap()),
            subnet6: None,
        }
    }

    #[test]
    fn a_subnet_that_is_not_for_hosts_is_refused() {
        let refused = |subnet: &str| refuses_subnet(subnet.parse().unwrap());
        for fine in ["10.10.20.0/24", "100.64.0.0/10", "203.0.113.0/24", "172.16.0.0/12"] {
            assert_eq!(refused(fine), None);
        }
        for (wrong, why) in [
            ("169.254.7.0/24", "169.254.7.0/24 is not for hosts: 169.254.0.0/16 is reserved"),
            ("0.1.0.0/24", "0.1.0.0/24 is not for hosts: 0.0.0.0/8 is reserved"),
            ("0.0.0.0/0", "0.0.0.0/0 is not for hosts: 0.0.0.0/8 is reserved"),
            ("127.1.0.0/16", "127.1.0.0/16 is not for hosts: 127.0.0.0/8 is reserved"),
            ("192.0.0.0/2", "192.0.0.0/2 is not for hosts: 224.0.0.0/4 is reserved"),
            ("255.255.255.0/24", "255.255.255.0/24 is not for hosts: 240.0.0.0/4 is reserved"),
        ] {
            assert_eq!(refused(wrong).unwrap(), why);
        }
    }

    #[test]
    fn a_bridges_name_means_nothing_but_the_bridge() {
        for fine in ["br0", "vmbr0", "br-lan", "br0.100", "0", "a_b"] {
            assert_eq!(refuses_bridge(fine), None);
        }
        for wrong in [
            "", ".", "..", "br*", "@br", "br\"q", "a b", "a/b", "a:b", "br%d", "-x", "all", "default", "lo",
            "b\u{e4}r",
        ] {
            assert!(refuses_bridge(wrong).is_some(), "{wrong}");
        }
        assert!(refuses_bridge(&"x".repeat(16)).is_some());
    }

    #[test]
    fn only_addresses_of_the_subnet_that_are_nobodys_are_a_jails() {
        let dmz = Network::ours("dmz", "br0", "10.10.20.1/24".parse().unwrap());
        let refused = |address: &str| dmz.refuses(address.parse().unwrap());
        assert_eq!(refused("10.10.20.10"), None);
        assert_eq!(refused("10.10.20.1").unwrap(), "10.10.20.1 is the host's own address on br0");
        assert_eq!(refused("10.10.21.1").unwrap(), "10.10.21.1 is not in 10.10.20.0/24, the subnet of br0");
        assert!(refused("10.10.20.0").unwrap().contains("network's own"));
        assert!(refused("10.10.20.255").unwrap().contains("broadcast"));
        let on_lan = |last| lan().refuses([192, 168, 7, last].into());
        assert_eq!(on_lan(2), None);
        assert_eq!(on_lan(1).unwrap(), "192.168.7.1 is the host's own address on eth1");
        assert_eq!(on_lan(254).unwrap(), "192.168.7.254 is the router of eth1");
    }

    #[test]
    fn the_gateway_is_the_host_on_a_bridge_and_its_router_beside_a_parent() {
        let dmz = Network::ours("dmz", "br0", "10.10.20.1/24".parse().unwrap());
        assert_eq!(dmz.gateway([10, 10, 20, 10].into()), Some([10, 10, 20, 1].into()));
        assert_eq!(lan().gateway([192, 168, 7, 2].into()), Some([192, 168, 7, 254].into()));
        let alone = Network { segment: Segment::Parent { parent: "eth1".into(), router: None }, ..lan() };
        assert_eq!(alone.gateway([192, 168, 7, 2].into()), None);
    }

    #[test]
    fn a_network_that_was_stored_before_there_were_parents_reads_as_it_was() {
        let stored =
            r#"{"name":"dmz","bridge":"br0","origin":"ours","subnet":"10.10.20.1/24","subnet6":null}"#;
        let dmz = Network::ours("dmz", "br0", "10.10.20.1/24".parse().unwrap());
        assert_eq!(serde_json::from_str::<Network>(stored).unwrap(), dmz);
        assert_eq!(serde_json::to_string(&dmz).unwrap(), stored);
        let text = serde_json::to_string(&lan()).unwrap();
        assert_eq!(serde_json::from_str::<Network>(&text).unwrap(), lan());
        assert!(serde_json::from_str::<Network>(r#"{"name":"dmz","subnet":null,"subnet6":null}"#).is_err());
    }
}
