//! Giving a jail its interfaces: a veth pair each, its far end born inside the jail's network namespace.

use std::os::fd::{AsRawFd, BorrowedFd};

use futures_util::future::{try_join, try_join_all, try_join3};
use ipnet::IpNet;
use jail_net::backend::{Attached, Failure, Interface, Kind};
use jail_net::mac::Mac;
use jail_net::model::Attachment;
use rtnetlink::packet_route::link::{InfoData, InfoVeth, LinkMessage};
use rtnetlink::{Handle, LinkUnspec, LinkVeth};

use crate::bridge;
use crate::link::{self, Link};
use crate::plan::Links;
use crate::wire::Wire;

/// Makes every link, or none.
pub(crate) async fn attach(
    handle: &Handle,
    links: &Links,
    netns: BorrowedFd<'_>,
) -> Result<Attached, Failure> {
    let mut made = Vec::new();
    let attached = each(handle, links, netns, &mut made).await;
    if attached.is_err() {
        // The one failure worth more than the first: something stays.
        for name in made {
            link::delete(handle, name).await?;
        }
    }
    attached
}

async fn each<'a>(
    handle: &Handle,
    links: &'a Links,
    netns: BorrowedFd<'_>,
    made: &mut Vec<&'a str>,
) -> Result<Attached, Failure> {
    let alias = format!("jail {}", links.jail);
    for attachment in &links.attachments {
        let bridge = bridge::ensure(handle, &attachment.network).await?;
        let pair = pair(attachment, &bridge, netns)?;
        let host = &attachment.host_interface;
        link::add(handle, pair, &format!("--net={}", attachment.network.bridge)).await?;
        made.push(host);
        link::no_link_local(handle, host, Some(&alias)).await?;
    }
    // The far ends come up only now, when the near ones can no longer give themselves an address.
    let inside = Wire::open_in(netns)?;
    inside.run(|handle, _| async move { configure(&handle, &links.attachments).await }).await
}

/// One request for the pair: near end on the bridge and up, far end in the jail.
fn pair(attachment: &Attachment, bridge: &Link, netns: BorrowedFd<'_>) -> Result<LinkMessage, Failure> {
    let mac: Mac = attachment.mac.parse().map_err(|message: String| {
        Failure::new(Kind::Invalid, "network", "plan link", format!("--mac={}", attachment.mac), message)
    })?;
    let far = LinkUnspec::new_with_name(&attachment.interface)
        .address(mac.0.to_vec())
        .mtu(attachment.mtu.unwrap_or(bridge.mtu))
        .setns_by_fd(netns.as_raw_fd())
        .build();
    let near = LinkVeth::new(&attachment.host_interface, &attachment.interface)
        .set_info_data(InfoData::Veth(InfoVeth::Peer(far)))
        .mtu(bridge.mtu)
        .controller(bridge.index)
        .up();
    Ok(near.build())
}

async fn configure(handle: &Handle, attachments: &[Attachment]) -> Result<Attached, Failure> {
    let interfaces = try_join_all(attachments.iter().map(|attachment| interface(handle, attachment)));
    let (_, interfaces) = try_join(link::up(handle, "lo"), interfaces).await?;
    Ok(Attached { interfaces })
}

/// Brings one far end up and gives it its addresses. Requests are answered in the order they are sent.
async fn interface(handle: &Handle, attachment: &Attachment) -> Result<Interface, Failure> {
    let name = &attachment.interface;
    let quiet = async {
        // IPv6 needs its link-local address: neighbours and routers talk by it.
        match attachment.addresses.iter().any(|net| matches!(net, IpNet::V6(_))) {
            true => Ok(()),
            false => link::no_link_local(handle, name, None).await,
        }
    };
    let (found, (), ()) = try_join3(link::find(handle, name), quiet, link::up(handle, name)).await?;
    let found = found.ok_or_else(|| {
        let message = format!("the interface {name} is gone from the jail");
        Failure::new(Kind::NotFound, "network", "RTM_GETLINK", name.clone(), message)
    })?;
    let addresses = attachment.addresses.iter().map(|net| link::add_address(handle, found.index, *net));
    let routes =
        attachment.gateways.iter().map(|gateway| link::add_default_route(handle, found.index, *gateway));
    try_join(try_join_all(addresses), try_join_all(routes)).await?;
    Ok(Interface { name: name.clone(), mac: attachment.mac.clone(), mtu: found.mtu })
}
