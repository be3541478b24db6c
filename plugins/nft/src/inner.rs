//! The jail's own table, in its own network namespace: the same policy again, where `nft flush ruleset` on the host
//! does not reach. The namespace belongs to the host's user namespace, so the jail cannot touch it.
//!
//! What the host would decide as it routes is written down here as it is when the jail starts: the host's addresses,
//! the other networks of ours, the ports that jails publish. A port that a jail publishes later is not reached by the
//! host's address until this jail starts anew. Multicast and broadcast are refused: the host hears them too.
//!
//! What goes out beside a parent (a macvlan) never passes the host's rules: here is all that holds it back. Its subnet
//! is the LAN, where a jail without egress opens nothing; and the host is not to be had by it at all.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use jail_net::backend::Request;
use jail_net::model::{Egress, PortRange, Protocol, Publish};
use nftables::expr::MetaKey;
use nftables::schema::SetFlag::Interval;
use nftables::schema::SetType::{self, InetProto, InetService, Ipv4Addr as V4, Ipv6Addr as V6};
use nftables::types::{NfChainType, NfFamily, NfHook};

use crate::entry::protocol;
use crate::foreign;
use crate::rule::{
    Expr, Object, Writer, accept, any_of, concat, count, drop, field, from_others_address, in_set, is, meta,
    number, oif, prefix, range, refuse, related_error, state, text,
};

const FILTER: i32 = 0;

/// One IP version: its words in a rule, and what of it never leaves a jail.
struct Version {
    digit: char,
    protocol: &'static str,
    address: SetType,
    /// Loopback (it can leave by a socket bound to an interface, and the bridge has route_localnet), multicast,
    /// reserved and broadcast, link-local: the host answers to each without its being an address of its own.
    never: &'static [(&'static str, u8)],
}

const VERSIONS: [Version; 2] = [
    Version { digit: '4', protocol: "ip", address: V4, never: &[("127.0.0.0", 8), ("224.0.0.0", 3)] },
    Version {
        digit: '6',
        protocol: "ip6",
        address: V6,
        never: &[("::", 127), ("fe80::", 10), ("ff00::", 8)],
    },
];

impl Version {
    fn set(&self, name: &str) -> String {
        format!("{name}{}", self.digit)
    }

    fn destination(&self) -> Expr {
        field(self.protocol, "daddr")
    }

    fn has(&self, address: IpAddr) -> bool {
        address.is_ipv4() == (self.digit == '4')
    }
}

/// The commands that make the table. It dies with the namespace.
pub(crate) fn table(want: &Request) -> Vec<Object> {
    let mut table = Writer::create(NfFamily::INet);
    table.hook("output", NfChainType::Filter, NfHook::Output, FILTER);
    // Before the host's addresses are refused: it must find its neighbour, and be found; without an address too.
    let neighbours = any_of(&["nd-neighbor-solicit", "nd-neighbor-advert"]);
    table.rule("output", [is(field("icmpv6", "type"), neighbours), accept()]);
    // Anybody may send from anybody's IPv6 address (IPV6_FREEBIND), to itself as well: an answer to that would be one
    // to whoever has the address.
    table.rule("output", [is(meta(MetaKey::Nfproto), text("ipv6")), from_others_address(), count(), drop()]);
    table.rule("output", [is(oif(), text("lo")), accept()]);
    table.rule("output", [state("established"), accept()]);
    let [related, icmp] = related_error();
    table.rule("output", [related, icmp, accept()]);
    if want.egress == Egress::Allow {
        set_of_ports(&mut table, want);
    }
    for version in &VERSIONS {
        sets(&mut table, version, want);
        rules(&mut table, version, want);
    }
    if want.egress != Egress::Allow {
        table.rule("output", [refuse()]);
    }
    table.finish()
}

fn sets(table: &mut Writer, version: &Version, want: &Request) {
    let never = version.never.iter().map(|(address, len)| prefix(*address, *len));
    let broadcasts = broadcasts(want).into_iter().filter(|address| version.has(*address));
    table.set(&version.set("never"), &[version.address], &[Interval]);
    table.elements(&version.set("never"), never.chain(broadcasts.map(|at| text(at.to_string()))));

    let hosts = hosts(want).into_iter().filter(|address| version.has(*address));
    table.set(&version.set("host"), &[version.address], &[]);
    table.elements(&version.set("host"), hosts.map(|address| text(address.to_string())));
    if want.egress == Egress::Allow {
        table.set(&version.set("others"), &[version.address], &[Interval]);
        table.elements(&version.set("others"), others(want, version));
        let at = version.set("published_at");
        table.set(&at, &[version.address, InetProto, InetService], &[Interval]);
        table.elements(&at, published_at(want, version));
    }
}

