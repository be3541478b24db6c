//! `Mac`: an Ethernet address, and the ones we give: locally administered, unicast, the same every time.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::JailId;

/// What the MAC that goes with an address begins with: the bit for "locally administered", then a `j`.
const JAIL: [u8; 2] = [0x02, 0x6a];
/// What every MAC of a bridge of ours begins with: never a jail's on it.
const BRIDGE: [u8; 2] = [0x02, 0x6b];
/// What the MAC of an interface without an address begins with.
const LINK: [u8; 2] = [0x02, 0x6c];

/// What the MAC of a port of a bridge begins with. A bridge that was given no MAC takes the lowest of its ports': it must
/// not take a jail's, for its other users would lose it.
const PORT: [u8; 2] = [0xfe, 0x6a];

/// An Ethernet address; printed in lower case with colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The MAC that goes with a leased address: as unique on its network as the address is.
    ///
    /// Of an IPv6 address the last 32 bits count.
    pub fn of_address(address: IpAddr) -> Self {
        let number = match address {
            IpAddr::V4(address) => address.to_bits(),
            IpAddr::V6(address) => address.to_bits() as u32,
        };
        Mac::join(JAIL, number)
    }

    /// The MAC of a bridge of ours: made from its name, so that it is the same after a reboot and neighbours keep it.
    pub fn of_bridge(name: &str) -> Self {
        Mac::join(BRIDGE, hash(name))
    }

    /// The MAC of a jail's interface number `index` that has no address.
    pub fn of_link(jail: &JailId, index: usize) -> Self {
        Mac::join(LINK, jail.number().wrapping_add(index as u32))
    }

    /// The MAC of a bridge's port, the host's end of a jail's interface: made from its name.
    pub fn of_port(name: &str) -> Self {
        Mac::join(PORT, hash(name))
    }

    /// Whether it is one that we make ourselves: asked for by hand, it could be another jail's before long.
    pub fn is_made_here(self) -> bool {
        [JAIL, BRIDGE, LINK, PORT].contains(&[self.0[0], self.0[1]])
    }

    fn join([first, second]: [u8; 2], number: u32) -> Self {
        let [a, b, c, d] = number.to_be_bytes();
        Mac([first, second, a, b, c, d])
    }

    /// Whether an interface may have it: unicast and not all zero.
    pub fn is_unicast(self) -> bool {
        self.0[0] & 1 == 0 && self.0 != [0; 6]
    }
}

/// FNV-1a: no cryptography, but the same number in every version of ours, which std's hasher does not promise.
pub(crate) fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for Mac {
    type Err = String;

    /// Reads six pairs of hexadecimal digits with colons that name one interface.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "'{text}' is not the MAC address of one interface (six pairs of digits, like 02:00:00:00:00:05)"
            )
        };
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            *byte = parts.next().and_then(byte_of).ok_or_else(bad)?;
        }
        let mac = Mac(bytes);
        if parts.next().is_some() || !mac.is_unicast() { Err(bad()) } else { Ok(mac) }
    }
}

impl TryFrom<String> for Mac {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> String {
        mac.to_string()
    }
}

fn byte_of(digits: &str) -> Option<u8> {
    let two = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    two.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leased_address_and_a_bridge_name_make_their_macs() {
        assert_eq!(Mac::of_address("10.10.20.10".parse().unwrap()).to_string(), "02:6a:0a:0a:14:0a");
        assert_eq!(Mac::of_address("fd00::1:2".parse().unwrap()).to_string(), "02:6a:00:01:00:02");
        assert_eq!(Mac::of_bridge("br0"), Mac::of_bridge("br0"));
        assert_ne!(Mac::of_bridge("br0"), Mac::of_bridge("br1"));
        assert!(Mac::of_bridge("br0").to_string().starts_with("02:6b:"));
        let web: JailId = "3fa04b11c2d9".parse().unwrap();
        assert_eq!(Mac::of_link(&web, 1).to_string(), "02:6c:4b:11:c2:da");
        assert!(Mac::of_port("j3fa04b11c2d90").to_string().starts_with("fe:6a:"));
        assert!(Mac::of_link(&web, 0).is_made_here() && Mac::of_bridge("br0").is_made_here());
        assert!(!"02:00:00:00:00:05".parse::<Mac>().unwrap().is_made_here());
    }

    #[test]
    fn a_mac_reads_back_and_nonsense_is_refused() {
        assert_eq!("02:6A:0a:0a:14:0A".parse::<Mac>().unwrap().to_string(), "02:6a:0a:0a:14:0a");
        for bad in [
            "",
            "02:6a:0a:0a:14",
            "02:6a:0a:0a:14:0a:00",
            "2:6a:0a:0a:14:0a",
            "+2:6a:0a:0a:14:0a",
            "0g:6a:0a:0a:14:0a",
        ] {
            assert!(bad.parse::<Mac>().is_err(), "{bad}");
        }
        assert!("ff:ff:ff:ff:ff:ff".parse::<Mac>().is_err(), "the broadcast address is no interface's");
        assert!("00:00:00:00:00:00".parse::<Mac>().is_err());
    }
}
