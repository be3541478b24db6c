//! `table inet jail`: publishing, and who may talk to whom once a packet is the host's to route or to take.
//!
//! A jail is known by its address: `table bridge jail` has seen to it that the address is the jail's own.

use jail_firewall::nft::rule::{
    Expr, Object, Stmt, TCP, UDP, Writer, accept, any_of, concat, count, dnat, drop, field, iif, in_set, is,
    jump, l4_is, masquerade, meta, not_in_set, oif, prefix, refuse, related_error, state, text,
    to_own_address, was_dnat,
};
use nftables::expr::MetaKey;
use nftables::schema::SetFlag::Interval;
use nftables::schema::SetType::{self, Ifname, InetProto, InetService, Ipv4Addr, Ipv6Addr, Mark};
use nftables::stmt::NATFamily;
use nftables::types::{NfChainType, NfFamily, NfHook};

use crate::TABLE;

const AFTER_CONNTRACK: i32 = -150;
const DNAT: i32 = -100;
const FILTER: i32 = 0;
const SNAT: i32 = 100;

/// One IP version: its words in a rule. Its sets are named alike but for the digit.
struct Version {
    protocol: &'static str,
    nfproto: &'static str,
    nat: NATFamily,
    address: SetType,
    digit: char,
}

const VERSIONS: [Version; 2] = [
    Version { protocol: "ip", nfproto: "ipv4", nat: NATFamily::IP, address: Ipv4Addr, digit: '4' },
    Version { protocol: "ip6", nfproto: "ipv6", nat: NATFamily::IP6, address: Ipv6Addr, digit: '6' },
];

impl Version {
    /// This version's set of that name.
    fn set(&self, name: &str) -> String {
        format!("{name}{}", self.digit)
    }

    fn source(&self) -> Expr {
        field(self.protocol, "saddr")
    }

    fn destination(&self) -> Expr {
        field(self.protocol, "daddr")
    }

    fn is_from_jail(&self) -> Stmt {
        in_set(self.source(), &self.set("jails"))
    }

    fn is_to_jail(&self) -> Stmt {
        in_set(self.destination(), &self.set("jails"))
    }
}

pub(crate) fn table() -> Vec<Object> {
    let mut table = Writer::create(NfFamily::INet, TABLE);
    sets(&mut table);
    for chain in ["hostport", "to_jail", "from_jail", "not_ours", "from_jail_to_host"] {
        table.chain(chain);
    }
    table.hook("guard", NfChainType::Filter, NfHook::Prerouting, AFTER_CONNTRACK);
    table.hook("prerouting", NfChainType::NAT, NfHook::Prerouting, DNAT);
    table.hook("output", NfChainType::NAT, NfHook::Output, DNAT);
    table.hook("postrouting", NfChainType::NAT, NfHook::Postrouting, SNAT);
    table.hook("forward", NfChainType::Filter, NfHook::Forward, FILTER);
    table.hook("input", NfChainType::Filter, NfHook::Input, FILTER);
    guard(&mut table);
    publish(&mut table);
    source_nat(&mut table);
    forward(&mut table);
    input(&mut table);
    table.finish()
}

/// Maps to a mark say whose a key is; what else a jail has under that key stands and falls with it.
fn sets(table: &mut Writer) {
    table.set("forwards", &[Ifname], &[]);
    let port = [InetProto, InetService];
    table.map("ports", &port, Mark, &[]);
    table.map("to_port", &port, InetService, &[]);
    table.map("ranges", &port, Mark, &[Interval]);
    for version in &VERSIONS {
        table.map(&version.set("addresses"), &[version.address], Mark, &[]);
        table.set(&version.set("jails"), &[version.address], &[]);
        table.set(&version.set("home"), &[version.address, Ifname], &[]);
        table.set(&version.set("egress"), &[version.address], &[]);
        table.map(&version.set("to_addr"), &port, version.address, &[]);
        table.map(&version.set("range_addr"), &port, version.address, &[Interval]);
        let port_at = [version.address, InetProto, InetService];
        table.map(&version.set("at"), &port_at, Mark, &[]);
        table.map(&version.set("at_addr"), &port_at, version.address, &[]);
        table.map(&version.set("at_port"), &port_at, InetService, &[]);
        table.map(&version.set("at_ranges"), &port_at, Mark, &[Interval]);
        table.map(&version.set("at_range_addr"), &port_at, version.address, &[Interval]);
        table.set(&version.set("served"), &port_at, &[]);
        table.set(&version.set("served_ranges"), &port_at, &[Interval]);
    }
}

/// A published port is reached by 127.0.0.1 only because the bridge has route_localnet: that must not let whoever is
/// on the bridge reach the host's own loopback. No honest frame on a wire is addressed to it (RFC 1122, 3.2.1.3).
fn guard(table: &mut Writer) {
    table.rule(
        "guard",
        [
            is(meta(MetaKey::Iifkind), text("bridge")),
            is(field("ip", "daddr"), prefix("127.0.0.0", 8)),
            count(),
            drop(),
        ],
    );
}

