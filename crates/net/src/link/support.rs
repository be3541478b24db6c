//! Whether this host can make links of a kind, found out by asking the kernel for one it must refuse.

use rtnetlink::{Handle, LinkMessageBuilder};

use super::request;
use super::wire::{errno, refused};
use crate::backend::{Failure, Support};

/// No interface may have it: the kernel looks up the kind, loads its module, then refuses with EADDRNOTAVAIL.
const BROADCAST: [u8; 6] = [0xff; 6];

/// The name to ask with, which would be used if the kernel accepted.
pub const NEVER_MADE: &str = "jail-probe";

/// Whether links of this kind can be made: `link` is such a one, named [`NEVER_MADE`].
///
/// # Errors
/// What the kernel answers beside that it cannot, or that we may not.
pub async fn of<T>(handle: &Handle, kind: &str, link: LinkMessageBuilder<T>) -> Result<Support, Failure> {
    let impossible = link.address(BROADCAST.to_vec()).build();
    let Err(error) = handle.link().add(impossible).execute().await else {
        request::delete(handle, NEVER_MADE).await?;
        return Ok(Support::Yes);
    };
    let no = |reason: String, hint: &str| Ok(Support::No { reason, hint: hint.into() });
    match errno(&error) {
        Some(libc::EADDRNOTAVAIL) => Ok(Support::Yes),
        Some(libc::EPERM) => no("making links needs CAP_NET_ADMIN".into(), "run it as the host's own root"),
        Some(libc::EOPNOTSUPP) => {
            no(format!("this kernel has no links of kind {kind}"), &format!("load it with: modprobe {kind}"))
        }
        _ => Err(refused("RTM_NEWLINK", kind, &error)),
    }
}
