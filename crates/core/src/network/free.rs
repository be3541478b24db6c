//! A subnet that nothing here uses yet, for hints to propose.

use std::fs;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use jail_net::host;
use jail_net::store::Store;

/// A /24 of private addresses that overlaps no named network, no address and no route of the host's; `None` when there
/// is none, or it cannot be told.
pub(super) fn subnet(store: &Store) -> Option<Ipv4Net> {
    let mut used: Vec<Ipv4Net> =
        store.list().ok()?.into_iter().filter_map(|network| network.subnet).collect();
    used.extend(host::addresses().ok()?.into_iter().filter_map(|address| match address.net {
        IpNet::V4(net) => Some(net),
        IpNet::V6(_) => None,
    }));
    used.extend(routes(&fs::read_to_string("/proc/thread-self/net/route").ok()?));
    first_free(&used)
}

fn first_free(used: &[Ipv4Net]) -> Option<Ipv4Net> {
    let blocks = [([10, 10], 20..=255), ([172, 20], 0..=255), ([192, 168], 0..=255)];
    let mut candidates =
        blocks.into_iter().flat_map(|([a, b], thirds)| thirds.map(move |c| Ipv4Addr::new(a, b, c, 0)));
    candidates.find_map(|address| {
        let net = Ipv4Net::new(address, 24).ok()?;
        used.iter().all(|other| !host::overlaps((*other).into(), net.into())).then_some(net)
    })
}

/// The routes of /proc/net/route but the default one, which leads to everything: see proc_net(5).
fn routes(table: &str) -> impl Iterator<Item = Ipv4Net> {
    table.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // The kernel prints the bytes of an address as one number of the machine's.
        let address = |field: usize| {
            let number = u32::from_str_radix(fields.get(field)?, 16).ok()?;
            Some(Ipv4Addr::from(number.to_ne_bytes()))
        };
        let net = Ipv4Net::with_netmask(address(1)?, address(7)?).ok()?;
        (net.prefix_len() > 0).then_some(net)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(used: &[&str]) -> Option<String> {
        let used: Vec<Ipv4Net> = used.iter().map(|net| net.parse().unwrap()).collect();
        first_free(&used).map(|net| net.to_string())
    }

    #[test]
    fn the_first_subnet_that_overlaps_nothing_is_proposed() {
        assert_eq!(free(&[]).unwrap(), "10.10.20.0/24");
        assert_eq!(free(&["10.10.20.1/24", "10.10.21.128/25", "192.168.7.1/24"]).unwrap(), "10.10.22.0/24");
        assert_eq!(free(&["10.0.0.0/8"]).unwrap(), "172.20.0.0/24");
        assert_eq!(free(&["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/17"]).unwrap(), "192.168.128.0/24");
        assert_eq!(free(&["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]), None);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn routes_are_read_as_the_kernel_prints_them() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     eth1\t0007A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        assert_eq!(routes(table).collect::<Vec<_>>(), ["192.168.7.0/24".parse().unwrap()]);
    }
}
