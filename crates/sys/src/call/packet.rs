//! Whole frames of an interface, past the kernel's own protocols: packet(7).

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// A socket that sends and hears whole Ethernet frames of one protocol (`ETH_P_*` of the kernel's if_ether.h) on one
/// interface, by its index, of the network namespace the thread is in. Non-blocking, and closed on execve.
///
/// # Errors
/// What socket(2) and bind(2) answer: `EPERM` without CAP_NET_RAW, `ENODEV` when there is no such interface, `ENETDOWN`
/// when it is down.
pub fn frames(interface: u32, protocol: u16) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // Of protocol 0 it hears nothing until it is bound: a frame of another interface never gets into it.
    // SAFETY: takes no pointers.
    let socket = match unsafe { libc::socket(libc::AF_PACKET, kind, 0) } {
        -1 => return Err(io::Error::last_os_error()),
        // SAFETY: the kernel just made it.
        number => unsafe { OwnedFd::from_raw_fd(number) },
    };
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: protocol.to_be(),
        sll_ifindex: interface as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the address lives through the call, and `length` is its size.
    match unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(socket),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_frames_of_an_interface_that_is_not_there() {
        let error = frames(u32::MAX >> 1, 0x0806).unwrap_err();
        assert!([Some(libc::ENODEV), Some(libc::EPERM)].contains(&error.raw_os_error()), "{error}");
    }
}
