//! The two things asked of nf_tables directly: is a table or a set there, and has a transaction been committed.
//! linux/netfilter/nfnetlink.h and nf_tables.h.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use jail_net::netlink::{Message, NFGENMSG, find, messages, number};
use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_NETFILTER;
use nftables::types::NfFamily;

use crate::rule::TABLE;

const SUBSYS_NFTABLES: u16 = 10 << 8;
const GETTABLE: u16 = SUBSYS_NFTABLES | 1;
const GETSET: u16 = SUBSYS_NFTABLES | 10;
const NEWGEN: u16 = SUBSYS_NFTABLES | 15;
const GROUP_NFTABLES: u32 = 7;
const TABLE_NAME: u16 = 1;
const SET_TABLE: u16 = 1;
const SET_NAME: u16 = 2;
const GEN_PROC_PID: u16 = 2;

/// The pid namespace in which the kernel counts for everybody: PROC_PID_INIT_INO of linux/proc_ns.h.
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// Whether there is a table of our name of this family.
pub(crate) fn has_table(family: NfFamily) -> io::Result<bool> {
    is_there(GETTABLE, family, &[(TABLE_NAME, TABLE)])
}

/// Whether there is a set or map of this name in it.
pub(crate) fn has_set(family: NfFamily, set: &str) -> io::Result<bool> {
    is_there(GETSET, family, &[(SET_TABLE, TABLE), (SET_NAME, set)])
}

fn is_there(question: u16, family: NfFamily, names: &[(u16, &str)]) -> io::Result<bool> {
    let family = match family {
        NfFamily::Bridge => libc::NFPROTO_BRIDGE,
        _ => libc::NFPROTO_INET,
    };
    let mut message = Message::new(question, 0, family as u8);
    for (attribute, name) in names {
        message = message.attribute(*attribute, &[name.as_bytes(), b"\0"].concat());
    }
    match message.ask(|_| ()) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Hears of every transaction committed in this network namespace from now on.
#[derive(Debug)]
pub(crate) struct Commits {
    socket: Socket,
}

impl Commits {
    /// The kernel names who committed by the pid in the first pid namespace: in another one the number could be another
    /// process's, of whoever shares the network namespace.
    ///
    /// # Errors
    /// `Unsupported` outside the first pid namespace: who asks must have another way to know.
    pub(crate) fn listen() -> io::Result<Self> {
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
    pub(crate) fn by(&self, pid: u32) -> bool {
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
    pub(crate) fn share(&self) -> io::Result<OwnedFd> {
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
