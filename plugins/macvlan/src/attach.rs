//! Giving a jail its interfaces: a macvlan in bridge mode each, born inside the jail's network namespace.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use jail_net::backend::{Attached, Failure, Kind, Taken};
use jail_net::link::arp::Asker;
use jail_net::link::request::{self, Link};
use jail_net::link::{Events, Wire, attachment, inside};
use jail_net::model::Attachment;
use rtnetlink::packet_route::link::MacVlanMode;
use rtnetlink::{Handle, LinkMacVlan};
use tokio::time::{Instant, timeout_at};

use crate::parent;
use crate::plan::Links;

/// How long a jail that has ended may keep its interface, and with it the MAC: the kernel takes its time with a network
/// namespace.
const PATIENCE: Duration = Duration::from_secs(1);

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
        configure(attachments, netns).await
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
        Some(nix::libc::EBUSY) => parent::taken(name),
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

async fn configure(attachments: &[Attachment], netns: BorrowedFd<'_>) -> Result<Attached, Failure> {
    let inside = Wire::open_in(netns, || inside::settle(attachments))?;
    let configure = |handle, _| async move {
        let links = up(&handle, attachments).await?;
        let asked = attachments.iter().zip(&links).filter(|(attachment, _)| attachment.probe);
        let taken = try_join_all(asked.map(|(attachment, link)| taken(attachment, link, netns)));
        let taken = taken.await?.concat();
        if !taken.is_empty() {
            return Ok(Attached { taken, ..Attached::default() });
        }
        let interfaces = inside::address(&handle, attachments, &links).await?;
        Ok(Attached { interfaces, ..Attached::default() })
    };
    inside.run(configure).await
}

async fn taken(attachment: &Attachment, link: &Link, netns: BorrowedFd<'_>) -> Result<Vec<Taken>, Failure> {
    Asker::open_in(netns, link.index, attachment::mac(attachment)?)?.taken(&attachment.addresses).await
}

/// Brings the links up. The MAC made from an address is that of the jail which had it just before: as long as that one's
/// interface is on its way out, ours waits. Its going is an event of the parent's.
async fn up(inside: &Handle, attachments: &[Attachment]) -> Result<Vec<Link>, Failure> {
    let first = inside::up(inside, attachments).await;
    if !first.as_ref().is_err_and(is_in_use) {
        return first;
    }
    let again = |_, mut events: Events| async move {
        let end = Instant::now() + PATIENCE;
        loop {
            match inside::up(inside, attachments).await {
                Err(failure) if is_in_use(&failure) => {
                    if !matches!(timeout_at(end, events.next()).await, Ok(Some(()))) {
                        return Err(mac_in_use(attachments, failure));
                    }
                }
                other => return other,
            }
        }
    };
    Wire::hearing_of_links()?.run(again).await
}

fn is_in_use(failure: &Failure) -> bool {
    failure.errno == Some(nix::libc::EADDRINUSE)
}

/// In the user's words, when the failure is about one of these.
fn mac_in_use(attachments: &[Attachment], failure: Failure) -> Failure {
    let Some(attachment) = attachments.iter().find(|attachment| attachment.interface == failure.object)
    else {
        return failure;
    };
    let (mac, parent) = (&attachment.mac, attachment.network.interface());
    let object = format!("--mac={mac}");
    let message = format!("{object}: {parent} has it, or another interface that shares {parent}");
    Failure::new(Kind::Conflict, "network", "RTM_SETLINK", object, message)
        .hint("choose another, or another --ip")
}
