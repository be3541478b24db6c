//! The two things asked of nf_tables directly: is a table there, and has a transaction been committed.
//! linux/netfilter/nfnetlink.h and nf_tables.h.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use netlink_sys::constants::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use nftables::types::NfFamily;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLMSG_ERROR: u16 = 2;
const HEADER: usize = 16;
const NFGENMSG: usize = 4;

const SUBSYS_NFTABLES: u16 = 10 << 8;
const GETTABLE: u16 = SUBSYS_NFTABLES | 1;
const NEWGEN: u16 = SUBSYS_NFTABLES | 15;
const GROUP_NFTABLES: u32 = 7;
const TABLE_NAME: u16 = 1;
const GEN_PROC_PID: u16 = 2;

/// Whether there is a table of this family and name. Anything but ENOENT is an error: no nf_tables, not allowed to ask.
///
/// # Errors
/// What the kernel answers.
pub fn has_table(family: NfFamily, name: &str) -> io::Result<bool> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind_auto()?;
    socket.send_to(&get_table(family, name), &SocketAddr::new(0, 0), 0)?;
    let (reply, _) = socket.recv_from_full()?;
    match messages(&reply).next() {
        Some((NLMSG_ERROR, body)) => match number(body).map(|code| i32::from_ne_bytes(code).wrapping_neg()) {
            Some(0) => Ok(true),
            Some(libc::ENOENT) => Ok(false),
            errno => Err(io::Error::from_raw_os_error(errno.unwrap_or(libc::EBADMSG))),
        },
        Some(_) => Ok(true),
        None => Err(io::Error::from_raw_os_error(libc::EBADMSG)),
    }
}

fn get_table(family: NfFamily, name: &str) -> Vec<u8> {
    let family = match family {
        NfFamily::Bridge => libc::NFPROTO_BRIDGE,
        _ => libc::NFPROTO_INET,
    };
    let name = [name.as_bytes(), b"\0"].concat();
    let attribute = (4 + name.len()) as u16;
    let padded = (4 + name.len()).next_multiple_of(4);
    let total = (HEADER + NFGENMSG + padded) as u32;
    let mut message = Vec::new();
    message.extend(total.to_ne_bytes());
    message.extend(GETTABLE.to_ne_bytes());
    message.extend((NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
    message.extend([0; 8]); // sequence and port: one question, one answer
    message.extend([family as u8, 0, 0, 0]);
    message.extend(attribute.to_ne_bytes());
    message.extend(TABLE_NAME.to_ne_bytes());
    message.extend(name);
    message.resize(total as usize, 0);
    message
}

/// Hears of every transaction committed in this network namespace from now on.
#[derive(Debug)]
pub struct Commits {
    socket: Socket,
}

impl Commits {
    /// From now on.
    ///
    /// # Errors
    /// What socket(2) and its options answer.
    pub fn listen() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        socket.bind_auto()?;
        socket.add_membership(GROUP_NFTABLES)?;
        socket.set_non_blocking(true)?;
        Ok(Commits { socket })
    }

    /// Whether a transaction of the process `pid` is among those committed since the last call.
    ///
    /// The kernel names the process by its pid in the first pid namespace: in another one the answer is never yes,
    /// as it is when too much happened for the socket to hold. Who asks must have another way to know.
    pub fn by(&self, pid: u32) -> bool {
        let mut found = false;
        while let Ok((datagram, _)) = self.socket.recv_from_full() {
            found |= messages(&datagram)
                .filter(|(kind, _)| *kind == NEWGEN)
                .any(|(_, body)| committer(body) == Some(pid));
        }
        found
    }

    /// Another descriptor of the socket, for nft to hold. The last close of a netfilter socket waits until the kernel
    /// has freed what transactions removed: it should not be ours.
    ///
    /// # Errors
    /// What fcntl(2) answers.
    pub fn share(&self) -> io::Result<OwnedFd> {
        self.socket.as_fd().try_clone_to_owned()
    }
}

impl AsFd for Commits {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The pid a NEWGEN message names.
fn committer(body: &[u8]) -> Option<u32> {
    let mut rest = body.get(NFGENMSG..)?;
    while let Some(length) = rest.get(..2).and_then(number).map(u16::from_ne_bytes).map(usize::from) {
        let kind = rest.get(2..4).and_then(number).map(u16::from_ne_bytes)?;
        let value = rest.get(4..length)?;
        if kind == GEN_PROC_PID {
            return number(value).map(u32::from_be_bytes);
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// The messages of a datagram: type and what follows the header.
fn messages(datagram: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_ne_bytes(number(rest)?)).ok()?;
        let kind = u16::from_ne_bytes(number(rest.get(4..)?)?);
        let body = rest.get(HEADER..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    })
}

/// The first bytes, as many as the number takes.
fn number<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_names_its_process_and_anything_cut_short_names_none() {
        let mut message = Vec::new();
        message.extend(36u32.to_ne_bytes());
        message.extend(NEWGEN.to_ne_bytes());
        message.extend([0; 10]);
        message.extend([0, 0, 0, 7]); // nfgenmsg
        message.extend([8, 0, 1, 0, 0, 0, 0, 9]); // generation 9
        message.extend([8, 0, 2, 0, 0, 0, 0x1c, 0x59]);
        let twice = [message.clone(), message.clone()].concat();
        let found: Vec<_> = messages(&twice).map(|(kind, body)| (kind, committer(body))).collect();
        assert_eq!(found, [(NEWGEN, Some(0x1c59)); 2]);
        for end in 0..message.len() {
            let whole = messages(&message[..end]).filter_map(|(_, body)| committer(body));
            assert_eq!(whole.count(), 0, "{end} bytes");
        }
        assert_eq!(messages(&[0; 64]).next().map(|_| ()), None, "a length of nothing");
    }
}
