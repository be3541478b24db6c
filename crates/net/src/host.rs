//! The host's own interfaces and their addresses, as getifaddrs(3) tells them.

use std::net::IpAddr;

use ipnet::IpNet;
use jail_sys::call::packet;
use jail_sys::{Failure, Kind};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nameindex, if_nametoindex};
use nix::sys::socket::SockaddrStorage;

use crate::mac::Mac;

/// What a bridge has that is not there yet.
pub const DEFAULT_MTU: u32 = 1500;

/// The smallest MTU the kernel gives an Ethernet interface.
const SMALLEST_MTU: u32 = 68;

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
    let interfaces = interfaces()?;
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

/// Every MAC address of the network namespace we are in, with the interface that has it.
///
/// # Errors
/// What getifaddrs(3) answers.
pub fn macs() -> Result<Vec<(String, Mac)>, Failure> {
    let mac_of = |interface: nix::ifaddrs::InterfaceAddress| {
        let address = interface.address?;
        Some((interface.interface_name, Mac(address.as_link_addr()?.addr()?)))
    };
    Ok(interfaces()?.filter_map(mac_of).collect())
}

/// Whether there is an interface of this name in the network namespace we are in. Does not wait for the lock that
/// rtnetlink(7) requests wait for.
pub fn has_interface(name: &str) -> bool {
    if_nametoindex(name).is_ok()
}

/// The names of all interfaces of the network namespace we are in.
///
/// # Errors
/// What if_nameindex(3) answers.
pub fn names() -> Result<Vec<String>, Failure> {
    let all = if_nameindex()
        .map_err(|errno| Failure::call("network", "if_nameindex", "the host's interfaces", &errno.into()))?;
    Ok(all.iter().map(|interface| interface.name().to_string_lossy().into_owned()).collect())
}

/// Whether there is an interface of this name that nobody has set up, or somebody has set down.
///
/// # Errors
/// What getifaddrs(3) answers.
pub fn is_down(name: &str) -> Result<bool, Failure> {
    let mut named = interfaces()?.filter(|interface| interface.interface_name == name);
    Ok(named.next().is_some_and(|interface| !interface.flags.contains(InterfaceFlags::IFF_UP)))
}

/// The MTU of an interface in the network namespace we are in; `None` when it is not there.
pub fn mtu(name: &str) -> Option<u32> {
    packet::mtu(name).ok()
}

/// Refuses an MTU for what is on an interface that carries at most `largest`: a larger one would lose its packets there.
///
/// # Errors
/// `Invalid`, naming `--mtu`.
pub fn carries(interface: &str, largest: u32, mtu: u32) -> Result<(), Failure> {
    if (SMALLEST_MTU..=largest).contains(&mtu) {
        return Ok(());
    }
    let object = format!("--mtu={mtu}");
    let (why, hint) = if mtu > largest {
        let raise = format!("choose {largest} or less, or raise it with: ip link set {interface} mtu {mtu}");
        (format!("{interface} carries at most {largest}"), raise)
    } else {
        (format!("an interface has {SMALLEST_MTU} or more"), "every protocol works with 1280".to_owned())
    };
    let message = format!("{object}: {why}");
    Err(Failure::new(Kind::Invalid, "network", "plan link", object, message).hint(hint))
}

fn interfaces() -> Result<nix::ifaddrs::InterfaceAddressIterator, Failure> {
    getifaddrs()
        .map_err(|errno| Failure::call("network", "getifaddrs", "the host's addresses", &errno.into()))
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
        assert!(macs().unwrap().contains(&("lo".to_owned(), Mac([0; 6]))));
        assert!(has_interface("lo") && !has_interface("none-such"));
        assert!(names().unwrap().contains(&"lo".to_owned()) && !is_down("none-such").unwrap());
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