fn rules(table: &mut Writer, version: &Version, want: &Request) {
    let to = |set: &str| in_set(version.destination(), &version.set(set));
    let port = || [meta(MetaKey::L4proto), field("th", "dport")];
    let allow = want.egress == Egress::Allow;
    table.rule("output", [to("never"), refuse()]);
    if allow {
        for attachment in want.attachments.iter().filter(|attachment| attachment.network.bridge().is_none()) {
            table.rule("output", [is(oif(), text(&attachment.interface)), to("host"), refuse()]);
        }
        table.rule("output", [to("host"), in_set(concat(port()), "published"), accept()]);
        let [protocol, number] = port();
        let at = concat([version.destination(), protocol, number]);
        table.rule("output", [to("host"), in_set(at, &version.set("published_at")), accept()]);
    }
    table.rule("output", [to("host"), refuse()]);
    for attachment in want.attachments.iter().filter(|attachment| attachment.network.bridge().is_some()) {
        for net in attachment.addresses.iter().filter(|net| version.has(net.addr())) {
            let own = prefix(net.network().to_string(), net.prefix_len());
            let mut opens = vec![is(oif(), text(&attachment.interface)), is(version.destination(), own)];
            if foreign::may_be_near(attachment, want.egress) {
                opens.push(foreign::opens());
            }
            opens.push(accept());
            table.rule("output", opens);
        }
    }
    if allow {
        table.rule("output", [to("others"), refuse()]);
    }
}

/// The host's own addresses, those on the jail's bridges included.
fn hosts(want: &Request) -> BTreeSet<IpAddr> {
    let bridges = want.attachments.iter().flat_map(|attachment| attachment.network.host_addresses());
    let known = want.off_limits.iter().filter(|net| is_one_address(net));
    bridges.map(|net| net.addr()).chain(known.map(IpNet::addr)).collect()
}

fn broadcasts(want: &Request) -> BTreeSet<IpAddr> {
    let nets = want.attachments.iter().flat_map(|attachment| &attachment.addresses);
    let with_broadcast = |net: &&IpNet| net.addr().is_ipv4() && net.prefix_len() < 31; // RFC 3021
    nets.filter(with_broadcast).map(IpNet::broadcast).filter(|at| *at != Ipv4Addr::BROADCAST).collect()
}

/// The other networks, none inside another: an interval set refuses that.
fn others(want: &Request, version: &Version) -> Vec<Expr> {
    let nets = want.off_limits.iter().filter(|net| version.has(net.addr()) && !is_one_address(net));
    let nets = IpNet::aggregate(&nets.copied().collect());
    nets.iter().map(|net| prefix(net.network().to_string(), net.prefix_len())).collect()
}

fn is_one_address(net: &IpNet) -> bool {
    net.prefix_len() == net.max_prefix_len()
}

fn set_of_ports(table: &mut Writer, want: &Request) {
    table.set("published", &[InetProto, InetService], &[Interval]);
    table.elements("published", published(want, None).map(concat));
}

fn published_at(want: &Request, version: &Version) -> Vec<Expr> {
    let addresses: BTreeSet<IpAddr> = want.published.iter().filter_map(|publish| publish.address).collect();
    let of_version = addresses.into_iter().filter(|address| version.has(*address));
    let keys = of_version.flat_map(|address| {
        published(want, Some(address))
            .map(move |[protocol, port]| concat([text(address.to_string()), protocol, port]))
    });
    keys.collect()
}

/// The ports published at this address, or with none at all of them: protocol and port.
fn published(want: &Request, address: Option<IpAddr>) -> impl Iterator<Item = [Expr; 2]> {
    [Protocol::Tcp, Protocol::Udp].into_iter().flat_map(move |of| {
        let here = |publish: &&Publish| publish.address == address && publish.protocol == of;
        let ports = disjoint(want.published.iter().filter(here).map(|publish| publish.host).collect());
        ports.into_iter().map(move |ports| [protocol(of), port(ports)])
    })
}

fn port(ports: PortRange) -> Expr {
    match ports.width() {
        1 => number(ports.first.into()),
        _ => range(ports.first, ports.last),
    }
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
