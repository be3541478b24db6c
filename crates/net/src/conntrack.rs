//! Connection tracking of UDP, for firewall backends: NAT is decided with a flow's first datagram, and kept for as long
//! as others follow. Flows that began before a port was published, or while it led elsewhere, are forgotten here.
//! linux/netfilter/nfnetlink_conntrack.h.
//!
//! TCP needs none of it: a connection's first packet comes once, and the other end of an old one is gone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_NETFILTER;
use serde::{Deserialize, Serialize};

use crate::backend::Failure;
use crate::host::{self, HostAddress};
use crate::model::PortRange;
use crate::netlink::{Message, NLM_F_DUMP, attribute, attributes, find, nested, number};

const SUBSYS_CTNETLINK: u16 = 1 << 8;
const CT_GET: u16 = SUBSYS_CTNETLINK | 1;
const CT_DELETE: u16 = SUBSYS_CTNETLINK | 2;
const CT_GET_STATS: u16 = SUBSYS_CTNETLINK | 5;

const TUPLE_ORIG: u16 = 1;
const TUPLE_REPLY: u16 = 2;
const ID: u16 = 12;
const ZONE: u16 = 18;
const FILTER: u16 = 25;
const FILTER_ORIG_FLAGS: u16 = 1;
const FILTER_REPLY_FLAGS: u16 = 2;
/// What of a tuple counts in a filter: net/netfilter/nf_internals.h.
const BY_SOURCE: u32 = 1 << 0;
const BY_PROTOCOL: u32 = 1 << 3;
const BY_DESTINATION_PORT: u32 = 1 << 5;

const STATS_GLOBAL_ENTRIES: u16 = 1;
const TUPLE_IP: u16 = 1;
const TUPLE_PROTO: u16 = 2;
const IP_V4_SRC: u16 = 1;
const IP_V4_DST: u16 = 2;
const IP_V6_SRC: u16 = 3;
const IP_V6_DST: u16 = 4;
const PROTO_NUM: u16 = 1;
const PROTO_DST_PORT: u16 = 3;
const UDP: u8 = libc::IPPROTO_UDP as u8;

/// UDP ports of the host's that lead to a jail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The host's address they are reached by; `None` for any of the family of `to`.
    pub address: Option<IpAddr>,
    /// The host's ports.
    pub ports: PortRange,
    /// The jail's address.
    pub to: IpAddr,
}

/// Forgets the flows to these ports that lead elsewhere: to be called once new ones lead to the jail. The next datagram
/// of each is then the first of a flow.
///
/// A flow to another machine that only passes this one stays, whatever its port. Where the kernel tracks no
/// connections, or does not tell of them, there is nothing to forget.
///
/// # Errors
/// What getifaddrs(3) answers, and what the kernel does to a question it knows.
pub fn forget_older(published: &[Published]) -> Result<(), Failure> {
    if published.is_empty() {
        return Ok(());
    }
    let host = host::addresses()?;
    for v4 in [true, false] {
        let of_family: Vec<_> = published.iter().filter(|published| published.to.is_ipv4() == v4).collect();
        let question = match of_family.as_slice() {
            [] => continue,
            [one] if one.ports.width() == 1 => to_udp_port(v4, Some(one.ports.first)),
            _ => to_udp_port(v4, None),
        };
        forget(v4, question, |flow| of_family.iter().any(|published| flow.strays_from(published, &host)))?;
    }
    Ok(())
}

/// Forgets the flows that were published and led to these addresses of a jail: to be called once no new ones do.
///
/// # Errors
/// As [`forget_older`].
pub fn forget_to(jail: &[IpAddr]) -> Result<(), Failure> {
    for address in jail {
        forget(address.is_ipv4(), answered_by(*address), |flow| flow.was_led_to(*address))?;
    }
    Ok(())
}

