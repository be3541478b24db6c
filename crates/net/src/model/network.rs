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

#[cfg(test)]
mod tests {
    use super::*;

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
