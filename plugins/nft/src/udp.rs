//! Flows over UDP that the kernel tracks keep going where they went when they began: what a jail publishes over UDP, as
//! its elements tell it, so that those are forgotten which go elsewhere, and later those which went to it.

use std::net::IpAddr;

use jail_net::backend::Failure;
use jail_net::conntrack::{self, Published};
use jail_net::model::PortRange;
use nftables::expr::{Expression, NamedExpression};

use crate::entry::{self, Entry};
use crate::rule::UDP;

/// Once the elements are there.
pub(crate) fn begin(entries: &[Entry]) -> Result<(), Failure> {
    conntrack::forget_older(&entries.iter().filter_map(published).collect::<Vec<_>>())
}

/// Once they are gone.
pub(crate) fn end<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<(), Failure> {
    let mut jails: Vec<_> = entries.into_iter().filter_map(published).map(|published| published.to).collect();
    jails.sort_unstable();
    jails.dedup();
    conntrack::forget_to(&jails)
}

/// What an element publishes over UDP: the one that leads a host's port to an address.
fn published(entry: &Entry) -> Option<Published> {
    let to: IpAddr = match entry.value.as_ref()? {
        Expression::String(address) => address.parse().ok()?,
        _ => return None,
    };
    let Expression::Named(NamedExpression::Concat(key)) = &entry.key else { return None };
    let (address, ports) = match key.as_slice() {
        [Expression::Number(UDP), ports] => (None, ports),
        [Expression::String(address), Expression::Number(UDP), ports] => (Some(address.parse().ok()?), ports),
        _ => return None,
    };
    let (first, last) = entry::span(ports)?;
    let ports = PortRange { first: first.try_into().ok()?, last: last.try_into().ok()? };
    Some(Published { address, ports, to })
}

#[cfg(test)]
mod tests {
    use jail_net::model::Egress::Deny;

    use super::*;
    use crate::elements;
    use crate::packets::world::request;

    fn of(publish: &[&str]) -> Vec<String> {
        let entries = elements::of(&request(10, publish, Deny)).unwrap();
        let words = |Published { address, ports, to }| match address {
            Some(address) => format!("{address}:{ports} {to}"),
            None => format!("{ports} {to}"),
        };
        entries.iter().filter_map(published).map(words).collect()
    }

    #[test]
    fn what_is_published_over_udp_is_read_from_the_elements() {
        assert_eq!(of(&["80", "7000-7010", "192.0.2.1:443:80"]), [""; 0]);
        assert_eq!(of(&["80", "514:5140/udp"]), ["514 10.10.20.10"]);
        assert_eq!(of(&["192.0.2.1:53/udp"]), ["192.0.2.1:53 10.10.20.10"]);
        assert_eq!(of(&["7000-7010/udp"]), ["7000-7010 10.10.20.10"]);
        assert_eq!(of(&["192.0.2.1:7000-7010/udp"]), ["192.0.2.1:7000-7010 10.10.20.10"]);
        assert_eq!(of(&["7000-7001:8000-8001/udp"]), ["7000 10.10.20.10", "7001 10.10.20.10"]);
    }

    #[test]
    fn each_family_leads_to_an_address_of_its_own() {
        let mut want = request(10, &["53/udp"], Deny);
        want.attachments[0].addresses.push("fd00::10/64".parse().unwrap());
        let entries = elements::of(&want).unwrap();
        let to: Vec<_> =
            entries.iter().filter_map(published).map(|published| published.to.to_string()).collect();
        assert_eq!(to, ["10.10.20.10", "fd00::10"]);
    }
}
