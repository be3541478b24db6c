//! `Attachment`: one interface of one jail, and `JailId`, whose it is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::Network;

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

    /// The host's end of this jail's interface number `index` (0 to 3): `j`, the digits, the index; 14 bytes of the
    /// 15 a name may have.
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
    /// The host's end: [`JailId::link_name`].
    pub host_interface: String,
    /// Its MAC address, `02:6a:...` in lower case with colons. For a leased address it is made from the address.
    pub mac: String,
    /// Its MTU; `None` takes the bridge's.
    pub mtu: Option<u32>,
    /// Its addresses with prefix lengths.
    pub addresses: Vec<IpNet>,
    /// Default gateways, at most one per family; empty for none.
    pub gateways: Vec<IpAddr>,
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
