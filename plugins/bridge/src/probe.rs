//! Whether this host can do it, found out by asking the kernel for links it must refuse.

use jail_net::backend::{Failure, Support};
use nix::libc;
use rtnetlink::packet_route::link::LinkMessage;
use rtnetlink::{Handle, LinkBridge, LinkVeth};

use crate::wire::{errno, refused};

/// No interface may have it: the kernel looks up the kind, loads its module, then refuses with EADDRNOTAVAIL.
const BROADCAST: [u8; 6] = [0xff; 6];

/// The name that would be used if the kernel accepted.
const NEVER_MADE: &str = "jail-probe";

pub(crate) async fn probe(handle: &Handle) -> Result<Support, Failure> {
    let bridge = LinkBridge::new(NEVER_MADE).address(BROADCAST.to_vec()).build();
    let veth = LinkVeth::new(NEVER_MADE, "eth0").address(BROADCAST.to_vec()).build();
    for (kind, link) in [("bridge", bridge), ("veth", veth)] {
        if let Some(no) = ask(handle, kind, link).await? {
            return Ok(no);
        }
    }
    Ok(Support::Yes)
}

async fn ask(handle: &Handle, kind: &str, link: LinkMessage) -> Result<Option<Support>, Failure> {
    let Err(error) = handle.link().add(link).execute().await else {
        crate::link::delete(handle, NEVER_MADE).await?;
        return Ok(None);
    };
    let no = |reason: String, hint: &str| Ok(Some(Support::No { reason, hint: hint.into() }));
    match errno(&error) {
        Some(libc::EADDRNOTAVAIL) => Ok(None),
        Some(libc::EPERM) => no("making links needs CAP_NET_ADMIN".into(), "run it as root"),
        Some(libc::EOPNOTSUPP) => {
            no(format!("this kernel has no links of kind {kind}"), &format!("load it with: modprobe {kind}"))
        }
        _ => Err(refused("RTM_NEWLINK", kind, &error)),
    }
}
