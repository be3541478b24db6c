//! `Attachment`: one interface of one jail, and `JailId`, whose it is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::Network;

/// How many interfaces a jail has at most.
pub const INTERFACES: usize = 4;

/// A jail's identity on this machine: 12 lower-case hexadecimal digits, never used twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JailId(String);

impl JailId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last 32 bits, for places that hold a number.
    pub fn number(&self) -> u32 {
        u32::from_str_radix(&self.0[4..], 16).unwrap_or(0)
    }

    /// The host's end of this jail's interface number `index` (below [`INTERFACES`]): `j`, the digits, the index; 14 bytes
    /// of the 15 a name may have.
    pub fn link_name(&self, index: usize) -> String {
        format!("j{}{index}", self.0)
    }
}

impl FromStr for JailId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 12 && text.bytes().all(digit) {
            Ok(JailId(text.to_owned()))
        } else {
            Err(format!("'{text}' is not a jail's id (12 hexadecimal digits)"))
        }
    }
}

impl TryFrom<String> for JailId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<JailId> for String {
    fn from(id: JailId) -> String {
        id.0
    }
}

impl fmt::Display for JailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One interface of one jail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The network it is on.
    pub network: Network,
    /// Its name inside: `eth0`.
    pub interface: String,
    /// The host's end, where there is one (a parent has none): [`JailId::link_name`].
    pub host_interface: String,
    /// Its MAC address, `02:6a:...` in lower case with colons. Made from the address unless one was asked for.
    pub mac: String,
    /// Its MTU; `None` takes the bridge's or the parent's.
    pub mtu: Option<u32>,
    /// Its addresses with prefix lengths; empty for none.
    pub addresses: Vec<IpNet>,
    /// The jail's default gateways if they are on this interface, at most one per family.
    pub gateways: Vec<IpAddr>,
    /// The gateways of what is sent from this interface's own addresses, at most one per family: for a jail with several
    /// interfaces, whose answers leave by the one that was asked.
    #[serde(default)]
    pub source_gateways: Vec<IpAddr>,
    /// Whether others on the segment are asked first if they use the addresses.
    #[serde(default)]
    pub probe: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jails_links_are_named_after_it_and_fit() {
        let id: JailId = "3fa04b11c2d9".parse().unwrap();
        assert_eq!(id.link_name(0), "j3fa04b11c2d90");
        assert!(id.link_name(3).len() <= 15);
        assert_eq!(id.number(), 0x4b11_c2d9);
        assert!("3FA04b11c2d9".parse::<JailId>().is_err());
        assert!(serde_json::from_str::<JailId>("\"../../etc\"").is_err());
    }
}
