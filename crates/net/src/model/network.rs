//! `Network`: a bridge and the subnets on it.

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

/// A bridge and the subnets on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its name: the one given to `jail net create`, or the bridge's.
    pub name: String,
    /// The bridge interface.
    pub bridge: String,
    /// Whose the bridge is.
    pub origin: Origin,
    /// The IPv4 subnet, its address part being the host's own address on the bridge.
    pub subnet: Option<Ipv4Net>,
    /// The IPv6 subnet, likewise.
    pub subnet6: Option<Ipv6Net>,
}

impl Network {
    /// A network that `jail net create` makes: the host is the address part of `subnet` on the bridge. IPv4 only.
    pub fn ours(name: impl Into<String>, bridge: impl Into<String>, subnet: Ipv4Net) -> Network {
        Network {
            name: name.into(),
            bridge: bridge.into(),
            origin: Origin::Ours,
            subnet: Some(subnet),
            subnet6: None,
        }
    }

    /// The host's own addresses on the bridge with their prefix lengths: what the bridge is given, and the jails' gateways.
    pub fn host_addresses(&self) -> Vec<IpNet> {
        self.subnet.map(IpNet::V4).into_iter().chain(self.subnet6.map(IpNet::V6)).collect()
    }

    /// The host's address in the family of `address`, the gateway of a jail with that address.
    pub fn gateway(&self, address: IpAddr) -> Option<IpAddr> {
        match address {
            IpAddr::V4(_) => self.subnet.map(|net| net.addr().into()),
            IpAddr::V6(_) => self.subnet6.map(|net| net.addr().into()),
        }
    }

    /// Why `address` cannot be a jail's on this network, or `None` if it can.
    pub fn refuses(&self, address: Ipv4Addr) -> Option<String> {
        let Some(subnet) = self.subnet else { return Some(format!("{} has no IPv4 subnet", self.bridge)) };
        let small = subnet.prefix_len() >= 31; // RFC 3021: no network or broadcast address
        if !subnet.contains(&address) {
            Some(format!("{address} is not in {}, the subnet of {}", subnet.trunc(), self.bridge))
        } else if address == subnet.addr() {
            Some(format!("{address} is the host's own address on {}", self.bridge))
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
    }
}
