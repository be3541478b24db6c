//! The socket families a jail may use.

use jail_sys::{Failure, Kind};
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

    /// Reads what follows `--protocol=`.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a name that is none of them.
    pub fn list(text: &str) -> Result<Vec<Protocol>, Failure> {
        let mut protocols = Vec::new();
        for name in text.split(',') {
            let known = Protocol::DEFAULT.into_iter().find(|protocol| protocol.name() == name);
            let protocol = known.ok_or_else(|| {
                let option = format!("--protocol={text}");
                let message = format!("{option}: a jail's sockets are not of a family '{name}'");
                Failure::new(Kind::Usage, "filter", "parse", option, message)
                    .hint("there are unix, inet, inet6 and netlink")
            })?;
            if !protocols.contains(&protocol) {
                protocols.push(protocol);
            }
        }
        Ok(protocols)
    }

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
