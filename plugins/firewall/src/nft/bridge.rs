//! The table of family bridge: what may come out of a jail's port of a bridge. Other ports are never looked at twice.
//!
//! This is what makes an address a jail's own: beyond here a packet with a jail's source address came from that jail's
//! port, and a packet from its port has its address. So rules for what is routed go by addresses; no packet mark is
//! needed, which other people's rules could share or overwrite.

use jail_net::backend::{Failure, Request};
use jail_net::model::{Attachment, Egress, PortRange, Protocol};
use nftables::schema::SetFlag::Interval;
use nftables::schema::SetType::{EtherAddr, Ifname, InetService, Ipv4Addr, Ipv6Addr};
use nftables::types::{NfChainType, NfFamily, NfHook};

use super::entry::Entry;
use super::rule::{
    Expr, Object, Writer, accept, and, any_of, concat, count, drop, field, goto, iif, in_set, is, is_not,
    jump, not_in_set, number, oif, range, text,
};
use crate::reach::{nameable, on_bridges};

/// Before everybody else's, broute and dnat (-300) included: what is dropped here is seen by nobody.
const FIRST: i32 = -400;
const FILTER: i32 = -200;

/// SYN and ACK of the TCP flags.
const SYN: u32 = 0x02;
const SYN_ACK: u32 = 0x12;

/// The commands that make the table.
pub fn table(name: &'static str) -> Vec<Object> {
    let mut table = Writer::create(NfFamily::Bridge, name);
    table.set("ports", &[Ifname], &[]);
    table.set("known4", &[Ifname, EtherAddr, Ipv4Addr], &[]);
    table.set("known6", &[Ifname, EtherAddr, Ipv6Addr], &[]);
    table.set("egress", &[Ifname], &[]);
    table.set("answers", &[Ifname, InetService], &[]);
    table.set("answer_ranges", &[Ifname, InetService], &[Interval]);
    for chain in ["from_port", "from_port_arp", "from_port_ip", "from_port_ip6", "leaving"] {
        table.chain(chain);
    }
    table.hook("prerouting", NfChainType::Filter, NfHook::Prerouting, FIRST);
    table.hook("forward", NfChainType::Filter, NfHook::Forward, FILTER);
    source_checks(&mut table);
    uplink(&mut table);
    table.finish()
}

/// The sender as the sets know it: port, MAC, address.
fn sender(mac: Expr, address: Expr) -> Expr {
    concat([iif(), mac, address])
}

fn source_checks(table: &mut Writer) {
    table.rule("prerouting", [in_set(iif(), "ports"), jump("from_port")]);

    // `ether type` reads the frame, VLAN tag included; `meta protocol` would look behind an offloaded tag.
    table.rule("from_port", [is(field("ether", "type"), text("arp")), goto("from_port_arp")]);
    table.rule("from_port", [is(field("ether", "type"), text("ip")), goto("from_port_ip")]);
    table.rule("from_port", [is(field("ether", "type"), text("ip6")), goto("from_port_ip6")]);
    table.rule("from_port", [count(), drop()]);

    let ethernet_for_ip = [("htype", 1), ("ptype", 0x0800), ("hlen", 6), ("plen", 4)];
    let mut own_arp = Vec::from(ethernet_for_ip.map(|(name, value)| is(field("arp", name), number(value))));
    own_arp.push(in_set(sender(field("ether", "saddr"), field("arp", "saddr ip")), "known4"));
    own_arp.push(in_set(sender(field("arp", "saddr ether"), field("arp", "saddr ip")), "known4"));
    own_arp.push(accept());
    table.rule("from_port_arp", own_arp);
    table.rule("from_port_arp", [count(), drop()]);

    table.rule(
        "from_port_ip",
        [in_set(sender(field("ether", "saddr"), field("ip", "saddr")), "known4"), accept()],
    );
    table.rule("from_port_ip", [count(), drop()]);

    let router_talk = any_of(&["nd-router-advert", "nd-redirect"]);
    table.rule("from_port_ip6", [is(field("icmpv6", "type"), router_talk), count(), drop()]);
    table.rule(
        "from_port_ip6",
        [in_set(sender(field("ether", "saddr"), field("ip6", "saddr")), "known6"), accept()],
    );
    table.rule("from_port_ip6", [count(), drop()]);
}

/// From a jail's port to one that is not a jail's: an adopted bridge's uplink, a virtual machine.
///
/// The jail may answer there, not open. Told apart without connection tracking: in this family that would make the
/// kernel track every frame of every bridge of the host, other people's too (and many kernels cannot).
fn uplink(table: &mut Writer) {
    table.rule("forward", [in_set(iif(), "ports"), not_in_set(oif(), "ports"), jump("leaving")]);

    table.rule("leaving", [in_set(iif(), "egress"), accept()]);
    table.rule("leaving", [is(field("ether", "type"), text("arp")), accept()]);
    // A later fragment opens nothing by itself, and its first fragment was judged.
    table.rule("leaving", [is_not(and(field("ip", "frag-off"), number(0x1fff)), number(0)), accept()]);
    // Accepts what has readable flags, so that a fragment too short to hold them is dropped below.
    table.rule("leaving", [is_not(and(field("tcp", "flags"), number(SYN_ACK)), number(SYN)), accept()]);
    table.rule("leaving", [in_set(concat([iif(), field("udp", "sport")]), "answers"), accept()]);
    table.rule("leaving", [in_set(concat([iif(), field("udp", "sport")]), "answer_ranges"), accept()]);
    let answers = ["echo-reply", "destination-unreachable", "time-exceeded", "parameter-problem"];
    table.rule("leaving", [is(field("icmp", "type"), any_of(&answers)), accept()]);
    let answers6 = [
        "echo-reply",
        "destination-unreachable",
        "packet-too-big",
        "time-exceeded",
        "parameter-problem",
        "nd-neighbor-solicit",
        "nd-neighbor-advert",
    ];
    table.rule("leaving", [is(field("icmpv6", "type"), any_of(&answers6)), accept()]);
    table.rule("leaving", [count(), drop()]);
}

/// What a jail adds to the table: its ports of bridges, who may be behind each, and what a neighbour that is not a jail
/// may be answered from over UDP.
///
/// # Errors
/// `Unsupported` for a bridge that [cannot be named](crate::reach::nameable).
pub fn entries(want: &Request) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for (attachment, bridge) in on_bridges(want) {
        nameable(bridge)?;
        port(&mut entries, attachment, want.egress);
        let udp = want.publish.iter().filter(|publish| publish.protocol == Protocol::Udp);
        for publish in udp {
            let entry = answers(&attachment.host_interface, publish.jail);
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

fn port(entries: &mut Vec<Entry>, attachment: &Attachment, egress: Egress) {
    let port = || text(&attachment.host_interface);
    let mut add = |set: &str, key| entries.push(Entry::new(NfFamily::Bridge, set, key));
    add("ports", port());
    if egress == Egress::Allow {
        add("egress", port());
    }
    for net in &attachment.addresses {
        let known = if net.addr().is_ipv4() { "known4" } else { "known6" };
        add(known, concat([port(), text(&attachment.mac), text(net.addr().to_string())]));
    }
}

fn answers(port: &str, ports: PortRange) -> Entry {
    let (set, number) = match ports.width() {
        1 => ("answers", number(ports.first.into())),
        _ => ("answer_ranges", range(ports.first, ports.last)),
    };
    Entry::new(NfFamily::Bridge, set, concat([text(port), number]))
}