/// A question for the flows over UDP to one port or any.
fn to_udp_port(v4: bool, port: Option<u16>) -> Message {
    let number = attribute(PROTO_NUM, &[UDP]);
    let port_is = port.map(|port| attribute(PROTO_DST_PORT, &port.to_be_bytes())).unwrap_or_default();
    let by = BY_PROTOCOL | port.map_or(0, |_| BY_DESTINATION_PORT);
    dump(v4)
        .nested(TUPLE_ORIG, &nested(TUPLE_PROTO, &[number, port_is].concat()))
        .nested(FILTER, &attribute(FILTER_ORIG_FLAGS, &by.to_ne_bytes()))
}

/// A question for the flows over UDP that this address answers.
fn answered_by(address: IpAddr) -> Message {
    let source = match address {
        IpAddr::V4(address) => attribute(IP_V4_SRC, &address.octets()),
        IpAddr::V6(address) => attribute(IP_V6_SRC, &address.octets()),
    };
    let tuple = [nested(TUPLE_IP, &source), nested(TUPLE_PROTO, &attribute(PROTO_NUM, &[UDP]))].concat();
    dump(address.is_ipv4())
        .nested(TUPLE_REPLY, &tuple)
        .nested(FILTER, &attribute(FILTER_REPLY_FLAGS, &(BY_SOURCE | BY_PROTOCOL).to_ne_bytes()))
}

fn dump(v4: bool) -> Message {
    Message::new(CT_GET, NLM_F_DUMP, family(v4))
}

fn family(v4: bool) -> u8 {
    (if v4 { libc::AF_INET } else { libc::AF_INET6 }) as u8
}

/// Deletes the flows found by a question that are meant: the kernel's filter only saves work, we look at each again.
fn forget(v4: bool, question: Message, is_meant: impl Fn(&Flow) -> bool) -> Result<(), Failure> {
    let forget = || -> io::Result<()> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        socket.bind_auto()?;
        // To be asked for its entries, the kernel walks a table it has for all namespaces: 9 ms for 262,144 buckets.
        if count(&socket)? == Some(0) {
            return Ok(());
        }
        let mut meant = Vec::new();
        question.ask_on(&socket, |body| meant.extend(Flow::read(body).filter(&is_meant)))?;
        meant.iter().try_for_each(|flow| flow.delete(v4, &socket))
    };
    match forget() {
        Err(error) if !is_not_there(&error) => {
            Err(Failure::call("network", "forget flows", "connection tracking", &error))
        }
        _ => Ok(()),
    }
}

/// How many entries this network namespace has, if the kernel says.
fn count(socket: &Socket) -> io::Result<Option<u32>> {
    let mut count = None;
    let read =
        |body: &[u8]| count = find(body, STATS_GLOBAL_ENTRIES).and_then(number).map(u32::from_be_bytes);
    Message::new(CT_GET_STATS, 0, libc::AF_UNSPEC as u8).ask_on(socket, read)?;
    Ok(count)
}

/// Whether this is how a kernel answers that has no ctnetlink.
fn is_not_there(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EINVAL | libc::EPROTONOSUPPORT))
}

/// A flow over UDP that is tracked.
#[derive(Debug, PartialEq, Eq)]
struct Flow {
    /// Where its first datagram was sent.
    to: (IpAddr, u16),
    /// Who answers, or would: another than `to` by NAT.
    answered_by: IpAddr,
    /// The attributes that name it and no later one.
    name: Vec<u8>,
}

impl Flow {
    /// Reads the attributes of an entry; `None` for one of another protocol, or that does not say all of this.
    fn read(entry: &[u8]) -> Option<Flow> {
        let (tuple, id) = (find(entry, TUPLE_ORIG)?, find(entry, ID)?);
        let transport = find(tuple, TUPLE_PROTO)?;
        if find(transport, PROTO_NUM)? != [UDP] {
            return None;
        }
        let port = u16::from_be_bytes(number(find(transport, PROTO_DST_PORT)?)?);
        let to = ip(find(tuple, TUPLE_IP)?, IP_V4_DST, IP_V6_DST)?;
        let answered_by = ip(find(find(entry, TUPLE_REPLY)?, TUPLE_IP)?, IP_V4_SRC, IP_V6_SRC)?;
        let zone = find(entry, ZONE).map(|zone| attribute(ZONE, zone)).unwrap_or_default();
        let name = [nested(TUPLE_ORIG, tuple), attribute(ID, id), zone].concat();
        Some(Flow { to: (to, port), answered_by, name })
    }

