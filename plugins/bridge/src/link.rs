//! Requests about links, addresses and routes: rtnetlink's messages in the words this backend needs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use futures_util::TryStreamExt;
use ipnet::IpNet;
use jail_net::backend::Failure;
use nix::libc;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use rtnetlink::packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use rtnetlink::{Handle, LinkUnspec, RouteMessageBuilder};

use crate::wire::{errno, refused};

/// A link as the kernel describes it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) kind: Option<InfoKind>,
    pub(crate) mac: Vec<u8>,
    pub(crate) mtu: u32,
    /// The index of the bridge it is a port of.
    pub(crate) master: Option<u32>,
    pub(crate) up: bool,
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
    pub(crate) fn is_bridge(&self) -> bool {
        self.kind == Some(InfoKind::Bridge)
    }

    pub(crate) fn is_veth(&self) -> bool {
        self.kind == Some(InfoKind::Veth)
    }
}

/// The link of this name, if there is one.
pub(crate) async fn find(handle: &Handle, name: &str) -> Result<Option<Link>, Failure> {
    match handle.link().get().match_name(name).execute().try_next().await {
        Ok(found) => Ok(found.map(Link::from)),
        Err(error) if errno(&error) == Some(libc::ENODEV) => Ok(None),
        Err(error) => Err(refused("RTM_GETLINK", name, &error)),
    }
}

/// Every link of the namespace.
pub(crate) async fn all(handle: &Handle) -> Result<Vec<Link>, Failure> {
    let links = handle.link().get().execute().map_ok(Link::from).try_collect().await;
    links.map_err(|error| refused("RTM_GETLINK", "links", &error))
}

/// The addresses of a link that others may reach it by: not its link-local ones.
pub(crate) async fn addresses(handle: &Handle, link: &Link) -> Result<Vec<IpNet>, Failure> {
    let request = handle.address().get().set_link_index_filter(link.index).execute();
    let messages: Vec<AddressMessage> =
        request.try_collect().await.map_err(|error| refused("RTM_GETADDR", &link.name, &error))?;
    Ok(messages.iter().filter_map(net_of).filter(|net| !is_link_local(net.addr())).collect())
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

/// Removes a link; success when there is none. The kernel answers once it is gone.
pub(crate) async fn delete(handle: &Handle, name: &str) -> Result<bool, Failure> {
    let mut request = handle.link().del(0);
    request.message_mut().attributes.push(LinkAttribute::IfName(name.into()));
    match request.execute().await {
        Ok(()) => Ok(true),
        Err(error) if errno(&error) == Some(libc::ENODEV) => Ok(false),
        Err(error) => Err(refused("RTM_DELLINK", name, &error)),
    }
}

/// Makes a link.
pub(crate) async fn add(handle: &Handle, link: LinkMessage, object: &str) -> Result<(), Failure> {
    handle.link().add(link).execute().await.map_err(|error| refused("RTM_NEWLINK", object, &error))
}

/// Brings a link up.
pub(crate) async fn up(handle: &Handle, name: &str) -> Result<(), Failure> {
    let link = LinkUnspec::new_with_name(name).up().build();
    handle.link().set(link).execute().await.map_err(|error| refused("RTM_SETLINK", name, &error))
}

/// Keeps a link from giving itself an fe80:: address, and names whose it is. To be asked before the link is up and has
/// a carrier; the kernel ignores both in the request that makes the link.
pub(crate) async fn no_link_local(handle: &Handle, name: &str, alias: Option<&str>) -> Result<(), Failure> {
    let mode = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
    let mut link = LinkUnspec::new_with_name(name)
        .append_extra_attribute(LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![mode])]));
    if let Some(alias) = alias {
        link = link.alias(alias);
    }
    match handle.link().set(link.build()).execute().await {
        // A kernel without IPv6 knows no such family, and gives no such address.
        Err(error) if errno(&error) == Some(libc::EAFNOSUPPORT) => Ok(()),
        result => result.map_err(|error| refused("RTM_SETLINK", name, &error)),
    }
}

/// Gives a link an address, unless it has it. An IPv6 one is usable at once: the lease says that nobody else has it.
pub(crate) async fn add_address(handle: &Handle, index: u32, net: IpNet) -> Result<(), Failure> {
    let mut request = handle.address().add(index, net.addr(), net.prefix_len());
    if net.addr().is_ipv6() {
        request.message_mut().attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
    }
    match request.execute().await {
        Err(error) if errno(&error) == Some(libc::EEXIST) => Ok(()),
        result => result.map_err(|error| refused("RTM_NEWADDR", net.to_string(), &error)),
    }
}

/// Adds the default route through `gateway`.
pub(crate) async fn add_default_route(handle: &Handle, index: u32, gateway: IpAddr) -> Result<(), Failure> {
    let route = match gateway {
        IpAddr::V4(gateway) => {
            RouteMessageBuilder::<Ipv4Addr>::new().output_interface(index).gateway(gateway).build()
        }
        IpAddr::V6(gateway) => {
            RouteMessageBuilder::<Ipv6Addr>::new().output_interface(index).gateway(gateway).build()
        }
    };
    let added = handle.route().add(route).execute().await;
    added.map_err(|error| refused("RTM_NEWROUTE", format!("default route via {gateway}"), &error))
}
