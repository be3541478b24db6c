//! The jail's own table, in its own network namespace: the same policy again, where `nft flush ruleset` on the host
//! does not reach. The namespace belongs to the host's user namespace, so the jail cannot touch it.
//!
//! What the host would decide as it routes is written down here as it is when the jail starts: the host's addresses,
//! the other networks of ours, the ports that jails publish. A port that a jail publishes later is not reached by the
//! host's address until this jail starts anew. Multicast and broadcast are refused: the host hears them too.
//!
//! What goes out beside a parent (a macvlan) never passes the host's rules: here is all that holds it back. Its subnet
//! is the LAN, where a jail without egress opens nothing; and the host is not to be had by it at all.

use std::net::IpAddr;

use ipnet::IpNet;
use jail_firewall::nft::entry::protocol;
use jail_firewall::nft::foreign;
use jail_firewall::nft::rule::{
    Expr, Object, Writer, accept, any_of, concat, count, drop, field, from_others_address, in_set, is, meta,
    number, oif, prefix, range, refuse, related_error, state, text,
};
use jail_firewall::reach::{self, Version};
use jail_net::backend::Request;
use jail_net::model::{Egress, PortRange};
use nftables::expr::MetaKey;
use nftables::schema::SetFlag::Interval;
use nftables::schema::SetType::{self, InetProto, InetService, Ipv4Addr, Ipv6Addr};
use nftables::types::{NfChainType, NfFamily, NfHook};

use crate::TABLE;

const FILTER: i32 = 0;

fn set(version: Version, name: &str) -> String {
    format!("{name}{}", if version == Version::V4 { '4' } else { '6' })
}

fn address(version: Version) -> SetType {
    if version == Version::V4 { Ipv4Addr } else { Ipv6Addr }
}

fn destination(version: Version) -> Expr {
    field(if version == Version::V4 { "ip" } else { "ip6" }, "daddr")
}

/// The commands that make the table. It dies with the namespace.
pub(crate) fn table(want: &Request) -> Vec<Object> {
    let mut table = Writer::create(NfFamily::INet, TABLE);
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
    for version in Version::BOTH {
        sets(&mut table, version, want);
        rules(&mut table, version, want);
    }
    if want.egress != Egress::Allow {
        table.rule("output", [refuse()]);
    }
    table.finish()
}

fn sets(table: &mut Writer, version: Version, want: &Request) {
    let addresses = [address(version)];
    let never = version.never().iter().map(|(address, len)| prefix(*address, *len));
    let broadcasts = reach::broadcasts(want, version).into_iter().map(one);
    table.set(&set(version, "never"), &addresses, &[Interval]);
    table.elements(&set(version, "never"), never.chain(broadcasts));

    table.set(&set(version, "host"), &addresses, &[]);
    table.elements(&set(version, "host"), reach::hosts(want, version).into_iter().map(one));
    if want.egress == Egress::Allow {
        table.set(&set(version, "others"), &addresses, &[Interval]);
        table.elements(&set(version, "others"), reach::others(want, version).into_iter().map(net));
        let at = set(version, "published_at");
        table.set(&at, &[address(version), InetProto, InetService], &[Interval]);
        let keys = reach::published_at(want, version).into_iter();
        table.elements(&at, keys.map(|(at, of, ports)| concat([one(at), protocol(of), port(ports)])));
    }
}

fn one(address: IpAddr) -> Expr {
    text(address.to_string())
}

fn net(net: IpNet) -> Expr {
    prefix(net.network().to_string(), net.prefix_len())
}

fn rules(table: &mut Writer, version: Version, want: &Request) {
    let to = |name: &str| in_set(destination(version), &set(version, name));
    let port = || [meta(MetaKey::L4proto), field("th", "dport")];
    let allow = want.egress == Egress::Allow;
    table.rule("output", [to("never"), refuse()]);
    if allow {
        for attachment in reach::beside_parents(want) {
            table.rule("output", [is(oif(), text(&attachment.interface)), to("host"), refuse()]);
        }
        table.rule("output", [to("host"), in_set(concat(port()), "published"), accept()]);
        let [protocol, number] = port();
        let at = concat([destination(version), protocol, number]);
        table.rule("output", [to("host"), in_set(at, &set(version, "published_at")), accept()]);
    }
    table.rule("output", [to("host"), refuse()]);
    for (attachment, _) in reach::on_bridges(want) {
        for subnet in reach::subnets(attachment, version) {
            let mut opens =
                vec![is(oif(), text(&attachment.interface)), is(destination(version), net(subnet))];
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

fn set_of_ports(table: &mut Writer, want: &Request) {
    table.set("published", &[InetProto, InetService], &[Interval]);
    let keys = reach::published(want).into_iter();
    table.elements("published", keys.map(|(of, ports)| concat([protocol(of), port(ports)])));
}

fn port(ports: PortRange) -> Expr {
    match ports.width() {
        1 => number(ports.first.into()),
        _ => range(ports.first, ports.last),
    }
}
