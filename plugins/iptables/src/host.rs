//! What one jail adds to the host's rules, each with a comment that says whose it is. Pure.
//!
//! A jail is known by its bridge and its address where `table bridge jail-iptables` has seen to it that the address is
//! the jail's own. Where there is no nft, nothing but jails is on the bridge: all that comes from there is a jail's.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use jail_firewall::nft::entry::comment;
use jail_firewall::reach::{self, Version, nameable};
use jail_net::backend::{Failure, Request};
use jail_net::model::{Attachment, Egress, PortRange, Publish};

use crate::chains::{ALLOW, AT, DENY, FROM, HOST, PORTS, SERVED, SOURCE, TO, TO_HOST, TO_JAIL};
use crate::rule::{Rule, Table};

/// A jail's rules of one IP version.
pub(crate) type Rules = BTreeMap<Table, Vec<Rule>>;

/// What the jail asks for.
///
/// # Errors
/// A published port that no address of the jail's can serve, and an interface name that iptables would misread.
pub(crate) fn of(want: &Request, version: Version, with_nft: bool) -> Result<Rules, Failure> {
    let jail = Jail {
        want,
        version,
        with_nft,
        own: format!("-m comment --comment \"{}\"", comment(&want.jail, &want.name)),
    };
    let mut filter = Vec::new();
    let mut nat = Vec::new();
    for attachment in &want.attachments {
        nameable(&attachment.interface)?;
    }
    for (attachment, bridge) in reach::on_bridges(want) {
        nameable(bridge)?;
        jail.policy(&mut filter, attachment, bridge);
        jail.sources(&mut nat, attachment, bridge);
    }
    for (target, protocol, ports) in reach::served(want)?.into_iter().filter(|(at, ..)| version.has(*at)) {
        let (to, of, own) = (IpNet::from(target), protocol.as_str(), &jail.own);
        let text = format!("-d {to} -p {of} -m {of} --dport {} {own} -j ACCEPT", span(ports));
        filter.push(Rule::new(SERVED, text));
    }
    for publish in &want.publish {
        for target in reach::targets(publish, want)?.into_iter().filter(|target| version.has(*target)) {
            jail.publish(&mut nat, publish, target);
        }
    }
    let tables = [(Table::Filter, filter), (Table::Nat, nat)];
    Ok(tables.into_iter().filter(|(_, rules)| !rules.is_empty()).collect())
}

struct Jail<'a> {
    want: &'a Request,
    version: Version,
    with_nft: bool,
    /// The comment of its rules.
    own: String,
}

