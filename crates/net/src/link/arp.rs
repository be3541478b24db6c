//! Asking a segment whether somebody uses an IPv4 address already, before a jail does, and telling it who does then: the
//! probe and the announcement of RFC 5227, with less patience.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use ipnet::IpNet;
use jail_sys::call::{event::readable, packet};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use tokio::time::{Instant, timeout_at};

use super::wire::within;
use crate::backend::{Failure, Taken};
use crate::mac::Mac;

/// ARP among the Ethernet protocols.
const ETHERTYPE: u16 = 0x0806;
/// An Ethernet header, and ARP for IPv4 over Ethernet.
const LENGTH: usize = 14 + 28;
/// How ARP for IPv4 over Ethernet begins.
const FOR_IPV4: [u8; 6] = [0, 1, 0x08, 0, 6, 4];
const REQUEST: [u8; 2] = [0, 1];

/// How long an answer is waited for: a host on a wire answers within a millisecond or two.
const PATIENCE: Duration = Duration::from_millis(200);
/// How often is asked in that time: a frame may be lost.
const QUESTIONS: u32 = 3;

/// One interface that questions go out by.
#[derive(Debug)]
pub struct Asker {
    socket: OwnedFd,
    mac: Mac,
}

impl Asker {
    /// By the interface of this index and MAC, in the network namespace we are in. It is up.
    ///
    /// # Errors
    /// What socket(2) and bind(2) answer.
    pub fn open(index: u32, mac: Mac) -> Result<Self, Failure> {
        Ok(Asker { socket: frames(index)?, mac })
    }

    /// In another network namespace.
    ///
    /// # Errors
    /// As [`Asker::open`], and what setns(2) answers.
    pub fn open_in(netns: BorrowedFd<'_>, index: u32, mac: Mac) -> Result<Self, Failure> {
        Ok(Asker { socket: within(netns, || frames(index))?, mac })
    }

    /// The MAC of who uses the address, or is about to; `None` if nobody says so for 200 ms.
    ///
    /// # Errors
    /// What send(2) and recv(2) answer.
    pub async fn who_has(&self, address: Ipv4Addr) -> Result<Option<Mac>, Failure> {
        while self.receive(&mut [0; LENGTH]).is_ok() {} // what was said before it was asked
        let begin = Instant::now();
        for round in 1..=QUESTIONS {
            // From nobody's address, so that no neighbour learns anything by it.
            self.send(&question(self.mac, Ipv4Addr::UNSPECIFIED, address))?;
            let end = begin + PATIENCE * round / QUESTIONS;
            if let Ok(heard) = timeout_at(end, self.hear(address)).await {
                return heard.map(Some).map_err(|error| failed("recv", &error));
            }
        }
        Ok(None)
    }

    /// Those of the addresses that somebody uses; IPv4's only.
    ///
    /// A jail that has ended answers for its address until the kernel has taken its network namespace down, and its lease
    /// is nobody's by then: `is_gone` waits for that if the MAC is such a one's, and says whether it was.
    ///
    /// # Errors
    /// As [`Asker::who_has`], and those of `is_gone`.
    pub async fn taken<T>(
        &self,
        addresses: &[IpNet],
        is_gone: impl Fn(Mac) -> T,
    ) -> Result<Vec<Taken>, Failure>
    where
        T: Future<Output = Result<bool, Failure>>,
    {
        let mut taken = Vec::new();
        for net in addresses {
            let IpAddr::V4(address) = net.addr() else { continue };
            let mut user = self.who_has(address).await?;
            if let Some(mac) = user
                && is_gone(mac).await?
            {
                user = self.who_has(address).await?;
            }
            taken.extend(user.map(|mac| Taken { address: net.addr(), mac: mac.to_string() }));
        }
        Ok(taken)
    }

    /// Tells everybody on the segment whose addresses they are from now on: who knew them by another MAC learns it.
    ///
    /// # Errors
    /// What send(2) answers.
    pub fn announce(&self, addresses: &[IpNet]) -> Result<(), Failure> {
        addresses.iter().try_for_each(|net| match net.addr() {
            IpAddr::V4(address) => self.send(&question(self.mac, address, address)),
            IpAddr::V6(_) => Ok(()),
        })
    }

    fn send(&self, frame: &[u8; LENGTH]) -> Result<(), Failure> {
        let sent = send(self.socket.as_raw_fd(), frame, MsgFlags::empty());
        sent.map(drop).map_err(|errno| failed("send", &errno.into()))
    }

