//! The addresses of the host's own interfaces, as getifaddrs(3) tells them.

use std::net::IpAddr;

use ipnet::IpNet;
use jail_sys::Failure;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;

/// An address of an interface of the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAddress {
    /// The interface.
    pub interface: String,
    /// The address with the prefix of its subnet.
    pub net: IpNet,
    /// Whether the interface is up.
    pub up: bool,
    /// Whether it is the loopback interface.
    pub loopback: bool,
}

/// Every address of the network namespace we are in.
///
/// # Errors
/// What getifaddrs(3) answers.
pub fn addresses() -> Result<Vec<HostAddress>, Failure> {
    let interfaces = getifaddrs()
        .map_err(|errno| Failure::call("network", "getifaddrs", "the host's addresses", &errno.into()))?;
    let address_of = |interface: nix::ifaddrs::InterfaceAddress| {
        let address = ip_of(interface.address?)?;
        let net = IpNet::with_netmask(address, ip_of(interface.netmask?)?).ok()?;
        Some(HostAddress {
            interface: interface.interface_name,
            net,
            up: interface.flags.contains(InterfaceFlags::IFF_UP),
            loopback: interface.flags.contains(InterfaceFlags::IFF_LOOPBACK),
        })
    };
    Ok(interfaces.filter_map(address_of).collect())
}

fn ip_of(address: SockaddrStorage) -> Option<IpAddr> {
    match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(address), _) => Some(address.ip().into()),
        (None, Some(address)) => Some(address.ip().into()),
        (None, None) => None,
    }
}

/// Whether some address is in both subnets.
pub fn overlaps(one: IpNet, other: IpNet) -> bool {
    one.contains(&other.trunc()) || other.contains(&one.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_has_a_loopback_address() {
        let found = addresses().unwrap();
        let lo = found.iter().find(|address| address.loopback).unwrap();
        assert_eq!((lo.interface.as_str(), lo.net), ("lo", "127.0.0.1/8".parse().unwrap()));
    }

    #[test]
    fn subnets_overlap_when_one_holds_the_other() {
        let overlap = |one: &str, other: &str| overlaps(one.parse().unwrap(), other.parse().unwrap());
        assert!(overlap("10.10.20.1/24", "10.10.0.0/16"));
        assert!(overlap("10.10.0.0/16", "10.10.20.1/24"));
        assert!(!overlap("10.10.20.1/24", "10.10.21.1/24"));
        assert!(!overlap("10.10.20.1/24", "fd00::1/8"));
    }
}