impl Jail<'_> {
    /// Who may talk to whom.
    fn policy(&self, rules: &mut Vec<Rule>, attachment: &Attachment, bridge: &str) {
        let own = &self.own;
        let allowed = self.want.egress == Egress::Allow;
        for address in self.addresses(attachment) {
            let mut add = |chain, text| rules.push(Rule::new(chain, text));
            add(TO, format!("-d {address} -i {bridge} -o {bridge} {own} -j ACCEPT"));
            add(TO, format!("-d {address} -o {bridge} {own} -g {TO_JAIL}"));
            if self.with_nft {
                let to = if allowed { ALLOW } else { DENY };
                add(FROM, format!("-s {address} -i {bridge} {own} -g {to}"));
                add(HOST, format!("-s {address} -i {bridge} {own} -g {TO_HOST}"));
            } else if allowed {
                let text = format!("-s {address} -i {bridge} {own} -g {ALLOW}");
                rules.push(Rule { first: true, ..Rule::new(FROM, text) });
            }
        }
        if attachment.addresses.is_empty() && self.version == Version::V4 && self.with_nft {
            // It may say nothing; that it is there keeps what all jails share.
            rules.push(Rule::new(FROM, format!("-s 0.0.0.0/32 -i {bridge} {own} -g {DENY}")));
            rules.push(Rule::new(HOST, format!("-s 0.0.0.0/32 -i {bridge} {own} -g {TO_HOST}")));
        }
        if !self.with_nft {
            rules.push(Rule::new(FROM, format!("-i {bridge} {own} -g {DENY}")));
            rules.push(Rule::new(HOST, format!("-i {bridge} {own} -g {TO_HOST}")));
        }
    }

    /// Whose address a packet goes on with.
    fn sources(&self, rules: &mut Vec<Rule>, attachment: &Attachment, bridge: &str) {
        let own = &self.own;
        let mut add = |text| rules.push(Rule::new(SOURCE, text));
        for (net, address) in self.nets(attachment).zip(self.addresses(attachment)) {
            if !self.want.publish.is_empty() {
                if self.version == Version::V4 {
                    // The host itself by 127.0.0.1, an address nobody can answer.
                    add(format!("-s 127.0.0.0/8 -d {address} -o {bridge} {own} -j MASQUERADE"));
                }
                // From the bridge back to the same bridge: without this the answer goes straight home and is not
                // recognised.
                let home = net.trunc();
                let dnat = "-m conntrack --ctstate DNAT";
                add(format!("-s {home} -d {address} -o {bridge} {dnat} {own} -j MASQUERADE"));
            }
            if self.want.egress == Egress::Allow && is_private(net.addr()) {
                let own_way = "-m conntrack ! --ctstate DNAT";
                add(format!("-s {address} ! -o {bridge} {own_way} {own} -j MASQUERADE"));
            }
        }
    }

    fn publish(&self, rules: &mut Vec<Rule>, publish: &Publish, target: IpAddr) {
        let whole = publish.host == publish.jail && publish.host.width() > 1;
        let add = |ports: PortRange, to: String| {
            let (chain, at) = match publish.address {
                Some(address) => (AT, format!("-d {} ", IpNet::from(address))),
                None => (PORTS, String::new()),
            };
            let protocol = publish.protocol.as_str();
            let (matches, own) = (format!("-p {protocol} -m {protocol} --dport {}", span(ports)), &self.own);
            let text = format!("{at}{matches} {own} -j DNAT --to-destination {to}");
            // One port before a range.
            Rule { first: !whole, ..Rule::new(chain, text) }
        };
        if whole {
            rules.push(add(publish.host, target.to_string()));
            return;
        }
        for (host, jail) in publish.host.ports().zip(publish.jail.ports()) {
            let to = match target {
                IpAddr::V4(target) => format!("{target}:{jail}"),
                IpAddr::V6(target) => format!("[{target}]:{jail}"),
            };
            rules.push(add(PortRange { first: host, last: host }, to));
        }
    }

    fn nets(&self, attachment: &Attachment) -> impl Iterator<Item = IpNet> {
        let version = self.version;
        attachment.addresses.iter().copied().filter(move |net| version.has(net.addr()))
    }

    /// The jail's addresses as iptables-save writes them.
    fn addresses(&self, attachment: &Attachment) -> impl Iterator<Item = IpNet> {
        self.nets(attachment).map(|net| IpNet::from(net.addr()))
    }
}

/// Whether an address must be translated on its way out: a global IPv6 address needs it not.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

/// Ports as iptables-save writes them.
pub(crate) fn span(ports: PortRange) -> String {
    match ports.width() {
        1 => ports.first.to_string(),
        _ => format!("{}:{}", ports.first, ports.last),
    }
}

#[cfg(test)]
mod tests {
    use jail_net::backend::Kind;
    use jail_net::conformance::{on_lan, request};
    use jail_net::model::Egress::{Allow, Deny};
    use jail_net::model::Network;

    use super::*;

    fn texts(want: &Request, with_nft: bool) -> Vec<String> {
        let own = r#" -m comment --comment "3fa04b11c20a web10""#;
        let rules = of(want, Version::V4, with_nft).unwrap().into_values().flatten();
        rules.map(|rule| rule.add().replace(own, "")).collect()
    }

