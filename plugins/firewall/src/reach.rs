//! Where a jail may go, as it is when it starts: for the rules in its own network namespace, which know nothing of how
//! the host routes. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use jail_net::backend::{Failure, Kind, Request};
use jail_net::conntrack::Published;
use jail_net::model::{Attachment, PortRange, Protocol, Publish};

/// One of the two IP versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Version {
    /// Both.
    pub const BOTH: [Version; 2] = [Version::V4, Version::V6];

    /// Whether an address is of this version.
    pub fn has(self, address: IpAddr) -> bool {
        address.is_ipv4() == (self == Version::V4)
    }

    /// What never leaves a jail, as address and prefix length: loopback (it can leave by a socket bound to an interface,
    /// and the bridge has route_localnet), multicast, reserved and broadcast, link-local. The host answers to each
    /// without its being an address of its own; or a cloud does, with the machine's keys (169.254.169.254).
    pub fn never(self) -> &'static [(&'static str, u8)] {
        match self {
            Version::V4 => &[("127.0.0.0", 8), ("169.254.0.0", 16), ("224.0.0.0", 3)],
            Version::V6 => &[("::", 127), ("fe80::", 10), ("ff00::", 8)],
        }
    }
}

/// Refuses an interface name that a firewall's program would take for something else: for nft a leading `@` is a set and
/// a trailing `*` a pattern, for iptables a trailing `+`, and a leading `-` or `!` is an option. One set of signs, so that
/// a bridge that one backend can name the other can as well.
///
/// # Errors
/// `Unsupported`.
pub fn nameable(interface: &str) -> Result<(), Failure> {
    let odd = |sign: char| sign.is_whitespace() || "\"'\\".contains(sign);
    let first = interface.starts_with(['@', '-', '!']);
    if first || interface.ends_with(['*', '+']) || interface.contains(odd) {
        let message = format!("no firewall rule can name the interface {interface}");
        return Err(Failure::new(Kind::Unsupported, "network", "plan", interface, message)
            .hint("rename the interface"));
    }
    Ok(())
}

/// The interfaces on bridges. What a jail sends by another interface the host's rules never see.
pub fn on_bridges(want: &Request) -> impl Iterator<Item = (&Attachment, &str)> {
    want.attachments.iter().filter_map(|attachment| Some((attachment, attachment.network.bridge()?)))
}

/// The interfaces beside a parent.
pub fn beside_parents(want: &Request) -> impl Iterator<Item = &Attachment> {
    want.attachments.iter().filter(|attachment| attachment.network.bridge().is_none())
}

/// The broadcast addresses of the jail's networks: they never leave it either.
pub fn broadcasts(want: &Request, version: Version) -> BTreeSet<IpAddr> {
    let nets = want.attachments.iter().flat_map(|attachment| &attachment.addresses);
    let with_broadcast = |net: &&IpNet| net.addr().is_ipv4() && net.prefix_len() < 31; // RFC 3021
    let broadcasts = nets.filter(with_broadcast).map(IpNet::broadcast);
    broadcasts.filter(|at| *at != Ipv4Addr::BROADCAST && version.has(*at)).collect()
}

/// The host's own addresses, those on the jail's bridges included.
pub fn hosts(want: &Request, version: Version) -> BTreeSet<IpAddr> {
    let bridges = want.attachments.iter().flat_map(|attachment| attachment.network.host_addresses());
    let known = want.off_limits.iter().filter(|net| is_one_address(net));
    let all = bridges.map(|net| net.addr()).chain(known.map(IpNet::addr));
    all.filter(|address| version.has(*address)).collect()
}

/// The other networks of ours, none inside another.
pub fn others(want: &Request, version: Version) -> Vec<IpNet> {
    let nets = want.off_limits.iter().filter(|net| version.has(net.addr()) && !is_one_address(net));
    IpNet::aggregate(&nets.copied().collect())
}

fn is_one_address(net: &IpNet) -> bool {
    net.prefix_len() == net.max_prefix_len()
}

/// The subnets of an interface.
pub fn subnets(attachment: &Attachment, version: Version) -> impl Iterator<Item = IpNet> {
    attachment.addresses.iter().filter(move |net| version.has(net.addr())).map(IpNet::trunc)
}

