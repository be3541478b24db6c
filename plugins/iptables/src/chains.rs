//! The fixed part of the host's rules: our chains, what of them all jails share, and the jumps that lead there.
//!
//! What other people's packets meet: the jump, and for each bridge that jails are on one rule, or two where they are
//! forwarded. A chain of jails' own rules is entered only by packets of such a bridge.

use std::collections::BTreeSet;

use jail_firewall::reach::Version;

use crate::rule::{Rule, Table};

/// What all jails share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shared {
    /// The bridges that jails are on.
    pub(crate) bridges: BTreeSet<String>,
    /// The interfaces that forward only because of us.
    pub(crate) forwards: BTreeSet<String>,
}

/// A packet from a jail to the host, by who sends it.
pub(crate) const HOST: &str = "JAIL-HOST";
/// A packet to a jail, by whom it is for.
pub(crate) const TO: &str = "JAIL-TO";
/// A packet that somebody led to a jail, by what the jail publishes: rules that a dead jail left, or that were brought
/// back from a file, may lead to the next jail of that address.
pub(crate) const SERVED: &str = "JAIL-SERVED";
/// A packet from a jail to somewhere else, by who sends it.
pub(crate) const FROM: &str = "JAIL-FROM";
/// Ports published at one address of the host.
pub(crate) const AT: &str = "JAIL-AT";
/// Ports published at all of them.
pub(crate) const PORTS: &str = "JAIL-PORTS";
/// Whose source is rewritten.
pub(crate) const SOURCE: &str = "JAIL-SOURCE";

pub(crate) const TO_HOST: &str = "JAIL-TO-HOST";
pub(crate) const TO_JAIL: &str = "JAIL-TO-JAIL";
pub(crate) const DENY: &str = "JAIL-DENY";
pub(crate) const ALLOW: &str = "JAIL-ALLOW";
const GUARD: &str = "JAIL-GUARD";
const PUBLISHED: &str = "JAIL-PUBLISHED";

/// The chain that says that we made the whole table: see [`crate::made`].
pub(crate) const MADE: &str = "JAIL-MADE";

/// The kernel's chains that lead to one of ours, by one jump each at the first place.
pub(crate) fn hooks(table: Table) -> &'static [(&'static str, &'static str)] {
    match table {
        Table::Filter => &[("INPUT", "JAIL-INPUT"), ("FORWARD", "JAIL-FORWARD")],
        Table::Nat => {
            &[("PREROUTING", "JAIL-PREROUTING"), ("OUTPUT", "JAIL-OUTPUT"), ("POSTROUTING", SOURCE)]
        }
    }
}

/// The chains that hold jails' own rules.
pub(crate) fn lists(table: Table) -> &'static [&'static str] {
    match table {
        Table::Filter => &[HOST, TO, SERVED, FROM],
        Table::Nat => &[AT, PORTS, SOURCE],
    }
}

/// Every chain of ours in a table, but [`MADE`].
pub(crate) fn all(table: Table) -> Vec<&'static str> {
    let shared = shared(table, Version::V4, &Shared::default()).into_iter().map(|(chain, _)| chain);
    shared.chain(lists(table).iter().copied()).collect()
}

/// Whether a chain holds jails' own rules.
pub(crate) fn is_list(chain: &str) -> bool {
    [Table::Filter, Table::Nat].into_iter().any(|table| lists(table).contains(&chain))
}

/// The chains that all jails share, with all their rules.
pub(crate) fn shared(table: Table, version: Version, shared: &Shared) -> Vec<(&'static str, Vec<String>)> {
    match table {
        Table::Filter => filter(version, shared),
        Table::Nat => nat(version),
    }
}

/// What all jails share, read back from a filter table's rules.
pub(crate) fn shared_in<'a>(rules: impl Iterator<Item = &'a Rule>) -> Shared {
    let mut shared = Shared::default();
    for rule in rules {
        let Some(interface) = rule.value("-i") else { continue };
        if rule.chain == HOST && rule.jail().is_some() {
            shared.bridges.insert(interface.to_owned());
        } else if rule.chain == "JAIL-FORWARD" && rule.target() == Some(GUARD) {
            shared.forwards.insert(interface.to_owned());
        }
    }
    shared
}

