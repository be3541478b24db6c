//! The socket families a jail may use.

use serde::{Deserialize, Serialize};

/// A socket family, by Firejail's name for it. See socket(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Protocol {
    /// `AF_UNIX`.
    Unix,
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`.
    Inet6,
    /// `AF_NETLINK`, of which only `NETLINK_ROUTE` is let through: what libc asks for addresses and routes with.
    Netlink,
}

impl Protocol {
    /// What a jail may use unless told otherwise.
    pub const DEFAULT: [Protocol; 4] = [Protocol::Unix, Protocol::Inet, Protocol::Inet6, Protocol::Netlink];

    /// The name in options and plans.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Unix => "unix",
            Protocol::Inet => "inet",
            Protocol::Inet6 => "inet6",
            Protocol::Netlink => "netlink",
        }
    }

    /// The `AF_*` number.
    pub(crate) fn family(self) -> i32 {
        match self {
            Protocol::Unix => libc::AF_UNIX,
            Protocol::Inet => libc::AF_INET,
            Protocol::Inet6 => libc::AF_INET6,
            Protocol::Netlink => libc::AF_NETLINK,
        }
    }
}
