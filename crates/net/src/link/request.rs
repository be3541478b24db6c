//! Requests about links, addresses and routes: rtnetlink's messages in the words link backends need.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use futures_util::TryStreamExt;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use rtnetlink::packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType,
    LinkMessage,
};
use rtnetlink::packet_route::neighbour::{NeighbourAttribute, NeighbourMessage};
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteScope, RouteType,
};
use rtnetlink::packet_route::rule::{RuleAction, RuleAttribute};
use rtnetlink::{Handle, LinkUnspec, RouteMessageBuilder};

use super::wire::{errno, refused};
use crate::backend::{Failure, Kind};

/// The main routing table.
const MAIN: u32 = RouteHeader::RT_TABLE_MAIN as u32;

/// A link as the kernel describes it.
#[derive(Debug)]
pub struct Link {
    /// Its number in its network namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What it is; `None` for hardware.
    pub kind: Option<InfoKind>,
    /// Its MAC address; what other layers have instead where it is no Ethernet.
    pub mac: Vec<u8>,
    /// Its MTU.
    pub mtu: u32,
    /// The index of the bridge, bond or other link it is a port of.
    pub master: Option<u32>,
    /// Whether it was brought up.
    pub up: bool,
    /// Whether it is the loopback interface.
    pub loopback: bool,
    /// Whether its frames are Ethernet's.
    pub ethernet: bool,
}

impl From<LinkMessage> for Link {
    fn from(message: LinkMessage) -> Self {
        let mut link = Link {
            index: message.header.index,
            name: String::new(),
            kind: None,
            mac: Vec::new(),
            mtu: 0,
            master: None,
            up: message.header.flags.contains(LinkFlags::Up),
            loopback: message.header.flags.contains(LinkFlags::Loopback),
            ethernet: message.header.link_layer_type == LinkLayerType::Ether,
        };
        for attribute in message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name = name,
                LinkAttribute::Address(mac) => link.mac = mac,
                LinkAttribute::Mtu(mtu) => link.mtu = mtu,
                LinkAttribute::Controller(index) => link.master = Some(index),
                LinkAttribute::LinkInfo(infos) => {
                    link.kind = infos.into_iter().find_map(|info| match info {
                        LinkInfo::Kind(kind) => Some(kind),
                        _ => None,
                    });
                }
                _ => {}
            }
        }
        link
    }
}

impl Link {
    /// Whether it is a bridge.
    pub fn is_bridge(&self) -> bool {
        self.kind == Some(InfoKind::Bridge)
    }

    /// Whether it is an end of a veth pair.
    pub fn is_veth(&self) -> bool {
        self.kind == Some(InfoKind::Veth)
    }
}

/// The link of this name, if there is one.
///
/// # Errors
/// What the kernel answers.
pub async fn find(handle: &Handle, name: &str) -> Result<Option<Link>, Failure> {
    match handle.link().get().match_name(name).execute().try_next().await {
        Ok(found) => Ok(found.map(Link::from)),
        Err(error) if errno(&error) == Some(libc::ENODEV) => Ok(None),
        Err(error) => Err(refused("RTM_GETLINK", name, &error)),
    }
}

/// Every link of the namespace.
///
/// # Errors
/// What the kernel answers.
pub async fn all(handle: &Handle) -> Result<Vec<Link>, Failure> {
    let links = handle.link().get().execute().map_ok(Link::from).try_collect().await;
    links.map_err(|error| refused("RTM_GETLINK", "links", &error))
}

/// The addresses of a link that others may reach it by: not its link-local ones.
///
/// # Errors
/// What the kernel answers.
pub async fn addresses(handle: &Handle, link: &Link) -> Result<Vec<IpNet>, Failure> {
    let request = handle.address().get().set_link_index_filter(link.index).execute();
    let messages: Vec<AddressMessage> =
        request.try_collect().await.map_err(|error| refused("RTM_GETADDR", &link.name, &error))?;
    Ok(messages.iter().filter_map(net_of).filter(|net| !is_link_local(net.addr())).collect())
}

