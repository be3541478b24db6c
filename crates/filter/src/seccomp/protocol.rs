//! The socket families a jail may use.

use jail_sys::{Failure, Kind};
use serde::{Deserialize, Serialize};

use super::item::short;
use super::rules::Rules;

const THERE_ARE: &str = "there are unix, inet, inet6 and netlink";

const NOT_GRANTED: &str = "it is not granted: there are unix, inet, inet6 and netlink";

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
    /// [`Kind::Usage`] for a name that is none of them, or one that is there twice.
    pub fn list(text: &str) -> Result<Vec<Protocol>, Failure> {
        let option = short(&format!("--protocol={text}"));
        let wrong = |why: String, hint: &str| {
            let message = format!("{option}: {why}");
            Failure::new(Kind::Usage, "filter", "parse", &*option, message).hint(hint)
        };
        let mut protocols = Vec::new();
        for name in text.split(',') {
            let known = Protocol::DEFAULT.into_iter().find(|protocol| protocol.name() == name);
            let protocol = known.ok_or_else(|| match name {
                "" => wrong(
                    "there is an empty name in the list".to_owned(),
                    "names are separated by single commas",
                ),
                "packet" => {
                    wrong("packet is the link itself, past the policy of the network".to_owned(), NOT_GRANTED)
                }
                "bluetooth" => {
                    wrong("bluetooth is the host's radio, which no jail has".to_owned(), NOT_GRANTED)
                }
                _ => wrong(format!("a jail's sockets are not of a family '{}'", short(name)), THERE_ARE),
            })?;
            if protocols.contains(&protocol) {
                return Err(wrong(format!("{name} is there twice"), "name it once"));
            }
            protocols.push(protocol);
        }
        Ok(protocols)
    }

    /// The call that makes sockets of any family where the rules permit it whatever its arguments are.
    pub fn lifted(rules: &Rules) -> Option<&'static str> {
        ["socket", "socketpair"].into_iter().find(|call| rules.permits(call))
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
