//! Giving a jail its interfaces: a macvlan in bridge mode each, born inside the jail's network namespace.

use std::os::fd::{AsRawFd, BorrowedFd};

use futures_util::future::{try_join, try_join_all};
use jail_net::backend::{Attached, Failure, Kind, Taken};
use jail_net::link::arp::Asker;
use jail_net::link::{Wire, attachment, inside, request, wait_until};
use jail_net::mac::Mac;
use jail_net::model::Attachment;
use rtnetlink::packet_route::link::MacVlanMode;
use rtnetlink::{Handle, LinkMacVlan};

use crate::parent;
use crate::plan::Links;

/// Makes every link, or none.
pub(crate) async fn attach(
    handle: &Handle,
    links: &Links,
    netns: BorrowedFd<'_>,
) -> Result<Attached, Failure> {
    let attachments = &links.attachments;
    let mut made = 0;
    let attached = async {
        for attachment in attachments {
            make(handle, attachment, netns).await?;
            made += 1;
        }
        configure(handle, attachments, netns).await
    }
    .await;
    if !matches!(&attached, Ok(attached) if attached.taken.is_empty()) {
        // The one failure worth more than the first: something stays.
        remove(&attachments[..made], netns).await?;
    }
    attached
}

/// One request from the host's namespace, where the parent is, for a link in the jail's.
async fn make(handle: &Handle, attachment: &Attachment, netns: BorrowedFd<'_>) -> Result<(), Failure> {
    let name = attachment.network.interface();
    let parent = parent::find(handle, name).await?;
    let link = LinkMacVlan::new(&attachment.interface, parent.index, MacVlanMode::Bridge)
        .address(attachment::mac(attachment)?.0.to_vec())
        .mtu(attachment.mtu.unwrap_or(parent.mtu))
        .setns_by_fd(netns.as_raw_fd())
        .build();
    let made = request::add(handle, link, &format!("--net={name}")).await;
    made.map_err(|failure| match failure.errno {
        // EBUSY for whoever takes its frames first, EINVAL for a macvlan that has it all to itself (passthru).
        Some(libc::EBUSY | libc::EINVAL) => parent::taken(name),
        _ => failure,
    })
}

async fn remove(made: &[Attachment], netns: BorrowedFd<'_>) -> Result<(), Failure> {
    let delete = |handle, _| async move {
        for attachment in made {
            request::delete(&handle, &attachment.interface).await?;
        }
        Ok(())
    };
    Wire::open_in(netns, || Ok(()))?.run(delete).await
}

async fn configure(
    host: &Handle,
    attachments: &[Attachment],
    netns: BorrowedFd<'_>,
) -> Result<Attached, Failure> {
    let inside = Wire::open_in(netns, || inside::settle(attachments))?;
    let configure = |handle, _| async move {
        let links = inside::links(&handle, attachments).await?;
        up(host, &handle, attachments).await?;
        let mut askers = Vec::new();
        for (attachment, link) in attachments.iter().zip(&links) {
            askers.push(Asker::open_in(netns, link.index, attachment::mac(attachment)?)?);
        }
        let asked = attachments.iter().zip(&askers).filter(|(attachment, _)| attachment.probe);
        let taken = try_join_all(asked.map(|(attachment, asker)| taken(host, attachment, asker)));
        let taken = taken.await?.concat();
        if !taken.is_empty() {
            return Ok(Attached { taken, ..Attached::default() });
        }
        let addresses = inside::addresses(&handle, attachments, &links);
        let (_, interfaces) = try_join(addresses, inside::route(&handle, attachments, &links)).await?;
        for (attachment, asker) in attachments.iter().zip(&askers) {
            asker.announce(&attachment.addresses)?;
        }
        Ok(Attached { interfaces, ..Attached::default() })
    };
    inside.run(configure).await
}

/// Brings the links up. A MAC made from an address is that of the jail which had the address before: while that one's
/// interface is on its way out, ours must wait.
async fn up(host: &Handle, inside: &Handle, attachments: &[Attachment]) -> Result<(), Failure> {
    for attachment in attachments {
        let name = std::slice::from_ref(attachment);
        match inside::up(inside, name).await {
            Err(failure) if failure.errno == Some(libc::EADDRINUSE) => {
                if !ended(host, attachment, attachment::mac(attachment)?).await? {
                    return Err(mac_in_use(attachment));
                }
                inside::up(inside, name).await?;
            }
            other => other?,
        }
    }
    Ok(())
}

async fn taken(host: &Handle, attachment: &Attachment, asker: &Asker) -> Result<Vec<Taken>, Failure> {
    asker.taken(&attachment.addresses, async |mac| ended(host, attachment, mac).await).await
}

/// Waits for the end of another interface beside the same parent that has this MAC, if there is one: mostly that of a jail
/// which has just ended. Its going is an event of the parent's.
async fn ended(host: &Handle, attachment: &Attachment, mac: Mac) -> Result<bool, Failure> {
    let parent = parent::find(host, attachment.network.interface()).await?.index;
    let there = request::links_to(host, &mac.0).await?.contains(&parent);
    let gone = async |handle| Ok(!request::links_to(&handle, &mac.0).await?.contains(&parent));
    Ok(there && wait_until(gone).await?)
}

/// The failure for a MAC that somebody beside the same parent keeps, or the parent itself.
fn mac_in_use(attachment: &Attachment) -> Failure {
    let (mac, parent) = (&attachment.mac, attachment.network.interface());
    let object = format!("--mac={mac}");
    let message = format!("{object}: {parent} has it, or another interface that shares {parent}");
    Failure::new(Kind::Conflict, "network", "RTM_SETLINK", object, message)
        .hint("choose another, or another --ip")
}