    #[test]
    fn a_jail_that_publishes_nothing_has_nothing_in_the_nat_table() {
        let tables = |publish: &[&str], egress| {
            let rules = of(&request(10, publish, egress), Version::V4, true).unwrap();
            rules.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(tables(&[], Deny), [Table::Filter]);
        assert_eq!(tables(&["80"], Deny), [Table::Filter, Table::Nat]);
        assert_eq!(tables(&[], Allow), [Table::Filter, Table::Nat]);
        assert!(of(&request(10, &["80"], Allow), Version::V6, true).unwrap().is_empty());
    }

    #[test]
    fn a_jail_is_known_by_bridge_and_address_and_without_nft_by_its_bridge() {
        let to = [
            "-A JAIL-TO -d 10.10.20.10/32 -i br0 -o br0 -j ACCEPT",
            "-A JAIL-TO -d 10.10.20.10/32 -o br0 -g JAIL-TO-JAIL",
        ];
        let with = [
            "-A JAIL-FROM -s 10.10.20.10/32 -i br0 -g JAIL-DENY",
            "-A JAIL-HOST -s 10.10.20.10/32 -i br0 -g JAIL-TO-HOST",
        ];
        assert_eq!(texts(&request(10, &[], Deny), true), [to, with].concat());
        let without = ["-A JAIL-FROM -i br0 -g JAIL-DENY", "-A JAIL-HOST -i br0 -g JAIL-TO-HOST"];
        assert_eq!(texts(&request(10, &[], Deny), false), [to, without].concat());
        let allowed = texts(&request(10, &[], Allow), false);
        assert!(
            allowed.contains(&"-I JAIL-FROM 1 -s 10.10.20.10/32 -i br0 -g JAIL-ALLOW".to_owned()),
            "{allowed:?}"
        );
    }

    #[test]
    fn one_port_comes_before_a_range_and_one_address_before_all() {
        let published = |publish| texts(&request(10, &[publish], Deny), true).split_off(7);
        assert_eq!(
            published("8080:80"),
            ["-I JAIL-PORTS 1 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.10.20.10:80"]
        );
        assert_eq!(
            published("7000-7010/udp"),
            ["-A JAIL-PORTS -p udp -m udp --dport 7000:7010 -j DNAT --to-destination 10.10.20.10"]
        );
        assert_eq!(published("192.0.2.1:7-8:17-18").len(), 2);
        assert!(published("192.0.2.1:443")[0].starts_with("-I JAIL-AT 1 -d 192.0.2.1/32 -p tcp"));
    }

    #[test]
    fn a_jail_is_led_to_where_it_publishes() {
        let served = |publish: &[&str]| texts(&request(10, publish, Deny), true).split_off(4);
        assert!(served(&["8080:80", "8443:80"]).starts_with(&[
            "-A JAIL-SERVED -d 10.10.20.10/32 -p tcp -m tcp --dport 80 -j ACCEPT".to_owned()
        ]));
        assert!(served(&["7000-7010/udp"])[0].contains("-p udp -m udp --dport 7000:7010 -j ACCEPT"));
    }

    #[test]
    fn an_interface_beside_a_parent_has_nothing_on_the_host() {
        let mut want = request(10, &["80"], Allow);
        let on_bridge = [true, false].map(|with_nft| texts(&want, with_nft));
        want.attachments.insert(0, on_lan(50));
        assert_eq!([true, false].map(|with_nft| texts(&want, with_nft)), on_bridge);
        want.attachments.truncate(1);
        assert_eq!(of(&want, Version::V4, true).unwrap_err().object, "--publish=80");
        want.publish.clear();
        assert!(Version::BOTH.iter().all(|version| of(&want, *version, false).unwrap().is_empty()));
    }

    #[test]
    fn an_interface_without_an_address_has_its_place_and_may_say_nothing() {
        let mut want = request(10, &[], Allow);
        want.attachments[0].addresses.clear();
        let may = [
            "-A JAIL-FROM -s 0.0.0.0/32 -i br0 -g JAIL-DENY",
            "-A JAIL-HOST -s 0.0.0.0/32 -i br0 -g JAIL-TO-HOST",
        ];
        assert_eq!(texts(&want, true), may);
        want.publish.push("80".parse().unwrap());
        assert_eq!(of(&want, Version::V4, true).unwrap_err().object, "--publish=80");
    }

    #[test]
    fn what_cannot_be_published_or_named_is_refused_in_the_users_words() {
        let failure = of(&request(10, &["[fd00::1]:80"], Deny), Version::V4, true).unwrap_err();
        assert_eq!(failure.message, "--publish=[fd00::1]:80: the jail has no address it could lead to");
        let mut want = request(10, &[], Deny);
        want.attachments[0].network = Network::ours("dmz", "br+", "10.10.20.1/24".parse().unwrap());
        assert_eq!(of(&want, Version::V4, true).unwrap_err().kind, Kind::Unsupported);
    }
}
