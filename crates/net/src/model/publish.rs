//! `Publish`: a port of the host's that leads to a port of the jail's, as `-p` spells it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A transport protocol that has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// `tcp` or `udp`.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        }
    }
}

/// Ports `first` to `last`, both included; `first` is at least 1 and at most `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
}

impl PortRange {
    /// How many ports it holds.
    pub fn width(self) -> u32 {
        u32::from(self.last) - u32::from(self.first) + 1
    }

    /// Whether this port is one of them.
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// Each port.
    pub fn ports(self) -> impl Iterator<Item = u16> {
        self.first..=self.last
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl FromStr for PortRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = |part: &str| match part.parse::<u16>() {
            Ok(number) if number > 0 && part.bytes().all(|byte| byte.is_ascii_digit()) => Ok(number),
            _ => Err(format!("'{part}' is not a port (1 to 65535)")),
        };
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (port(first)?, port(last)?),
            None => (port(text)?, port(text)?),
        };
        if first > last {
            return Err(format!("the range {text} runs backwards"));
        }
        Ok(PortRange { first, last })
    }
}

/// A port (or a range of equal width) of the host's that leads to the jail.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Publish {
    /// The host's address it is reached by; `None` for any.
    pub address: Option<IpAddr>,
    /// The host's ports.
    pub host: PortRange,
    /// The jail's ports, as many.
    pub jail: PortRange,
    /// The protocol.
    pub protocol: Protocol,
}

impl FromStr for Publish {
    type Err = String;

    /// Reads `[HOSTADDR:]PORT[-PORT][:PORT[-PORT]][/tcp|udp]`; an IPv6 HOSTADDR stands in brackets.
    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, protocol) = match text.rsplit_once('/') {
            Some((rest, "tcp")) => (rest, Protocol::Tcp),
            Some((rest, "udp")) => (rest, Protocol::Udp),
            Some((_, other)) => return Err(format!("'{other}' is not a protocol: tcp or udp")),
            None => (text, Protocol::Tcp),
        };
        let (address, ports) = split_address(rest)?;
        let (host, jail) = match ports.split_once(':') {
            Some((host, jail)) => (host.parse()?, jail.parse()?),
            None => (ports.parse()?, ports.parse()?),
        };
        let publish = Publish { address, host, jail, protocol };
        if host.width() != jail.width() {
            return Err(format!("{host} and {jail} are not of equal width"));
        }
        Ok(publish)
    }
}

/// `10.0.0.1:80` into its address and the rest; an address is what has dots or brackets.
fn split_address(text: &str) -> Result<(Option<IpAddr>, &str), String> {
    let (address, ports) = split(text)?;
    match address.and_then(nobodys) {
        Some(why) => Err(why),
        None => Ok((address, ports)),
    }
}

/// Why no host has this address, though it may bind a socket to it.
fn nobodys(address: IpAddr) -> Option<String> {
    let broadcast = address == IpAddr::V4(std::net::Ipv4Addr::BROADCAST);
    if address.is_unspecified() {
        Some(format!("'{address}' is no address: without one the port is published on all"))
    } else if address.is_multicast() || broadcast {
        Some(format!("'{address}' is not an IP address of the host's: it is for many hosts"))
    } else {
        None
    }
}

fn split(text: &str) -> Result<(Option<IpAddr>, &str), String> {
    let bad = |part: &str| format!("'{part}' is not an IP address of the host's");
    if let Some(rest) = text.strip_prefix('[') {
        let (inner, ports) = rest.split_once("]:").ok_or_else(|| bad(text))?;
        let address: std::net::Ipv6Addr = inner.parse().map_err(|_| bad(inner))?;
        return Ok((Some(address.into()), ports));
    }
    match text.split_once(':') {
        Some((head, ports)) if head.contains('.') || ports.matches(':').count() == 1 => {
            let address: std::net::Ipv4Addr = head.parse().map_err(|_| bad(head))?;
            Ok((Some(address.into()), ports))
        }
        _ => Ok((None, text)),
    }
}

impl fmt::Display for Publish {
    /// The shortest text that reads back as the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(IpAddr::V6(address)) => write!(f, "[{address}]:")?,
            Some(address) => write!(f, "{address}:")?,
            None => {}
        }
        write!(f, "{}", self.host)?;
        if self.jail != self.host {
            write!(f, ":{}", self.jail)?;
        }
        if self.protocol == Protocol::Udp {
            f.write_str("/udp")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Publish {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Publish> for String {
    fn from(publish: Publish) -> String {
        publish.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_and_prints_back() {
        for text in [
            "80",
            "8080:80",
            "53/udp",
            "10.0.0.1:80",
            "10.0.0.1:8080:80/udp",
            "[fd00::1]:80",
            "7000-7010:8000-8010",
        ] {
            let publish: Publish = text.parse().unwrap();
            assert_eq!(publish.to_string(), text);
        }
        assert_eq!("80:80/tcp".parse::<Publish>().unwrap().to_string(), "80");
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        let refused = |text: &str| text.parse::<Publish>().unwrap_err();
        assert_eq!(refused("0"), "'0' is not a port (1 to 65535)");
        assert_eq!(refused("+80"), "'+80' is not a port (1 to 65535)");
        assert_eq!(refused("65536"), "'65536' is not a port (1 to 65535)");
        assert_eq!(refused("90-80"), "the range 90-80 runs backwards");
        assert_eq!(refused("80-81:80"), "80-81 and 80 are not of equal width");
        assert_eq!(refused("80/sctp"), "'sctp' is not a protocol: tcp or udp");
        assert_eq!(refused("10.0.0.256:80"), "'10.0.0.256' is not an IP address of the host's");
        assert_eq!(refused("eth0:80:80"), "'eth0' is not an IP address of the host's");
        for many in ["224.0.0.1:80", "255.255.255.255:80", "[ff02::1]:80"] {
            assert!(
                refused(many).ends_with("is not an IP address of the host's: it is for many hosts"),
                "{many}"
            );
        }
        for none in ["0.0.0.0:80", "[::]:80"] {
            assert!(refused(none).ends_with("without one the port is published on all"), "{none}");
        }
        assert!("".parse::<Publish>().is_err());
        assert!(":80".parse::<Publish>().is_err());
        assert!("[::1]80".parse::<Publish>().is_err());
    }
}