/// The subnets of a link: its first address of each family with its prefix.
///
/// # Errors
/// What the kernel answers.
pub async fn subnets(handle: &Handle, link: &Link) -> Result<(Option<Ipv4Net>, Option<Ipv6Net>), Failure> {
    let addresses = addresses(handle, link).await?;
    let v4 = addresses.iter().find_map(|net| match net {
        IpNet::V4(net) => Some(*net),
        IpNet::V6(_) => None,
    });
    let v6 = addresses.iter().find_map(|net| match net {
        IpNet::V6(net) => Some(*net),
        IpNet::V4(_) => None,
    });
    Ok((v4, v6))
}

/// The interface's own side of an address: IFA_LOCAL, which IPv6 leaves out where it equals IFA_ADDRESS.
fn net_of(message: &AddressMessage) -> Option<IpNet> {
    let mut own = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => own = Some(*address),
            AddressAttribute::Address(address) => own = own.or(Some(*address)),
            _ => {}
        }
    }
    IpNet::new(own?, message.header.prefix_len).ok()
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// Removes a link and says whether there was one. The kernel answers once it is gone.
///
/// # Errors
/// What the kernel answers.
pub async fn delete(handle: &Handle, name: &str) -> Result<bool, Failure> {
    let mut request = handle.link().del(0);
    request.message_mut().attributes.push(LinkAttribute::IfName(name.into()));
    match request.execute().await {
        Ok(()) => Ok(true),
        Err(error) if errno(&error) == Some(libc::ENODEV) => Ok(false),
        Err(error) => Err(refused("RTM_DELLINK", name, &error)),
    }
}

/// Takes a link off the bridge that it is a port of, if there is such a link.
///
/// # Errors
/// What the kernel answers.
pub async fn leave_bridge(handle: &Handle, name: &str) -> Result<(), Failure> {
    let link = LinkUnspec::new_with_name(name).nocontroller().build();
    match handle.link().set(link).execute().await {
        Err(error) if errno(&error) == Some(libc::ENODEV) => Ok(()),
        result => result.map_err(|error| refused("RTM_SETLINK", name, &error)),
    }
}

/// Makes a link.
///
/// # Errors
/// What the kernel answers.
pub async fn add(handle: &Handle, link: LinkMessage, object: &str) -> Result<(), Failure> {
    handle.link().add(link).execute().await.map_err(|error| refused("RTM_NEWLINK", object, &error))
}

/// Brings a link up.
///
/// # Errors
/// What the kernel answers.
pub async fn up(handle: &Handle, name: &str) -> Result<(), Failure> {
    let link = LinkUnspec::new_with_name(name).up().build();
    handle.link().set(link).execute().await.map_err(|error| refused("RTM_SETLINK", name, &error))
}

/// Keeps a link from giving itself an fe80:: address, and says whose it is. To be asked before the link is up and has a
/// carrier; the kernel ignores both in the request that makes the link.
///
/// # Errors
/// What the kernel answers.
pub async fn no_link_local(handle: &Handle, name: &str, alias: &str) -> Result<(), Failure> {
    let mode = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
    let link = LinkUnspec::new_with_name(name)
        .append_extra_attribute(LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![mode])]))
        .alias(alias);
    match handle.link().set(link.build()).execute().await {
        // A kernel without IPv6 knows no such family, and gives no such address.
        Err(error) if errno(&error) == Some(libc::EAFNOSUPPORT) => Ok(()),
        result => result.map_err(|error| refused("RTM_SETLINK", name, &error)),
    }
}

/// Gives a link an address, unless it has it. An IPv6 one is usable at once: the lease says that nobody else has it.
///
/// # Errors
/// What the kernel answers.
pub async fn add_address(handle: &Handle, index: u32, net: IpNet) -> Result<(), Failure> {
    let mut request = handle.address().add(index, net.addr(), net.prefix_len());
    if net.addr().is_ipv6() {
        request.message_mut().attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
    }
    match request.execute().await {
        Err(error) if errno(&error) == Some(libc::EEXIST) => Ok(()),
        result => result.map_err(|error| refused("RTM_NEWADDR", net.to_string(), &error)),
    }
}

/// Where a packet goes: all that `to` holds out of this link, to `gateway` if it is not on it.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The destinations.
    pub to: IpNet,
    /// The router on the link.
    pub gateway: Option<IpAddr>,
    /// The routing table; `None` is the main one.
    pub table: Option<u32>,
}

