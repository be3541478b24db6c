//! What one jail adds to the host's tables: set and map elements, each under a key that is the jail's own (its port of
//! the bridge, its address, a port it publishes), so that no two jails share one. Pure.

use std::net::IpAddr;

use jail_firewall::nft::bridge;
use jail_firewall::nft::entry::{Entry, protocol};
use jail_firewall::nft::rule::{Expr, concat, number, range, text};
use jail_firewall::reach;
use jail_net::backend::{Failure, Request};
use jail_net::model::{Attachment, Egress, Publish};
use nftables::types::NfFamily;

/// The element of `forwards` for an interface: the one kind that jails share. It goes with the table.
pub(crate) fn forwards(interface: &str) -> Entry {
    Entry::new(NfFamily::INet, "forwards", text(interface))
}

/// What the jail asks for, without [`forwards`].
///
/// # Errors
/// A published port that no address of the jail's can serve, and an interface name that nft would read as a pattern.
pub(crate) fn of(want: &Request) -> Result<Vec<Entry>, Failure> {
    let mut entries = bridge::entries(want)?;
    for (attachment, bridge) in reach::on_bridges(want) {
        addresses(&mut entries, attachment, bridge, want);
    }
    for publish in &want.publish {
        publication(&mut entries, publish, want)?;
    }
    for (target, of, ports) in reach::served(want)? {
        let (set, port) = match ports.width() {
            1 => ("served", number(ports.first.into())),
            _ => ("served_ranges", range(ports.first, ports.last)),
        };
        let key = concat([text(target.to_string()), protocol(of), port]);
        entries.push(Entry::new(NfFamily::INet, format!("{set}{}", digit(target)), key));
    }
    Ok(entries)
}

/// The digit of an address's sets.
fn digit(address: IpAddr) -> char {
    if address.is_ipv4() { '4' } else { '6' }
}

fn addresses(entries: &mut Vec<Entry>, attachment: &Attachment, bridge: &str, want: &Request) {
    for net in &attachment.addresses {
        let (address, digit) = (|| text(net.addr().to_string()), digit(net.addr()));
        let mut add = |name: &str, key| {
            entries.push(Entry::new(NfFamily::INet, format!("{name}{digit}"), key));
        };
        add("jails", address());
        add("home", concat([address(), text(bridge)]));
        if want.egress == Egress::Allow {
            add("egress", address());
        }
        let owner = Entry::new(NfFamily::INet, format!("addresses{digit}"), address());
        entries.push(owner.with(number(want.jail.number())));
    }
}

fn publication(entries: &mut Vec<Entry>, publish: &Publish, want: &Request) -> Result<(), Failure> {
    let targets = reach::targets(publish, want)?;
    if publish.host == publish.jail && publish.host.width() > 1 {
        whole_range(entries, publish, &targets, want.jail.number());
    } else {
        // nft cannot shift a range: one element a port.
        for (host, jail) in publish.host.ports().zip(publish.jail.ports()) {
            one_port(entries, publish, (host, jail), &targets, want.jail.number());
        }
    }
    Ok(())
}

/// Which host ports: `tcp . 80`, or for one host address `10.0.0.1 . tcp . 80`.
fn port_key(publish: &Publish, port: Expr) -> Expr {
    let address = publish.address.map(|address| text(address.to_string()));
    concat(address.into_iter().chain([protocol(publish.protocol), port]).collect::<Vec<_>>())
}

fn one_port(
    entries: &mut Vec<Entry>,
    publish: &Publish,
    (host, jail): (u16, u16),
    targets: &[IpAddr],
    id: u32,
) {
    let key = || port_key(publish, number(host.into()));
    let mut add = |set: String, value| entries.push(Entry::new(NfFamily::INet, set, key()).with(value));
    let (owner, port) = match publish.address {
        None => ("ports".into(), "to_port".into()),
        Some(at) => (format!("at{}", digit(at)), format!("at_port{}", digit(at))),
    };
    add(owner, number(id));
    add(port, number(jail.into()));
    let prefix = if publish.address.is_some() { "at" } else { "to" };
    for target in targets {
        add(format!("{prefix}_addr{}", digit(*target)), text(target.to_string()));
    }
}