/// Refuses with an ICMP error that makes connect(2) fail at once.
pub(crate) fn refuse(version: Version) -> &'static str {
    match version {
        Version::V4 => "-j REJECT --reject-with icmp-admin-prohibited",
        Version::V6 => "-j REJECT --reject-with icmp6-adm-prohibited",
    }
}

/// Accepts an answer.
pub(crate) const ANSWERS: &str = "-m conntrack --ctstate ESTABLISHED -j ACCEPT";

/// Accepts an error about a connection. Nothing else counts as related: with a connection tracking helper on the host,
/// a published FTP service could otherwise open any connection it announces.
pub(crate) fn errors(version: Version) -> String {
    format!("-p {} -m conntrack --ctstate RELATED -j ACCEPT", icmp(version))
}

fn icmp(version: Version) -> &'static str {
    if version == Version::V4 { "icmp" } else { "ipv6-icmp" }
}

/// Accepts what neighbours must find each other by.
pub(crate) fn neighbours(version: Version) -> Vec<String> {
    match version {
        Version::V4 => Vec::new(), // ARP
        Version::V6 => {
            [135, 136].map(|kind| format!("-p ipv6-icmp -m icmp6 --icmpv6-type {kind} -j ACCEPT")).to_vec()
        }
    }
}

fn filter(version: Version, shared: &Shared) -> Vec<(&'static str, Vec<String>)> {
    let refuse = refuse(version).to_owned();
    let begin = || vec![ANSWERS.to_owned(), errors(version)];
    let by = |option: &'static str, rest: &str| -> Vec<String> {
        shared.bridges.iter().map(|bridge| format!("{option} {bridge} {rest}")).collect()
    };
    let invalid = "-m conntrack --ctstate INVALID -j DROP".to_owned();
    let guarded = shared.forwards.iter().map(|interface| format!("-i {interface} -j {GUARD}")).collect();

    let input = by("-i", &format!("-j {HOST}"));
    let forward = [by("-o", &format!("-j {TO}")), by("-i", &format!("-j {FROM}")), guarded].concat();
    let to_host = [begin(), neighbours(version), vec![refuse.clone()]].concat();
    let published = vec![format!("-m conntrack --ctstate DNAT -j {SERVED}")];
    let to_jail = [begin(), published, by("-i", &refuse), vec!["-j DROP".to_owned()]].concat();
    let deny = [begin(), vec![invalid.clone(), refuse]].concat();
    let allow = [begin(), vec![invalid, "-j ACCEPT".to_owned()]].concat();
    // The host did not route what comes in here before us, so nobody loses anything. Answers and what somebody publishes
    // go on to other people's rules: who switches on forwarding after us (a container engine) relies on them.
    let not_new = "-m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j RETURN".to_owned();
    let guard = vec![not_new, "-j DROP".to_owned()];
    vec![
        ("JAIL-INPUT", [loopback(version, shared), input].concat()),
        ("JAIL-FORWARD", forward),
        (TO_HOST, to_host),
        (TO_JAIL, to_jail),
        (DENY, deny),
        (ALLOW, allow),
        (GUARD, guard),
    ]
}

/// A published port is reached by 127.0.0.1 only because the bridge has route_localnet: that must not let whoever is on
/// the bridge reach the host's own loopback. What comes as an answer to the host has its address again by now.
fn loopback(version: Version, shared: &Shared) -> Vec<String> {
    if version == Version::V6 {
        return Vec::new();
    }
    let drop = |bridge| format!("-d 127.0.0.0/8 -i {bridge} -m conntrack ! --ctstate ESTABLISHED -j DROP");
    shared.bridges.iter().map(drop).collect()
}

fn nat(version: Version) -> Vec<(&'static str, Vec<String>)> {
    let local = || vec![format!("-m addrtype --dst-type LOCAL -j {PUBLISHED}")];
    // From outside no honest packet is addressed to it: what is published there is for the host.
    let loopback =
        if version == Version::V4 { vec!["-d 127.0.0.0/8 -j RETURN".to_owned()] } else { Vec::new() };
    // The closest match first: one address before all addresses.
    let published = [AT, PORTS].map(|chain| format!("-j {chain}")).to_vec();
    vec![("JAIL-PREROUTING", [loopback, local()].concat()), ("JAIL-OUTPUT", local()), (PUBLISHED, published)]
}