    fn receive(&self, frame: &mut [u8; LENGTH]) -> Result<usize, Errno> {
        recv(self.socket.as_raw_fd(), frame, MsgFlags::empty())
    }

    async fn hear(&self, address: Ipv4Addr) -> io::Result<Mac> {
        let mut frame = [0; LENGTH];
        loop {
            match self.receive(&mut frame) {
                Ok(length) => {
                    if let Some(mac) = claims(&frame[..length], address).filter(|mac| *mac != self.mac) {
                        return Ok(mac);
                    }
                }
                Err(Errno::EAGAIN) => readable(self.socket.try_clone()?).await?,
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

fn frames(index: u32) -> Result<OwnedFd, Failure> {
    packet::frames(index, ETHERTYPE).map_err(|error| failed("socket", &error))
}

fn failed(operation: &'static str, error: &io::Error) -> Failure {
    Failure::call("network", operation, "ARP", error)
}

/// Who has `target`?
fn question(mac: Mac, sender: Ipv4Addr, target: Ipv4Addr) -> [u8; LENGTH] {
    let mut frame = [0; LENGTH];
    frame[..6].fill(0xff);
    frame[6..12].copy_from_slice(&mac.0);
    frame[12..14].copy_from_slice(&ETHERTYPE.to_be_bytes());
    frame[14..20].copy_from_slice(&FOR_IPV4);
    frame[20..22].copy_from_slice(&REQUEST);
    frame[22..28].copy_from_slice(&mac.0);
    frame[28..32].copy_from_slice(&sender.octets());
    frame[38..].copy_from_slice(&target.octets());
    frame
}

/// Whose frame it is that says to use the address (its sender's), or asks for it as we do (RFC 5227, 2.1.1).
fn claims(frame: &[u8], address: Ipv4Addr) -> Option<Mac> {
    if frame.len() < LENGTH || frame[14..20] != FOR_IPV4 {
        return None;
    }
    let (operation, sender, target) = (&frame[20..22], &frame[28..32], &frame[38..LENGTH]);
    let uses = sender == address.octets();
    let asks = operation == REQUEST && sender == [0; 4] && target == address.octets();
    (uses || asks).then(|| Mac(std::array::from_fn(|at| frame[22 + at])))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 50);
    const OURS: Mac = Mac([2, 0x6a, 192, 168, 7, 50]);
    const THEIRS: Mac = Mac([2, 0, 0, 0, 0, 5]);

    /// An answer, or a question with a sender.
    fn frame(operation: u8, sender: Ipv4Addr, target: Ipv4Addr) -> [u8; LENGTH] {
        let mut frame = question(THEIRS, sender, target);
        frame[21] = operation;
        frame
    }

    #[test]
    fn a_question_is_what_the_rfc_calls_a_probe() {
        let asked = question(OURS, Ipv4Addr::UNSPECIFIED, WANTED);
        assert_eq!(asked[..14], [255, 255, 255, 255, 255, 255, 2, 0x6a, 192, 168, 7, 50, 8, 6]);
        assert_eq!(asked[14..28], [0, 1, 8, 0, 6, 4, 0, 1, 2, 0x6a, 192, 168, 7, 50]);
        assert_eq!(asked[28..], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 168, 7, 50]);
    }

    #[test]
    fn who_uses_the_address_or_asks_for_it_too_claims_it() {
        let other = Ipv4Addr::new(192, 168, 7, 2);
        let nobody = Ipv4Addr::UNSPECIFIED;
        assert_eq!(claims(&frame(2, WANTED, other), WANTED), Some(THEIRS), "an answer");
        assert_eq!(claims(&frame(1, WANTED, other), WANTED), Some(THEIRS), "a question of its user's");
        assert_eq!(claims(&frame(1, WANTED, WANTED), WANTED), Some(THEIRS), "an announcement");
        assert_eq!(claims(&frame(1, nobody, WANTED), WANTED), Some(THEIRS), "a probe");
        assert_eq!(claims(&frame(1, other, WANTED), WANTED), None, "somebody else looks for its user");
        assert_eq!(claims(&frame(2, other, WANTED), WANTED), None);
        assert_eq!(claims(&frame(2, WANTED, other)[..LENGTH - 1], WANTED), None);
        let mut no_ipv4 = frame(2, WANTED, other);
        no_ipv4[16] = 0x86;
        assert_eq!(claims(&no_ipv4, WANTED), None);
    }
}