fn publish(table: &mut Writer) {
    for hook in ["prerouting", "output"] {
        table.rule(hook, [l4_is(&[TCP, UDP]), to_own_address(), jump("hostport")]);
    }
    let port = concat([meta(MetaKey::L4proto), field("th", "dport")]);
    let port_at =
        |version: &Version| concat([version.destination(), meta(MetaKey::L4proto), field("th", "dport")]);
    // The closest match first: one address before all addresses, one port before a range.
    for version in &VERSIONS {
        let key = port_at(version);
        table.rule(
            "hostport",
            [dnat(version.nat, &key, &version.set("at_addr"), Some(&version.set("at_port")))],
        );
        table.rule("hostport", [dnat(version.nat, &key, &version.set("at_range_addr"), None)]);
    }
    for version in &VERSIONS {
        let this = is(meta(MetaKey::Nfproto), text(version.nfproto));
        table.rule(
            "hostport",
            [this.clone(), dnat(version.nat, &port, &version.set("to_addr"), Some("to_port"))],
        );
        table.rule("hostport", [this, dnat(version.nat, &port, &version.set("range_addr"), None)]);
    }
}

fn source_nat(table: &mut Writer) {
    let chain = "postrouting";
    // The host itself by 127.0.0.1, an address nobody can answer.
    table.rule(
        chain,
        [
            is(field("ip", "saddr"), prefix("127.0.0.0", 8)),
            in_set(field("ip", "daddr"), "jails4"),
            masquerade(),
        ],
    );
    for version in &VERSIONS {
        let home = || concat([version.source(), oif()]);
        // From a bridge back to the same bridge: without this the answer goes straight home and is not recognised. Two
        // rules, because with br_netfilter on the input interface is not known here.
        table.rule(chain, [was_dnat(), in_set(home(), &version.set("home")), masquerade()]);
        let came_from_home = in_set(concat([version.destination(), iif()]), &version.set("home"));
        table.rule(chain, [was_dnat(), came_from_home, masquerade()]);
        let out = [
            in_set(version.source(), &version.set("egress")),
            not_in_set(home(), &version.set("home")),
            not_in_set(version.destination(), &version.set("jails")),
            masquerade(),
        ];
        match version.nat {
            NATFamily::IP => table.rule(chain, out),
            // A global IPv6 address needs no translation.
            NATFamily::IP6 => {
                let local = is(version.source(), prefix("fc00::", 7));
                table.rule(chain, [vec![local], Vec::from(out)].concat());
            }
        }
    }
}

fn forward(table: &mut Writer) {
    // First, so that other people's traffic meets one rule and then only ours at the start of a connection.
    table.rule("forward", [state("established"), accept()]);
    for version in &VERSIONS {
        table.rule("forward", [version.is_to_jail(), jump("to_jail")]);
    }
    for version in &VERSIONS {
        table.rule("forward", [version.is_from_jail(), jump("from_jail")]);
    }
    // What forwards because of us forwards IPv4.
    let ipv4 = is(meta(MetaKey::Nfproto), text(VERSIONS[0].nfproto));
    table.rule("forward", [ipv4, in_set(iif(), "forwards"), jump("not_ours")]);

    let [related, icmp] = related_error();
    table.rule("to_jail", [related.clone(), icmp.clone(), accept()]);
    // Whoever led it there, it goes on only to what the jail publishes: rules that a dead jail left, or that were brought
    // back from a file, may lead to the next jail of that address. (By the jail's port, for nft 1.0.6 cannot look up the
    // connection's original one together with an address.)
    for version in &VERSIONS {
        let port = concat([version.destination(), meta(MetaKey::L4proto), field("th", "dport")]);
        for set in ["served", "served_ranges"] {
            table.rule("to_jail", [was_dnat(), in_set(port.clone(), &version.set(set)), accept()]);
        }
    }
    for version in &VERSIONS {
        table.rule(
            "to_jail",
            [in_set(concat([version.destination(), iif()]), &version.set("home")), accept()],
        );
    }
    for version in &VERSIONS {
        table.rule("to_jail", [version.is_from_jail(), count(), refuse()]);
    }
    table.rule("to_jail", [count(), drop()]);

    table.rule("from_jail", [related.clone(), icmp, accept()]);
    table.rule("from_jail", [state("invalid"), count(), drop()]);
    for version in &VERSIONS {
        table.rule("from_jail", [in_set(version.source(), &version.set("egress")), accept()]);
    }
    table.rule("from_jail", [count(), refuse()]);

    // The host did not route what comes in here before us, so nobody loses anything. Answers and what somebody
    // publishes pass: who switches on forwarding after us (a container engine) relies on them.
    table.rule("not_ours", [related, accept()]);
    table.rule("not_ours", [was_dnat(), accept()]);
    table.rule("not_ours", [count(), drop()]);
}

fn input(table: &mut Writer) {
    for version in &VERSIONS {
        table.rule("input", [version.is_from_jail(), jump("from_jail_to_host")]);
    }
    let [related, icmp] = related_error();
    table.rule("from_jail_to_host", [state("established"), accept()]);
    table.rule("from_jail_to_host", [related, icmp, accept()]);
    let neighbours = any_of(&["nd-neighbor-solicit", "nd-neighbor-advert"]);
    table.rule("from_jail_to_host", [is(field("icmpv6", "type"), neighbours), accept()]);
    table.rule("from_jail_to_host", [count(), refuse()]);
}
