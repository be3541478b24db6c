//! Flows over UDP that the kernel tracks keep going where they went when they began: what a jail publishes over UDP, as
//! its elements tell it, so that those are forgotten which go elsewhere, and later those which went to it.

use std::net::IpAddr;

use jail_net::backend::Failure;
use jail_net::conntrack::{self, Published};
use jail_net::model::PortRange;
use nftables::expr::{Expression, NamedExpression};

use super::entry::{self, Entry};
use super::rule::UDP;

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
    use jail_net::model::Protocol::{Tcp, Udp};
    use nftables::types::NfFamily;

    use super::*;
    use crate::nft::entry::protocol;
    use crate::nft::rule::{Expr, concat, number, range, text};

    fn of(key: Vec<Expr>, value: Expr) -> Option<String> {
        let entry = Entry::new(NfFamily::INet, "to_addr4", concat(key)).with(value);
        published(&entry).map(|Published { address, ports, to }| match address {
            Some(address) => format!("{address} {ports} {to}"),
            None => format!("{ports} {to}"),
        })
    }

    #[test]
    fn what_leads_a_udp_port_to_an_address_is_told_from_other_elements() {
        let jail = || text("10.10.20.10");
        assert_eq!(of(vec![protocol(Udp), number(514)], jail()).unwrap(), "514 10.10.20.10");
        assert_eq!(of(vec![protocol(Udp), range(70, 90)], text("fd00::10")).unwrap(), "70-90 fd00::10");
        let at = vec![text("192.0.2.1"), protocol(Udp), number(53)];
        assert_eq!(of(at, jail()).unwrap(), "192.0.2.1 53 10.10.20.10");
        assert_eq!(of(vec![protocol(Tcp), number(514)], jail()), None);
        assert_eq!(of(vec![protocol(Udp), number(514)], number(5140)), None, "its port");
    }
}
