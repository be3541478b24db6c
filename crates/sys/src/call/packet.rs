//! An interface and its whole frames, past the kernel's own protocols: netdevice(7), packet(7).

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

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

/// The MTU of an interface, by its name, of the network namespace the thread is in.
///
/// # Errors
/// What socket(2) and ioctl(2) answer: `ENODEV` when there is no such interface.
pub fn mtu(interface: &str) -> io::Result<u32> {
    // SAFETY: all zeros are an empty name and an empty answer.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if interface.len() >= request.ifr_name.len() {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = from as libc::c_char;
    }
    let socket = UnixDatagram::unbound()?; // any socket will do
    // SAFETY: the request lives through the call, and its name ends with NUL.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFMTU as _, &raw mut request) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: the kernel has just written this member.
        _ => Ok(unsafe { request.ifr_ifru.ifru_mtu }.max(0) as u32),
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

    #[test]
    fn the_loopback_interface_has_an_mtu_and_one_that_is_not_there_has_none() {
        assert!(mtu("lo").unwrap() >= 65535);
        for name in ["none-such", "a-name-that-no-interface-can-have"] {
            assert_eq!(mtu(name).unwrap_err().raw_os_error(), Some(libc::ENODEV));
        }
    }
}
