//! One question to the kernel's netfilter and its answers, and messages written and read, as backends need them where
//! no library has them. netlink(7), linux/netlink.h, linux/netfilter/nfnetlink.h.

use std::io;

use netlink_sys::constants::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};

/// Every entry of a table, not one.
pub const NLM_F_DUMP: u16 = 0x300;
/// The size of `struct nfgenmsg`, with which the body of a message begins.
pub const NFGENMSG: usize = 4;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLA_F_NESTED: u16 = 1 << 15;
const NLA_TYPE_MASK: u16 = !(3 << 14);
/// struct nlmsghdr.
const HEADER: usize = 16;

/// A message to netfilter.
#[derive(Clone, Debug)]
pub struct Message(Vec<u8>);

impl Message {
    /// A request of this type: the subsystem's number in the upper byte. `flags` beside those every request has.
    pub fn new(kind: u16, flags: u16, family: u8) -> Self {
        let mut bytes = vec![0; 4]; // the length, once it is known
        bytes.extend(kind.to_ne_bytes());
        bytes.extend((flags | NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
        bytes.extend([0; 8]); // sequence and port: one question at a time
        bytes.extend([family, 0, 0, 0]);
        Message(bytes)
    }

    /// With one more attribute.
    pub fn attribute(self, kind: u16, value: &[u8]) -> Self {
        self.attributes(&attribute(kind, value))
    }

    /// With attributes that are written already.
    pub fn attributes(mut self, attributes: &[u8]) -> Self {
        self.0.extend(attributes);
        self
    }

    /// With one more attribute that holds attributes.
    pub fn nested(self, kind: u16, attributes: &[u8]) -> Self {
        self.attributes(&nested(kind, attributes))
    }

    /// Asks it on a socket of its own and tells `each` the body of every answer.
    ///
    /// # Errors
    /// What socket(2) and recv(2) answer, and the errno in the kernel's answer.
    pub fn ask(self, each: impl FnMut(&[u8])) -> io::Result<()> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        socket.bind_auto()?;
        self.ask_on(&socket, each)
    }

    /// The same on a socket that is there, of protocol `NETLINK_NETFILTER` and bound.
    ///
    /// # Errors
    /// Those of [`Message::ask`].
    pub fn ask_on(mut self, socket: &Socket, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let total = self.0.len() as u32;
        self.0[..4].copy_from_slice(&total.to_ne_bytes());
        socket.send_to(&self.0, &SocketAddr::new(0, 0), 0)?;
        loop {
            let (datagram, _) = socket.recv_from_full()?;
            let mut answers = messages(&datagram).peekable();
            if answers.peek().is_none() {
                return Err(unreadable());
            }
            for (kind, body) in answers {
                match kind {
                    NLMSG_ERROR | NLMSG_DONE => return outcome(body),
                    _ => each(body.get(NFGENMSG..).unwrap_or_default()),
                }
            }
        }
    }
}

/// What the last answer to a question says: an errno, as a negative number, or 0.
fn outcome(body: &[u8]) -> io::Result<()> {
    match number(body).map(|code| i32::from_ne_bytes(code).wrapping_neg()) {
        Some(0) => Ok(()),
        Some(errno) => Err(io::Error::from_raw_os_error(errno)),
        None => Err(unreadable()),
    }
}

fn unreadable() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADMSG)
}

/// An attribute as it stands in a message.
pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend((4 + value.len() as u16).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The same for one that holds attributes.
pub fn nested(kind: u16, attributes: &[u8]) -> Vec<u8> {
    attribute(kind | NLA_F_NESTED, attributes)
}

/// The messages of a datagram: type, and what follows the header.
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_ne_bytes(number(rest)?)).ok()?;
        let kind = u16::from_ne_bytes(number(rest.get(4..)?)?);
        let body = rest.get(HEADER..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    })
}

/// The attributes that stand one after the other: type without its flags, and value.
pub fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(number(rest)?));
        let kind = u16::from_ne_bytes(number(rest.get(2..)?)?) & NLA_TYPE_MASK;
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The value of the first attribute of this type.
pub fn find(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes).find_map(|(found, value)| (found == kind).then_some(value))
}

/// The first bytes, as many as the number takes.
pub fn number<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_read_back_as_they_were_written_and_what_is_cut_short_is_none() {
        let inner = [attribute(1, &[17]), attribute(3, &514u16.to_be_bytes())].concat();
        let bytes = [nested(2, &inner), attribute(12, &[1, 2, 3, 4])].concat();
        assert_eq!(bytes.len(), 28);
        assert_eq!(find(&bytes, 2), Some(&inner[..]));
        assert_eq!(find(&inner, 3), Some(&[2, 2][..]));
        assert_eq!(find(&bytes, 12), Some(&[1, 2, 3, 4][..]));
        assert_eq!(find(&bytes, 13), None);
        for end in 0..20 {
            assert_eq!(attributes(&bytes[..end]).count(), 0, "{end} bytes");
        }
        assert_eq!(attributes(&[0; 8]).count(), 0, "a length of nothing");
    }

    #[test]
    fn a_datagram_holds_messages_and_a_length_of_nothing_ends_it() {
        let mut message = Message::new(0x102, 0, 2).attribute(1, b"x").0;
        message[0] = 28;
        let twice = [message.clone(), message].concat();
        let found: Vec<_> = messages(&twice).map(|(kind, body)| (kind, find(&body[4..], 1))).collect();
        assert_eq!(found, [(0x102, Some(&b"x"[..])); 2]);
        assert_eq!(messages(&twice[..27]).count(), 0);
        assert_eq!(messages(&[0; 64]).count(), 0);
    }

    #[test]
    fn the_last_answer_is_an_errno_or_none() {
        assert!(outcome(&0i32.to_ne_bytes()).is_ok());
        let refused = outcome(&(-libc::ENOENT).to_ne_bytes()).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::ENOENT));
        assert!(outcome(&[]).is_err());
    }
}