impl Route {
    /// The default route of the gateway's family, in the main table.
    pub fn default_by(gateway: IpAddr) -> Route {
        let all = match gateway {
            IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        };
        Route { to: IpNet::new_assert(all, 0), gateway: Some(gateway), table: None }
    }
}

/// Adds a route.
///
/// # Errors
/// What the kernel answers.
pub async fn add_route(handle: &Handle, index: u32, route: &Route) -> Result<(), Failure> {
    let words = match route.gateway {
        Some(gateway) if route.to.prefix_len() == 0 => format!("default route via {gateway}"),
        _ => format!("route to {}", route.to),
    };
    let message = RouteMessageBuilder::<IpAddr>::new()
        .output_interface(index)
        .table_id(route.table.unwrap_or(MAIN))
        .scope(if route.gateway.is_some() { RouteScope::Universe } else { RouteScope::Link })
        .destination_prefix(route.to.addr(), route.to.prefix_len())
        .and_then(|message| match route.gateway {
            Some(gateway) => message.gateway(gateway),
            None => Ok(message),
        });
    let message = message.map_err(|error| {
        let text = format!("{words}: {error}");
        Failure::new(Kind::Invalid, "network", "RTM_NEWROUTE", words.as_str(), text)
    })?;
    let added = handle.route().add(message.build()).execute().await;
    added.map_err(|error| refused("RTM_NEWROUTE", words, &error))
}

/// Sends what comes from `source` by the routes of `table`, where it has one that fits.
///
/// # Errors
/// What the kernel answers.
pub async fn add_source_rule(handle: &Handle, source: IpAddr, table: u32) -> Result<(), Failure> {
    let mut rule = handle.rule().add().table_id(table).action(RuleAction::ToTable);
    let message = rule.message_mut();
    let (family, length) = match source {
        IpAddr::V4(_) => (AddressFamily::Inet, 32),
        IpAddr::V6(_) => (AddressFamily::Inet6, 128),
    };
    message.header.family = family;
    message.header.src_len = length;
    message.attributes.push(RuleAttribute::Source(source));
    rule.execute().await.map_err(|error| refused("RTM_NEWRULE", format!("rule from {source}"), &error))
}

/// The router that the default route of the main table leads to by this link, the preferred one if there are several.
///
/// # Errors
/// What the kernel answers.
pub async fn default_router(handle: &Handle, index: u32) -> Result<Option<Ipv4Addr>, Failure> {
    let all = handle.route().get(RouteMessageBuilder::<Ipv4Addr>::new().build()).execute();
    let all: Vec<RouteMessage> =
        all.try_collect().await.map_err(|error| refused("RTM_GETROUTE", "routes", &error))?;
    let routers = all.iter().filter_map(|route| router_by(route, index));
    Ok(routers.min_by_key(|(metric, _)| *metric).map(|(_, router)| router))
}

/// The links that frames for this MAC are taken by for somebody else: ports of bridges it was seen behind, and links that
/// another shares. By index.
///
/// # Errors
/// What the kernel answers.
pub async fn links_to(handle: &Handle, mac: &[u8]) -> Result<Vec<u32>, Failure> {
    let all = handle.neighbours().get().set_address_family(AddressFamily::Bridge).execute();
    let all: Vec<NeighbourMessage> =
        all.try_collect().await.map_err(|error| refused("RTM_GETNEIGH", "forwarding table", &error))?;
    let is_to = |entry: &&NeighbourMessage| {
        entry.attributes.iter().any(
            |attribute| matches!(attribute, NeighbourAttribute::LinkLayerAddress(address) if address == mac),
        )
    };
    Ok(all.iter().filter(is_to).map(|entry| entry.header.ifindex).collect())
}

/// The metric and the router of a default route by this link.
fn router_by(route: &RouteMessage, index: u32) -> Option<(u32, Ipv4Addr)> {
    let main = u32::from(route.header.table) == MAIN && route.header.kind == RouteType::Unicast;
    if !main || route.header.destination_prefix_length != 0 {
        return None;
    }
    let (mut link, mut router, mut metric) = (None, None, 0);
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Oif(index) => link = Some(*index),
            RouteAttribute::Gateway(RouteAddress::Inet(address)) => router = Some(*address),
            RouteAttribute::Priority(priority) => metric = *priority,
            _ => {}
        }
    }
    (link == Some(index)).then_some(metric).zip(router)
}
