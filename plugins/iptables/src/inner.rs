//! The rules in the jail's own network namespace: the same policy again, where flushing the host's rules does not reach.
//! The namespace belongs to the host's user namespace, so the jail cannot touch them.
//!
//! What the host would decide as it routes is written down here as it is when the jail starts: the host's addresses,
//! the other networks of ours, the ports that jails publish. A port that a jail publishes later is not reached by the
//! host's address until this jail starts anew. Multicast and broadcast are refused: the host hears them too.
//!
//! What goes out beside a parent (a macvlan) never passes the host's rules: here is all that holds it back. Its subnet
//! is the LAN, where a jail without egress opens nothing; and the host is not to be had by it at all.

use ipnet::IpNet;
use jail_firewall::nft::foreign;
use jail_firewall::reach::{self, Version};
use jail_net::backend::Request;
use jail_net::model::{Egress, PortRange, Protocol};

use crate::chains::{ANSWERS, errors, neighbours, refuse};
use crate::host::span;

/// The chain of packets to the host's addresses.
const HOST: &str = "HOST";

/// What iptables-restore is given for this IP version. With `frames`, what opens a connection on a bridge of the
/// jail's is marked for the table of family netdev.
pub(crate) fn document(want: &Request, version: Version, frames: bool) -> String {
    let marks = if frames { table("mangle", "", &marks(want, version)) } else { String::new() };
    let chains = format!(":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:{HOST} - [0:0]\n");
    marks + &table("filter", &chains, &filter(want, version))
}

fn table(name: &str, chains: &str, rules: &[String]) -> String {
    format!("*{name}\n{chains}:OUTPUT ACCEPT [0:0]\n{}\nCOMMIT\n", rules.join("\n"))
}

/// No rules, where there were those of a [`document`].
pub(crate) fn nothing() -> String {
    ["filter", "mangle"].map(|name| table(name, "", &[])).concat()
}

fn filter(want: &Request, version: Version) -> Vec<String> {
    let refuse = refuse(version);
    let refused = |to: String| format!("-A OUTPUT -d {to} {refuse}");
    // Before the host's addresses are refused: it must find its neighbour, and be found; without an address too.
    let mut rules: Vec<_> = neighbours(version).iter().map(|rule| format!("-A OUTPUT {rule}")).collect();
    // Anybody may send from anybody's IPv6 address (IPV6_FREEBIND), to itself as well: an answer to that would be one to
    // whoever has the address.
    rules.push("-A OUTPUT -m addrtype ! --src-type LOCAL -j DROP".to_owned());
    rules.push("-A OUTPUT -o lo -j ACCEPT".to_owned());
    rules.extend([format!("-A OUTPUT {ANSWERS}"), format!("-A OUTPUT {}", errors(version))]);
    rules.extend(version.never().iter().map(|(address, len)| refused(format!("{address}/{len}"))));
    rules.extend(reach::broadcasts(want, version).iter().map(|at| refused(at.to_string())));
    rules.extend(reach::hosts(want, version).iter().map(|at| format!("-A OUTPUT -d {at} -g {HOST}")));
    for (attachment, _) in reach::on_bridges(want) {
        let to = |net: IpNet| format!("-A OUTPUT -d {net} -o {} -j ACCEPT", attachment.interface);
        rules.extend(reach::subnets(attachment, version).map(to));
    }
    if want.egress == Egress::Allow {
        rules.extend(reach::others(want, version).iter().map(|net| refused(net.to_string())));
        rules.extend(published(want, version));
    } else {
        rules.push(format!("-A OUTPUT {refuse}"));
    }
    rules.push(format!("-A {HOST} {refuse}"));
    rules
}

/// The ports of the host's that jails publish.
fn published(want: &Request, version: Version) -> Vec<String> {
    let port = |of: Protocol, ports: PortRange| {
        let of = of.as_str();
        format!("-p {of} -m {of} --dport {} -j ACCEPT", span(ports))
    };
    let beside = reach::beside_parents(want);
    let beside =
        beside.map(|attachment| format!("-A {HOST} -o {} {}", attachment.interface, refuse(version)));
    let everywhere = reach::published(want).into_iter();
    let everywhere = everywhere.map(|(of, ports)| format!("-A {HOST} {}", port(of, ports)));
    let at = reach::published_at(want, version).into_iter();
    beside
        .chain(everywhere)
        .chain(at.map(|(at, of, ports)| format!("-A {HOST} -d {at} {}", port(of, ports))))
        .collect()
}

/// Marks what opens a connection on the jail's own bridges.
fn marks(want: &Request, version: Version) -> Vec<String> {
    let pass = [neighbours(version), vec![ANSWERS.to_owned(), errors(version)]].concat();
    let mut rules: Vec<_> = pass.iter().map(|rule| format!("-A OUTPUT {rule}")).collect();
    let guarded = want.attachments.iter().filter(|at| foreign::may_be_near(at, want.egress));
    for attachment in guarded {
        let mark = foreign::OPENS;
        let to =
            |net: IpNet| format!("-A OUTPUT -d {net} -o {} -j MARK --set-mark {mark}", attachment.interface);
        rules.extend(reach::subnets(attachment, version).map(to));
    }
    rules
}
