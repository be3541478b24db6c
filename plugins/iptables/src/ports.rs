//! The ports of a bridge, by rtnetlink(7): where there is no nft nothing but jails may be on a jail's bridge.

use std::io;

use jail_firewall::message::{HEADER, attributes, messages, number};
use jail_net::backend::{Failure, Kind};
use jail_net::model::JailId;
use netlink_sys::constants::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

const RTM_GETLINK: u16 = 18;
const RTM_NEWLINK: u16 = 16;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_DONE: u16 = 3;
const IFINFOMSG: usize = 16;
const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;

/// Refuses a bridge with a port that is no jail's.
///
/// # Errors
/// `Unsupported`, naming the ports.
pub(crate) fn refuse_foreign(bridge: &str) -> Result<(), Failure> {
    let links = links().map_err(|error| Failure::call("network", "RTM_GETLINK", bridge, &error))?;
    let foreign = foreign(&links, bridge);
    if foreign.is_empty() {
        return Ok(());
    }
    let message = format!(
        "--net={bridge}: {} on that bridge cannot be told from a jail's port by iptables alone",
        foreign.join(", ")
    );
    Err(Failure::new(Kind::Unsupported, "network", "attach", format!("--net={bridge}"), message).hint(
        "install nftables, which does it for this backend too, or use a network of its own (jail net create)",
    ))
}

/// A link: its number, its name, and the number of the bridge it is a port of.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    index: u32,
    name: String,
    master: Option<u32>,
}

/// The names of the ports of a bridge that are no jails'.
fn foreign<'a>(links: &'a [Link], bridge: &str) -> Vec<&'a str> {
    let index = links.iter().find(|link| link.name == bridge).map(|link| link.index);
    let ports = links.iter().filter(|link| index.is_some() && link.master == index);
    ports.map(|link| link.name.as_str()).filter(|name| !is_a_jails(name)).collect()
}

/// Whether a link is named as a jail's: see [`JailId::link_name`].
fn is_a_jails(name: &str) -> bool {
    let id = name.strip_prefix('j').and_then(|rest| rest.get(..12)).and_then(|id| id.parse::<JailId>().ok());
    id.is_some_and(|id| (0..4).any(|index| id.link_name(index) == name))
}

/// Every link of the thread's network namespace.
fn links() -> io::Result<Vec<Link>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    let length = (HEADER + IFINFOMSG) as u32;
    let (kind, flags) = (RTM_GETLINK.to_ne_bytes(), (NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    let question = [&length.to_ne_bytes()[..], &kind, &flags, &[0; 8], &[0; IFINFOMSG]].concat();
    socket.send_to(&question, &SocketAddr::new(0, 0), 0)?;
    let mut links = Vec::new();
    loop {
        let (datagram, _) = socket.recv_from_full()?;
        for (kind, body) in messages(&datagram) {
            match kind {
                RTM_NEWLINK => links.extend(link(body)),
                NLMSG_DONE => return Ok(links),
                _ => return Err(io::Error::from_raw_os_error(libc::EBADMSG)),
            }
        }
    }
}

fn link(body: &[u8]) -> Option<Link> {
    let index = u32::from_ne_bytes(number(body.get(4..)?)?);
    let mut link = Link { index, name: String::new(), master: None };
    for (kind, value) in attributes(body.get(IFINFOMSG..)?) {
        match kind {
            IFLA_IFNAME => link.name = String::from_utf8_lossy(value.strip_suffix(b"\0")?).into_owned(),
            IFLA_MASTER => link.master = Some(u32::from_ne_bytes(number(value)?)),
            _ => {}
        }
    }
    Some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_are_not_jails_are_found_by_their_names() {
        let link = |index, name: &str, master| Link { index, name: name.into(), master };
        let links = [
            link(2, "br0", None),
            link(3, "eth1", Some(2)),
            link(4, "j3fa04b11c2d90", Some(2)),
            link(5, "j3fa04b11c2d94", Some(2)),
            link(6, "vnet0", Some(7)),
        ];
        assert_eq!(foreign(&links, "br0"), ["eth1", "j3fa04b11c2d94"]);
        assert!(foreign(&links, "br1").is_empty());
    }

    #[test]
    fn the_loopback_interface_is_among_the_links() {
        assert!(links().unwrap().iter().any(|link| link.name == "lo" && link.master.is_none()));
    }
}
