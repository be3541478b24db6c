//! `Spec`: what the user asked for, in their own terms. Nothing here is looked up or decided.

use std::net::{IpAddr, Ipv4Addr};

pub use jail_filter::{CapsSpec, ErrorAction, FilterSpec, Protocol, Resource, Rlimit, Rules, SeccompSpec};
pub use jail_fs::{Bind, Grant, Tmpfs, ViewSpec};
use jail_net::model::{Egress, Publish};
use serde::{Deserialize, Serialize};

pub use crate::identity::{IdentitySpec, Timeout};
pub use crate::userns::Userns;

/// A jail as it was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spec {
    /// Its name (and host name); `None` takes the first program's base name.
    pub name: Option<String>,
    /// What to run: one argument that holds spaces or shell signs is run by `/bin/sh -c`, otherwise it is an argv.
    pub command: Vec<String>,
    /// Who it is: its host name, its user, its environment, its time.
    pub identity: IdentitySpec,
    /// What it sees of the file system.
    pub view: ViewSpec,
    /// What it may ask the kernel.
    pub filter: FilterSpec,
    /// Its network.
    pub network: NetworkSpec,
    /// Backends by name, at most one of each role; a role left open is chosen.
    pub backends: Vec<String>,
}

/// Which network a jail gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Net {
    /// Its own, with nothing but a loopback interface.
    #[default]
    None,
    /// The host's.
    Host,
    /// An interface on this network, bridge or interface of the host's.
    On(String),
}

/// The network of a jail as it was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetworkSpec {
    /// Which network.
    pub net: Net,
    /// Its address; `None` leases one.
    pub ip: Option<Address>,
    /// Its default gateway; `None` takes the host's address on the bridge.
    pub gateway: Option<Ipv4Addr>,
    /// Its name servers; empty shows the host's resolv.conf.
    pub dns: Vec<IpAddr>,
    /// The ports published.
    pub publish: Vec<Publish>,
    /// The connections it may open.
    pub egress: Egress,
}

/// An address as `--ip` takes it: `A` or `A/LEN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The address.
    pub address: Ipv4Addr,
    /// The prefix length, when one was given.
    pub prefix: Option<u8>,
}

impl std::str::FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let prefix = match prefix.map(str::parse::<u8>) {
            None => None,
            Some(Ok(length)) if (1..=32).contains(&length) => Some(length),
            Some(_) => return Err(format!("'{text}' has no prefix length of 1 to 32 after its slash")),
        };
        let address = address.parse().map_err(|_| format!("'{address}' is not an IPv4 address"))?;
        Ok(Address { address, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_carry_its_prefix_length() {
        let read = |text: &str| text.parse::<Address>();
        assert_eq!(read("10.10.20.10").unwrap().prefix, None);
        assert_eq!(read("10.10.20.10/24").unwrap().prefix, Some(24));
        assert!(read("10.10.20.10/33").unwrap_err().contains("prefix length"));
        assert_eq!(read("10.10.20.300").unwrap_err(), "'10.10.20.300' is not an IPv4 address");
    }
}
