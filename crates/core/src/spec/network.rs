//! `NetworkSpec`: the network of a jail as it was asked for.

use std::net::{IpAddr, Ipv4Addr};

use jail_net::mac::Mac;
use jail_net::model::{Egress, Publish};
use serde::{Deserialize, Serialize};

/// Which network a jail gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Net {
    /// Its own, with nothing but a loopback interface.
    #[default]
    None,
    /// The host's.
    Host,
    /// Its own with these interfaces, one to four: `eth0` and so on.
    On(Vec<InterfaceSpec>),
}

/// The network of a jail as it was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetworkSpec {
    /// Which network.
    pub net: Net,
    /// Its name servers; empty shows the host's resolv.conf.
    pub dns: Vec<IpAddr>,
    /// The ports published.
    pub publish: Vec<Publish>,
    /// The connections it may open; `None` where nothing was said of them, which denies every one.
    pub egress: Option<Egress>,
    /// Whether an address is used without asking others on the segment if they have it.
    pub no_probe: bool,
}

/// One interface of a jail as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InterfaceSpec {
    /// The network, bridge or interface of the host's it is on.
    pub net: String,
    /// Its address.
    pub ip: Ip,
    /// Its MAC; `None` makes one from the address.
    pub mac: Option<Mac>,
    /// Its MTU; `None` takes the bridge's or the interface's.
    pub mtu: Option<u32>,
    /// The jail's default gateway, reached by this interface; `None` takes the first interface's own.
    pub gateway: Option<Ipv4Addr>,
}

impl InterfaceSpec {
    /// An interface on this network, bridge or interface of the host's, with a leased address.
    pub fn on(net: impl Into<String>) -> Self {
        InterfaceSpec { net: net.into(), ip: Ip::Lease, mac: None, mtu: None, gateway: None }
    }
}

/// The address of an interface, as `--ip` takes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ip {
    /// A free one, leased when the jail starts.
    #[default]
    Lease,
    /// None: the interface is there, and can neither send nor be reached.
    None,
    /// This one.
    Fixed(Address),
}

impl std::str::FromStr for Ip {
    type Err = String;

    /// Reads `A`, `A/LEN` or `none`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" { Ok(Ip::None) } else { text.parse().map(Ip::Fixed) }
    }
}

impl std::fmt::Display for Ip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ip::Lease => Ok(()),
            Ip::None => f.write_str("none"),
            Ip::Fixed(Address { address, prefix: None }) => write!(f, "{address}"),
            Ip::Fixed(Address { address, prefix: Some(prefix) }) => write!(f, "{address}/{prefix}"),
        }
    }
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
        assert_eq!("none".parse::<Ip>().unwrap(), Ip::None);
        assert_eq!("10.10.20.10/24".parse::<Ip>().unwrap().to_string(), "10.10.20.10/24");
    }
}