/// The ports published at all addresses of the host, in ranges that do not overlap.
pub fn published(want: &Request) -> Vec<(Protocol, PortRange)> {
    published_by(want, None)
}

/// The ports published at one address only.
pub fn published_at(want: &Request, version: Version) -> Vec<(IpAddr, Protocol, PortRange)> {
    let addresses: BTreeSet<IpAddr> = want.published.iter().filter_map(|publish| publish.address).collect();
    let of_version = addresses.into_iter().filter(|address| version.has(*address));
    let keys = of_version.flat_map(|address| {
        published_by(want, Some(address)).into_iter().map(move |(protocol, ports)| (address, protocol, ports))
    });
    keys.collect()
}

fn published_by(want: &Request, address: Option<IpAddr>) -> Vec<(Protocol, PortRange)> {
    let of = |protocol| {
        let here = move |publish: &&Publish| publish.address == address && publish.protocol == protocol;
        let ports = want.published.iter().filter(here).map(|publish| publish.host).collect();
        disjoint(ports).into_iter().map(move |ports| (protocol, ports))
    };
    [Protocol::Tcp, Protocol::Udp].into_iter().flat_map(of).collect()
}

/// The same ports in ranges that do not overlap: one jail may publish a port in the middle of another's range.
fn disjoint(mut ports: Vec<PortRange>) -> Vec<PortRange> {
    ports.sort_unstable_by_key(|range| range.first);
    let mut apart: Vec<PortRange> = Vec::new();
    for range in ports {
        match apart.last_mut() {
            Some(last) if range.first <= last.last => last.last = last.last.max(range.last),
            _ => apart.push(range),
        }
    }
    apart
}

/// The addresses a published port leads to: the first on a bridge of each family it can be reached by.
///
/// # Errors
/// `Invalid` when the jail has none it could lead to.
pub fn targets(publish: &Publish, want: &Request) -> Result<Vec<IpAddr>, Failure> {
    let all = || on_bridges(want).flat_map(|(attachment, _)| &attachment.addresses).map(|net| net.addr());
    let families = match publish.address {
        Some(host) => vec![host.is_ipv4()],
        None => vec![true, false],
    };
    let first = |v4: bool| all().find(|address| address.is_ipv4() == v4);
    let targets: Vec<_> = families.into_iter().filter_map(first).collect();
    if targets.is_empty() {
        let object = format!("--publish={publish}");
        let message = format!("{object}: the jail has no address it could lead to");
        return Err(Failure::new(Kind::Invalid, "network", "plan", object, message)
            .hint("give it an address of that family on a bridge, with --net and --ip"));
    }
    Ok(targets)
}

/// The jail's own ports that published ones lead to, in ranges that do not overlap, at the addresses they lead to. What
/// somebody else leads to a jail gets no further than to these.
///
/// # Errors
/// Those of [`targets`].
pub fn served(want: &Request) -> Result<Vec<(IpAddr, Protocol, PortRange)>, Failure> {
    let mut by_target: BTreeMap<(IpAddr, Protocol), Vec<PortRange>> = BTreeMap::new();
    for publish in &want.publish {
        for target in targets(publish, want)? {
            by_target.entry((target, publish.protocol)).or_default().push(publish.jail);
        }
    }
    let apart = by_target.into_iter().flat_map(|((target, protocol), ports)| {
        disjoint(ports).into_iter().map(move |ports| (target, protocol, ports))
    });
    Ok(apart.collect())
}

/// What the jail publishes over UDP.
///
/// # Errors
/// Those of [`targets`].
pub fn udp(want: &Request) -> Result<Vec<Published>, Failure> {
    let mut all = Vec::new();
    for publish in want.publish.iter().filter(|publish| publish.protocol == Protocol::Udp) {
        let one = |to| Published { address: publish.address, ports: publish.host, to };
        all.extend(targets(publish, want)?.into_iter().map(one));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_overlap_become_one_range() {
        let of = |texts: &[&str]| {
            let ports = texts.iter().map(|text| text.parse().unwrap()).collect();
            disjoint(ports).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(of(&["90-95", "80", "85-92", "80", "1-65535"]), ["1-65535"]);
        assert_eq!(of(&["90-95", "80", "85-92", "80"]), ["80", "85-95"]);
    }
}
