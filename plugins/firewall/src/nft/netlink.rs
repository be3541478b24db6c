//! What is asked of nf_tables directly: is a table, chain or set there, has a transaction been committed, and to remove a
//! table unless somebody uses it. linux/netfilter/nfnetlink.h and nf_tables.h.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use jail_net::netlink::{NFGENMSG, attribute, find, messages, number};
use netlink_sys::constants::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use nftables::types::NfFamily;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
/// Fails with EBUSY where something is in what is to be removed.
const NLM_F_NONREC: u16 = 0x100;
const NLMSG_ERROR: u16 = 2;
const HEADER: usize = 16;

const NFTABLES: u8 = 10;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const SUBSYS_NFTABLES: u16 = (NFTABLES as u16) << 8;
const GETTABLE: u16 = SUBSYS_NFTABLES | 1;
const DELTABLE: u16 = SUBSYS_NFTABLES | 2;
const GETCHAIN: u16 = SUBSYS_NFTABLES | 4;
const DELCHAIN: u16 = SUBSYS_NFTABLES | 5;
const GETSET: u16 = SUBSYS_NFTABLES | 10;
const NEWGEN: u16 = SUBSYS_NFTABLES | 15;
const GROUP_NFTABLES: u32 = 7;
const TABLE_NAME: u16 = 1;
const CHAIN_TABLE: u16 = 1;
const CHAIN_NAME: u16 = 3;
const SET_TABLE: u16 = 1;
const SET_NAME: u16 = 2;
const GEN_PROC_PID: u16 = 2;

/// The pid namespace in which the kernel counts for everybody: PROC_PID_INIT_INO of linux/proc_ns.h.
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// Whether there is a table of this family and name. Anything but ENOENT is an error: no nf_tables, not allowed to ask.
///
/// # Errors
/// What the kernel answers.
pub fn has_table(family: NfFamily, name: &str) -> io::Result<bool> {
    is_there(&request(GETTABLE, NLM_F_ACK, family, &[(TABLE_NAME, name)]))
}

/// Whether there is a chain of this name in a table.
///
/// # Errors
/// What the kernel answers.
pub fn has_chain(family: NfFamily, table: &str, name: &str) -> io::Result<bool> {
    is_there(&request(GETCHAIN, NLM_F_ACK, family, &[(CHAIN_TABLE, table), (CHAIN_NAME, name)]))
}

/// Whether there is a set or map of this name in a table.
///
/// # Errors
/// What the kernel answers.
pub fn has_set(family: NfFamily, table: &str, name: &str) -> io::Result<bool> {
    is_there(&request(GETSET, NLM_F_ACK, family, &[(SET_TABLE, table), (SET_NAME, name)]))
}

/// Removes an empty chain from a table, and the table with it if nothing else is in it: decided by the kernel, so that
/// what somebody adds meanwhile is never lost.
///
/// # Errors
/// What the kernel answers, other than that there is no such table or chain.
pub fn remove_empty_table(family: NfFamily, table: &str, chain: &str) -> io::Result<()> {
    let names = [(CHAIN_TABLE, table), (CHAIN_NAME, chain)];
    let chain = |flags| request(DELCHAIN, NLM_F_NONREC | flags, family, &names);
    let table = request(DELTABLE, NLM_F_NONREC | NLM_F_ACK, family, &[(TABLE_NAME, table)]);
    match ask(&batch(&[chain(0), table].concat())) {
        Err(error) if error.raw_os_error() == Some(libc::EBUSY) => ask(&batch(&chain(NLM_F_ACK))),
        result => result,
    }
    .or_else(|error| if error.raw_os_error() == Some(libc::ENOENT) { Ok(()) } else { Err(error) })
}

fn is_there(question: &[u8]) -> io::Result<bool> {
    match ask(question) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sends requests, of which only the last asks to be answered: an error of one before it comes first.
fn ask(questions: &[u8]) -> io::Result<()> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind_auto()?;
    socket.send_to(questions, &SocketAddr::new(0, 0), 0)?;
    let (reply, _) = socket.recv_from_full()?;
    match messages(&reply).next() {
        Some((NLMSG_ERROR, body)) => match number(body).map(|code| i32::from_ne_bytes(code).wrapping_neg()) {
            Some(0) => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno.unwrap_or(libc::EBADMSG))),
        },
        Some(_) => Ok(()),
        None => Err(io::Error::from_raw_os_error(libc::EBADMSG)),
    }
}

/// These messages as one transaction.
fn batch(requests: &[u8]) -> Vec<u8> {
    let bound = |kind| header(kind, 0, [libc::AF_UNSPEC as u8, 0, 0, NFTABLES], 0);
    [&bound(BATCH_BEGIN)[..], requests, &bound(BATCH_END)].concat()
}

fn request(kind: u16, flags: u16, family: NfFamily, names: &[(u16, &str)]) -> Vec<u8> {
    let family = match family {
        NfFamily::Bridge => libc::NFPROTO_BRIDGE,
        NfFamily::IP => libc::NFPROTO_IPV4,
        NfFamily::IP6 => libc::NFPROTO_IPV6,
        _ => libc::NFPROTO_INET,
    };
    let attributes: Vec<_> =
        names.iter().flat_map(|(kind, name)| attribute(*kind, &[name.as_bytes(), b"\0"].concat())).collect();
    [header(kind, flags, [family as u8, 0, 0, 0], attributes.len()), attributes].concat()
}

/// A message's beginning: header and nfgenmsg. Sequence and port are 0: one question, one answer.
fn header(kind: u16, flags: u16, nfgenmsg: [u8; NFGENMSG], length: usize) -> Vec<u8> {
    let total = (HEADER + NFGENMSG + length) as u32;
    let flags = NLM_F_REQUEST | flags;
    [&total.to_ne_bytes()[..], &kind.to_ne_bytes(), &flags.to_ne_bytes(), &[0; 8], &nfgenmsg].concat()
}

/// Hears of every transaction committed in this network namespace from now on.
#[derive(Debug)]
pub struct Commits {
    socket: Socket,
}

impl Commits {
    /// The kernel names who committed by the pid in the first pid namespace: in another one the number could be another
    /// process's, of whoever shares the network namespace.
    ///
    /// # Errors
    /// `Unsupported` outside the first pid namespace: who asks must have another way to know. What socket(2) answers.
    pub fn listen() -> io::Result<Self> {
        if std::fs::read_link("/proc/self/ns/pid")?.as_os_str() != FIRST_PID_NAMESPACE {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        socket.bind_auto()?;
        socket.add_membership(GROUP_NFTABLES)?;
        socket.set_non_blocking(true)?;
        Ok(Commits { socket })
    }

    /// Whether a transaction of the process `pid` is among those committed since the last call.
    ///
    /// The answer is no when too much happened for the socket to hold: who asks must have another way to know.
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
    find(body.get(NFGENMSG..)?, GEN_PROC_PID).and_then(number).map(u32::from_be_bytes)
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
