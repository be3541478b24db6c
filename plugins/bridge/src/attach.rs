//! Giving a jail its interfaces: a veth pair each, its far end born inside the jail's network namespace.

use std::os::fd::{AsRawFd, BorrowedFd};

use futures_util::future::{try_join_all, try_join3};
use jail_net::backend::{Attached, Failure, Taken};
use jail_net::link::arp::Asker;
use jail_net::link::request::{self as link, Link};
use jail_net::link::{Wire, attachment, inside};
use jail_net::mac::Mac;
use jail_net::model::Attachment;
use rtnetlink::packet_route::link::{InfoData, InfoVeth, LinkMessage};
use rtnetlink::{Handle, LinkUnspec, LinkVeth};

use crate::bridge;
use crate::detach::{gone, jail_of};
use crate::plan::Links;

/// Makes every link, or none.
pub(crate) async fn attach(
    handle: &Handle,
    links: &Links,
    netns: BorrowedFd<'_>,
) -> Result<Attached, Failure> {
    let asked = links.attachments.iter().filter(|attachment| attachment.probe);
    let taken = try_join_all(asked.map(|attachment| taken(handle, attachment))).await?.concat();
    if !taken.is_empty() {
        return Ok(Attached { taken, ..Attached::default() });
    }
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

/// Asks by the bridge itself: what leaves a new port may have to wait for the spanning tree, and is checked for what the
/// jail may say of itself.
async fn taken(handle: &Handle, attachment: &Attachment) -> Result<Vec<Taken>, Failure> {
    let bridge = bridge::ensure(handle, &attachment.network).await?;
    let mac = bridge.mac.as_slice().try_into().map(Mac).unwrap_or(Mac([0; 6]));
    let asker = Asker::open(bridge.index, mac)?;
    asker.taken(&attachment.addresses, async |mac| ended(handle, mac).await).await
}

/// Waits for the end of a jail's link that this MAC is behind, if there is one: whoever has the lease now, it is dead.
async fn ended(handle: &Handle, mac: Mac) -> Result<bool, Failure> {
    let behind = link::links_to(handle, &mac.0).await?;
    let links = link::all(handle).await?.into_iter();
    let jails = links.filter(|link| behind.contains(&link.index) && jail_of(&link.name).is_some());
    let names: Vec<String> = jails.map(|link| link.name).collect();
    Ok(!names.is_empty() && gone(&names).await?)
}

async fn each<'a>(
    handle: &Handle,
    links: &'a Links,
    netns: BorrowedFd<'_>,
    made: &mut Vec<&'a str>,
) -> Result<Attached, Failure> {
    let alias = format!("jail {}", links.jail);
    let attachments = &links.attachments;
    for attachment in attachments {
        let bridge = bridge::ensure(handle, &attachment.network).await?;
        let pair = pair(attachment, &bridge, netns)?;
        let host = &attachment.host_interface;
        link::add(handle, pair, &format!("--net={}", attachment.network.interface())).await?;
        made.push(host);
        link::no_link_local(handle, host, &alias).await?;
    }
    // The far ends come up only now, when the near ones can no longer give themselves an address.
    let inside = Wire::open_in(netns, || inside::settle(attachments))?;
    let configure = |handle, _| async move {
        let links = inside::links(&handle, attachments).await?;
        let addresses = inside::addresses(&handle, attachments, &links);
        let (up, routes) = (inside::up(&handle, attachments), inside::route(&handle, attachments, &links));
        try_join3(addresses, up, routes).await.map(|(_, _, interfaces)| interfaces)
    };
    let interfaces = inside.run(configure).await?;
    Ok(Attached { interfaces, ..Attached::default() })
}

/// One request for the pair: near end on the bridge and up, far end in the jail.
fn pair(attachment: &Attachment, bridge: &Link, netns: BorrowedFd<'_>) -> Result<LinkMessage, Failure> {
    let far = LinkUnspec::new_with_name(&attachment.interface)
        .address(attachment::mac(attachment)?.0.to_vec())
        .mtu(attachment.mtu.unwrap_or(bridge.mtu))
        .setns_by_fd(netns.as_raw_fd())
        .build();
    let near = LinkVeth::new(&attachment.host_interface, &attachment.interface)
        .set_info_data(InfoData::Veth(InfoVeth::Peer(far)))
        .address(Mac::of_port(&attachment.host_interface).0.to_vec())
        .mtu(bridge.mtu)
        .controller(bridge.index)
        .up();
    Ok(near.build())
}