fn whole_range(entries: &mut Vec<Entry>, publish: &Publish, targets: &[IpAddr], id: u32) {
    let key = || port_key(publish, range(publish.host.first, publish.host.last));
    let mut add = |set: String, value| entries.push(Entry::new(NfFamily::INet, set, key()).with(value));
    let (owner, prefix) = match publish.address {
        None => ("ranges".into(), "range"),
        Some(at) => (format!("at_ranges{}", digit(at)), "at_range"),
    };
    add(owner, number(id));
    for target in targets {
        add(format!("{prefix}_addr{}", digit(*target)), text(target.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use jail_net::model::Egress::{Allow, Deny};
    use jail_net::model::Network;

    use super::*;
    use jail_net::backend::Kind;
    use jail_net::conformance::{on_lan, request};

    fn sets(want: &Request) -> Vec<String> {
        of(want).unwrap().into_iter().map(|entry| entry.set).collect()
    }

    #[test]
    fn a_jail_has_its_port_its_address_and_what_it_publishes() {
        let sets_of = |egress| sets(&request(10, &["80"], egress));
        let common = ["jails4", "home4"];
        let port = ["ports", "to_port", "to_addr4", "served4"];
        let deny = [&["ports", "known4"], &common[..], &["addresses4"], &port].concat();
        let allow = [&["ports", "egress", "known4"], &common[..], &["egress4", "addresses4"], &port].concat();
        assert_eq!(sets_of(Deny), deny);
        assert_eq!(sets_of(Allow), allow);
    }

    #[test]
    fn a_range_is_one_element_unless_it_is_shifted() {
        let ports = |publish| sets(&request(10, &[publish], Deny)).split_off(5);
        assert_eq!(ports("1-65535"), ["ranges", "range_addr4", "served_ranges4"]);
        assert_eq!(ports("192.0.2.1:7000-7010"), ["at_ranges4", "at_range_addr4", "served_ranges4"]);
        assert_eq!(ports("7000-7001:8000-8001").len(), 7);
        assert_eq!(
            ports("53/udp"),
            ["addresses4", "ports", "to_port", "to_addr4", "served4"],
            "and in the bridge's"
        );
    }

    #[test]
    fn a_port_of_the_jails_that_several_lead_to_is_served_once() {
        let entries = of(&request(10, &["8080:80", "8443:80", "70-90", "192.0.2.1:85-95"], Deny)).unwrap();
        let served = entries.iter().filter(|entry| entry.set.starts_with("served"));
        let served: Vec<_> = served.map(|entry| entry.words("jail")).collect();
        assert_eq!(served, ["10.10.20.10 . tcp . 70-95 in set served_ranges4 of table inet jail"]);
    }

    #[test]
    fn both_address_families_are_published_alike() {
        let mut want = request(10, &["80"], Deny);
        want.attachments[0].addresses.push("fd00::10/64".parse().unwrap());
        let sets = sets(&want);
        for set in ["known6", "jails6", "home6", "addresses6", "to_addr4", "to_addr6", "served4", "served6"] {
            assert!(sets.iter().any(|name| name == set), "{set}");
        }
    }

    #[test]
    fn an_interface_beside_a_parent_has_nothing_on_the_host_and_no_published_port_leads_to_it() {
        let mut want = request(10, &["80"], Allow);
        let on_bridge = sets(&want);
        want.attachments.insert(0, on_lan(50));
        assert_eq!(sets(&want), on_bridge);
        assert!(of(&want).unwrap().iter().all(|entry| !entry.words("jail").contains("192.168.77.50")));
        want.attachments.truncate(1);
        assert_eq!(of(&want).unwrap_err().object, "--publish=80");
        want.publish.clear();
        assert_eq!(of(&want).unwrap(), []);
    }

    #[test]
    fn an_interface_without_an_address_may_say_nothing_and_is_not_published() {
        let mut want = request(10, &[], Deny);
        want.attachments[0].addresses.clear();
        assert_eq!(sets(&want), ["ports"]);
        want.publish.push("80".parse().unwrap());
        assert_eq!(of(&want).unwrap_err().object, "--publish=80");
    }

    #[test]
    fn what_cannot_be_published_or_named_is_refused_in_the_users_words() {
        let failure = of(&request(10, &["[fd00::1]:80"], Deny)).unwrap_err();
        assert_eq!(failure.message, "--publish=[fd00::1]:80: the jail has no address it could lead to");
        let mut want = request(10, &[], Deny);
        want.attachments[0].network = Network::ours("dmz", "br*", "10.10.20.1/24".parse().unwrap());
        assert_eq!(of(&want).unwrap_err().kind, Kind::Unsupported);
    }
}