    /// Whether it came to a published port and leads elsewhere.
    fn strays_from(&self, published: &Published, host: &[HostAddress]) -> bool {
        let (address, port) = self.to;
        let is_ours = match published.address {
            Some(one) => one == address,
            None => address.is_ipv4() == published.to.is_ipv4() && is_the_hosts(address, host),
        };
        is_ours && published.ports.contains(port) && self.answered_by != published.to
    }

    /// Whether it came to a published port of a jail that had this address.
    fn was_led_to(&self, jail: IpAddr) -> bool {
        self.answered_by == jail && self.to.0 != jail
    }

    /// One that is gone by now is as good.
    fn delete(&self, v4: bool, socket: &Socket) -> io::Result<()> {
        match Message::new(CT_DELETE, 0, family(v4)).attributes(&self.name).ask_on(socket, |_| ()) {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            result => result,
        }
    }
}

/// Whether what is sent there ends here: every address of the loopback's subnet does.
fn is_the_hosts(address: IpAddr, host: &[HostAddress]) -> bool {
    host.iter().any(|at| at.net.addr() == address || at.loopback && at.net.contains(&address))
}

/// The address that an attribute of one of these types holds.
fn ip(addresses: &[u8], v4: u16, v6: u16) -> Option<IpAddr> {
    attributes(addresses).find_map(|(kind, value)| match kind {
        _ if kind == v4 => Some(Ipv4Addr::from(number::<4>(value)?).into()),
        _ if kind == v6 => Some(Ipv6Addr::from(number::<16>(value)?).into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn side(source: &str, destination: &str, ports: (u16, u16), protocol: u8) -> Vec<u8> {
        let bytes = |text: &str| match address(text) {
            IpAddr::V4(address) => (0, address.octets().to_vec()),
            IpAddr::V6(address) => (2, address.octets().to_vec()),
        };
        let ((v6, source), (_, destination)) = (bytes(source), bytes(destination));
        let addresses = [attribute(1 + v6, &source), attribute(2 + v6, &destination)].concat();
        let port = |kind, port: u16| attribute(kind, &port.to_be_bytes());
        let transport = [attribute(PROTO_NUM, &[protocol]), port(2, ports.0), port(3, ports.1)].concat();
        [nested(TUPLE_IP, &addresses), nested(TUPLE_PROTO, &transport)].concat()
    }

    fn entry(client: &str, to: &str, port: u16, answered_by: &str) -> Vec<u8> {
        let status = attribute(3, &[0, 0, 0, 8]);
        let orig = nested(TUPLE_ORIG, &side(client, to, (4001, port), UDP));
        let reply = nested(TUPLE_REPLY, &side(answered_by, client, (port, 4001), UDP));
        [orig, reply, status, attribute(ID, &[1, 2, 3, 4])].concat()
    }

    fn flow(client: &str, to: &str, port: u16, answered_by: &str) -> Flow {
        Flow::read(&entry(client, to, port, answered_by)).unwrap()
    }

    fn host() -> Vec<HostAddress> {
        let at = |net: &str, loopback| HostAddress {
            interface: "x".into(),
            net: net.parse().unwrap(),
            up: true,
            loopback,
        };
        vec![at("127.0.0.1/8", true), at("192.0.2.1/24", false), at("2001:db8::1/64", false)]
    }

    fn published(address_of_host: Option<&str>, ports: &str, to: &str) -> Published {
        Published { address: address_of_host.map(address), ports: ports.parse().unwrap(), to: address(to) }
    }

    #[test]
    fn an_entry_says_where_it_goes_and_what_names_it() {
        let found = flow("192.0.2.2", "192.0.2.1", 514, "10.10.20.10");
        assert_eq!(found.to, (address("192.0.2.1"), 514));
        assert_eq!(found.answered_by, address("10.10.20.10"));
        assert_eq!(
            find(&found.name, TUPLE_ORIG),
            Some(&side("192.0.2.2", "192.0.2.1", (4001, 514), UDP)[..])
        );
        assert_eq!(find(&found.name, ID), Some(&[1, 2, 3, 4][..]));
        assert_eq!(find(&found.name, ZONE), None);
        assert_eq!(flow("2001:db8::2", "2001:db8::1", 53, "fd00::10").to, (address("2001:db8::1"), 53));
    }

    #[test]
    fn an_entry_in_a_zone_is_named_with_it() {
        let entry = [entry("192.0.2.2", "192.0.2.1", 514, "192.0.2.1"), attribute(ZONE, &[0, 7])].concat();
        let found = Flow::read(&entry).unwrap();
        assert_eq!(find(&found.name, ZONE), Some(&[0, 7][..]));
    }

    #[test]
    fn what_is_cut_short_or_not_udp_is_no_flow() {
        let whole = entry("192.0.2.2", "192.0.2.1", 514, "10.10.20.10");
        for end in 0..whole.len() {
            assert_eq!(Flow::read(&whole[..end]), None, "{end} bytes");
        }
        let side = side("192.0.2.2", "192.0.2.1", (4001, 514), libc::IPPROTO_TCP as u8);
        let tcp = [nested(TUPLE_ORIG, &side), nested(TUPLE_REPLY, &side), attribute(ID, &[0; 4])].concat();
        assert_eq!(Flow::read(&tcp), None);
    }

    #[test]
    fn a_flow_strays_when_it_came_to_the_port_and_leads_elsewhere() {
        let log = published(None, "514", "10.10.20.10");
        let strays = |to: &str, port, by: &str| flow("192.0.2.2", to, port, by).strays_from(&log, &host());
        assert!(strays("192.0.2.1", 514, "192.0.2.1"), "from before it was published");
        assert!(strays("192.0.2.1", 514, "10.10.20.11"), "to where it led before");
        assert!(strays("127.0.0.53", 514, "127.0.0.53"), "the whole loopback is the host's");
        assert!(!strays("192.0.2.1", 514, "10.10.20.10"), "to the jail");
        assert!(!strays("192.0.2.1", 515, "192.0.2.1"), "another port");
        assert!(!strays("198.51.100.1", 514, "198.51.100.1"), "through the host, to another machine");
        assert!(!strays("192.0.2.255", 514, "192.0.2.255"), "to everybody");
        let six = flow("2001:db8::2", "2001:db8::1", 514, "2001:db8::1");
        assert!(!six.strays_from(&log, &host()), "of the other family");
        assert!(six.strays_from(&published(None, "500-600", "fd00::10"), &host()));
    }

    #[test]
    fn what_is_published_by_one_address_leaves_flows_to_the_others_alone() {
        let log = published(Some("192.0.2.1"), "514", "10.10.20.10");
        let strays = |to: &str| flow("192.0.2.2", to, 514, to).strays_from(&log, &host());
        assert!(strays("192.0.2.1"));
        assert!(!strays("127.0.0.1"));
    }

    #[test]
    fn a_flow_to_the_jail_itself_was_not_published() {
        let jail = address("10.10.20.10");
        assert!(flow("192.0.2.2", "192.0.2.1", 514, "10.10.20.10").was_led_to(jail));
        assert!(!flow("10.10.20.1", "10.10.20.10", 514, "10.10.20.10").was_led_to(jail));
        assert!(!flow("192.0.2.2", "192.0.2.1", 514, "10.10.20.11").was_led_to(jail));
    }
}
