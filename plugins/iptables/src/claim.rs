//! What rules take that only one jail can have: an address, a published port. Pure.

use jail_net::model::{JailId, PortRange, Protocol, Publish};

use crate::chains::{AT, PORTS, TO, TO_JAIL};
use crate::rule::Rule;

/// What a rule takes that only one jail can have.
#[derive(Debug, PartialEq, Eq)]
struct Claim<'a> {
    chain: &'a str,
    address: Option<&'a str>,
    protocol: Option<Protocol>,
    ports: (u16, u16),
}

impl<'a> Claim<'a> {
    fn of(rule: &'a Rule) -> Option<Self> {
        let address = rule.value("-d").and_then(|net| net.split('/').next());
        let (chain, none) = (rule.chain.as_str(), (0, 0));
        match (chain, rule.target()) {
            (TO, Some(TO_JAIL)) => Some(Claim { chain, address, protocol: None, ports: none }),
            (AT | PORTS, _) => {
                let protocol = match rule.value("-p")? {
                    "tcp" => Protocol::Tcp,
                    _ => Protocol::Udp,
                };
                let ports = rule.value("--dport")?;
                let (first, last) = ports.split_once(':').unwrap_or((ports, ports));
                let ports = (first.parse().ok()?, last.parse().ok()?);
                Some(Claim { chain, address, protocol: Some(protocol), ports })
            }
            _ => None,
        }
    }

    fn clashes(&self, other: &Claim<'_>) -> bool {
        (self.chain, self.address, self.protocol) == (other.chain, other.address, other.protocol)
            && self.ports.0 <= other.ports.1
            && other.ports.0 <= self.ports.1
    }

    /// The user's option that asked for it: `--publish=80`, `--ip=10.10.20.10`.
    fn option(&self) -> String {
        let address = self.address.unwrap_or_default();
        let Some(protocol) = self.protocol else { return format!("--ip={address}") };
        let ports = PortRange { first: self.ports.0, last: self.ports.1 };
        let publish = Publish { address: address.parse().ok(), host: ports, jail: ports, protocol };
        format!("--publish={publish}")
    }
}

/// What of `ours` another jail has already among `theirs`: the user's option, and whose it is.
pub(crate) fn clash<'a>(
    ours: impl Iterator<Item = &'a Rule>,
    mut theirs: impl Iterator<Item = (JailId, &'a Rule)>,
) -> Option<(String, JailId)> {
    let ours: Vec<_> = ours.filter_map(Claim::of).collect();
    theirs.find_map(|(jail, rule)| {
        let their = Claim::of(rule)?;
        ours.iter().find(|our| our.clashes(&their)).map(|our| (our.option(), jail))
    })
}

#[cfg(test)]
mod tests {
    use jail_firewall::reach::Version;
    use jail_net::conformance::request;
    use jail_net::model::Egress::Deny;

    use super::*;
    use crate::host;

    #[test]
    fn what_another_jail_has_is_told_by_the_users_option() {
        let rules = |publish: &[&str], number| {
            let rules = host::of(&request(number, publish, Deny), Version::V4, true).unwrap();
            rules.into_values().flatten().collect::<Vec<_>>()
        };
        let theirs = rules(&["80", "192.0.2.1:8080:80", "7000-7010"], 10);
        let told = |publish: &str, number| {
            let theirs = theirs.iter().filter_map(|rule| Some((rule.jail()?, rule)));
            clash(rules(&[publish], number).iter(), theirs).map(|(option, _)| option)
        };
        assert_eq!(told("80:8080", 11).as_deref(), Some("--publish=80"));
        assert_eq!(told("192.0.2.1:8080", 11).as_deref(), Some("--publish=192.0.2.1:8080"));
        assert_eq!(told("7005-7006", 11).as_deref(), Some("--publish=7005-7006"));
        assert_eq!(told("81", 10).as_deref(), Some("--ip=10.10.20.10"));
        assert_eq!(told("80/udp", 11), None);
        assert_eq!(told("7011", 11), None);
    }
}
