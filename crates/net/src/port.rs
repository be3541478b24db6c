//! The ports a jail publishes, each held by a bound socket that never listens.
//!
//! A held socket makes the kernel itself say no to whoever else wants the port, this host's services and other jails
//! alike, and ends with its holder. No traffic comes to it: the firewall sends that to the jail before.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

use jail_sys::{Failure, Kind};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, setsockopt, socket, sockopt,
};

use crate::host::{self, HostAddress};
use crate::model::{PortRange, Protocol, Publish};

/// Why ports are not held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody has a port: the first such one. The caller may know the jail; else it reads as a [`Failure`].
    InUse {
        /// What was to be published.
        publish: Publish,
        /// The host's port of it that is taken.
        port: u16,
    },
    /// Anything else.
    Failed(Failure),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        match refusal {
            Refusal::InUse { publish, port } => {
                let option = option(&publish);
                let protocol = publish.protocol.as_str();
                let message = format!("{option}: port {port}/{protocol} is in use on this host");
                let mut failure = failure(Kind::Conflict, &publish, message);
                failure.errno = Some(Errno::EADDRINUSE as i32);
                let kind = match publish.protocol {
                    Protocol::Tcp => 't',
                    Protocol::Udp => 'u',
                };
                // -a: a connection that has just ended holds its port for a minute.
                failure.hint(format!("see what has it with: ss -{kind}anp sport = :{port}"))
            }
            Refusal::Failed(failure) => failure,
        }
    }
}

/// Descriptors that a program needs beside the ports it holds.
const OTHERS: u64 = 128;

/// Holds every port of every publication, or none.
///
/// Each takes a descriptor: where they are more than this process may open, its soft limit becomes its hard one. The limit
/// of a child that runs already stays as it is. See getrlimit(2), RLIMIT_NOFILE.
///
/// # Errors
/// [`Refusal::InUse`] for a port that is taken; what [`refuse_twice`] says; `Invalid` for an address that is not the
/// host's, and for more ports than the hard limit allows.
pub fn hold(publications: &[Publish]) -> Result<Vec<OwnedFd>, Refusal> {
    refuse_twice(publications).and_then(|()| make_room(publications)).map_err(Refusal::Failed)?;
    let mut held = Vec::new();
    for publish in publications {
        refuse_broadcast(publish).map_err(Refusal::Failed)?;
        for port in publish.host.ports() {
            held.push(hold_one(publish, port)?);
        }
    }
    Ok(held)
}

/// The same publication at other ports of the host's that nobody has now, for a hint to propose: the next after `taken`,
/// in the place of a privileged one 8000 further on, as 8080 stands for 80. `beside` are those published together.
pub fn another(publish: &Publish, taken: u16, beside: &[Publish]) -> Option<Publish> {
    let privileged = publish.host.first < 1024;
    let mut first = if privileged { publish.host.first + 8000 } else { taken.checked_add(1)? };
    loop {
        let last = first.checked_add(publish.host.last - publish.host.first)?;
        let moved = Publish { host: PortRange { first, last }, ..publish.clone() };
        let met = beside.iter().filter(|other| *other != publish && meet(other, &moved));
        let met = met.map(|other| other.host.last).max();
        let used = met.or_else(|| moved.host.ports().find(|port| hold_one(&moved, *port).is_err()));
        match used {
            Some(used) => first = used.checked_add(1)?,
            None => return Some(moved),
        }
    }
}

/// Raises the soft limit of open files where the ports need it.
fn make_room(publications: &[Publish]) -> Result<(), Failure> {
    let ports: u64 = publications.iter().map(|publish| u64::from(publish.host.width())).sum();
    let Some(first) = publications.first() else { return Ok(()) };
    let failed = |operation: &'static str| {
        move |errno: Errno| Failure::call("network", operation, option(first), &errno.into())
    };
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed("getrlimit"))?;
    let needed = ports + OTHERS;
    if needed > hard {
        let most = hard.saturating_sub(OTHERS);
        let message = format!(
            "{}: {ports} ports are published, and this process may open files for {most}",
            option(first)
        );
        return Err(failure(Kind::Invalid, first, message).hint(format!(
            "publish fewer, or let it open {needed}: ulimit -n {needed}, or LimitNOFILE={needed}"
        )));
    }
    if needed > soft {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map_err(failed("setrlimit"))?;
    }
    Ok(())
}

/// First without SO_REUSEADDR, because with it two sockets that do not listen can have the same port. But connections
/// that a server of the host's closed in the last minute (TIME_WAIT) hold that back: with it only who listens, or holds
/// the port as we do, stands in the way. Two jails that both came so far are told apart by the firewall's keys.
fn hold_one(publish: &Publish, port: u16) -> Result<OwnedFd, Refusal> {
    let address = SocketAddr::new(publish.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), port);
    let held = match bound(address, publish.protocol, false) {
        Err(Errno::EADDRINUSE) if publish.protocol == Protocol::Tcp => bound(address, publish.protocol, true),
        other => other,
    };
    held.map_err(|errno| match errno {
        Errno::EADDRINUSE => Refusal::InUse { publish: publish.clone(), port },
        Errno::EADDRNOTAVAIL => Refusal::Failed(not_the_hosts(publish, address.ip())),
        errno => Refusal::Failed(Failure::call("network", "bind", option(publish), &errno.into())),
    })
}

/// The kernel binds a socket to a subnet's broadcast address too.
fn refuse_broadcast(publish: &Publish) -> Result<(), Failure> {
    let Some(address) = publish.address else { return Ok(()) };
    let is_broadcast = |host: HostAddress| {
        host.net.prefix_len() < 31 && host.net.addr() != address && host.net.broadcast() == address
    };
    if address.is_ipv4() && host::addresses()?.into_iter().any(is_broadcast) {
        return Err(not_the_hosts(publish, address));
    }
    Ok(())
}

fn not_the_hosts(publish: &Publish, address: IpAddr) -> Failure {
    let message = format!("{}: {address} is not an address of this host", option(publish));
    failure(Kind::Invalid, publish, message)
        .hint("see its addresses: ip address; without one the port is published on all")
}

fn bound(address: SocketAddr, protocol: Protocol, reuse: bool) -> nix::Result<OwnedFd> {
    let held = open(address, protocol)?;
    setsockopt(&held, sockopt::ReuseAddr, &reuse)?;
    bind(held.as_raw_fd(), &SockaddrStorage::from(address))?;
    // From now on we stand in the way of others.
    setsockopt(&held, sockopt::ReuseAddr, &false)?;
    Ok(held)
}

fn open(address: SocketAddr, protocol: Protocol) -> nix::Result<OwnedFd> {
    let family = match address.ip() {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    let kind = match protocol {
        Protocol::Tcp => SockType::Stream,
        Protocol::Udp => SockType::Datagram,
    };
    let held = socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?;
    if family == AddressFamily::Inet6 {
        setsockopt(&held, sockopt::Ipv6V6Only, &true)?;
    }
    if protocol == Protocol::Udp {
        // What comes before the firewall's rules do is queued and never read; shutdown(2) does not stop that on a
        // socket without a peer. The kernel raises this to its least: one datagram or two.
        setsockopt(&held, sockopt::RcvBuf, &0)?;
    }
    Ok(held)
}

/// Refuses two publications that want the same port of the host's.
///
/// # Errors
/// `Usage`, naming both.
pub fn refuse_twice(publications: &[Publish]) -> Result<(), Failure> {
    let mut rest = publications;
    while let [first, others @ ..] = rest {
        if let Some(second) = others.iter().find(|other| meet(first, other)) {
            let port = first.host.first.max(second.host.first);
            let protocol = first.protocol.as_str();
            let message =
                format!("{} and {} both publish port {port}/{protocol}", option(first), option(second));
            return Err(failure(Kind::Usage, second, message).hint("leave one of them out"));
        }
        rest = others;
    }
    Ok(())
}

fn meet(one: &Publish, other: &Publish) -> bool {
    let addresses = one.address == other.address || one.address.is_none() || other.address.is_none();
    let ports = one.host.first <= other.host.last && other.host.first <= one.host.last;
    one.protocol == other.protocol && addresses && ports
}

fn option(publish: &Publish) -> String {
    format!("--publish={publish}")
}

fn failure(kind: Kind, publish: &Publish, message: String) -> Failure {
    Failure::new(kind, "network", "hold port", option(publish), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    fn publish(texts: &[&str]) -> Vec<Publish> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// A port that nobody has just now.
    fn free(protocol: Protocol) -> u16 {
        match protocol {
            Protocol::Tcp => TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port(),
            Protocol::Udp => UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port(),
        }
    }

    #[test]
    fn a_held_port_is_nobody_elses_and_answers_nobody() {
        let port = free(Protocol::Tcp);
        let wanted = publish(&[&format!("127.0.0.1:{port}")]);
        let held = hold(&wanted).unwrap();
        assert!(TcpListener::bind(("127.0.0.1", port)).is_err(), "std asks with SO_REUSEADDR");
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
        let refused = hold(&wanted).unwrap_err();
        assert_eq!(refused, Refusal::InUse { publish: wanted[0].clone(), port });
        let failure = Failure::from(refused);
        assert_eq!(
            failure.message,
            format!("--publish=127.0.0.1:{port}: port {port}/tcp is in use on this host")
        );
        drop(held);
        hold(&wanted).unwrap();
    }

    #[test]
    fn another_port_is_one_that_nobody_has_and_leads_to_the_same_port_of_the_jails() {
        let another = |text: &str, taken, beside: &[&str]| {
            let other = another(&text.parse().unwrap(), taken, &publish(beside));
            other.map(|other| other.to_string())
        };
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = service.local_addr().unwrap().port();
        let other = another(&format!("127.0.0.1:{port}"), port, &[]).unwrap();
        let (hosts, jails) = other.strip_prefix("127.0.0.1:").unwrap().split_once(':').unwrap();
        assert!(hosts.parse::<u16>().unwrap() > port && jails.parse() == Ok(port), "{other}");
        TcpListener::bind(("127.0.0.1", hosts.parse().unwrap())).unwrap();
        assert_eq!(another("127.0.0.9:53/udp", 53, &[]).unwrap(), "127.0.0.9:8053:53/udp");
        assert_eq!(another("127.0.0.9:80-82", 81, &["8081"]).unwrap(), "127.0.0.9:8082-8084:80-82");
        assert_eq!(another("127.0.0.9:65530-65535", 65531, &[]), None);
    }

    #[test]
    fn a_listening_service_keeps_its_port_and_the_jail_gets_none() {
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = service.local_addr().unwrap().port();
        let wanted = publish(&[&format!("{}/udp", free(Protocol::Udp)), &format!("{port}")]);
        assert!(matches!(hold(&wanted).unwrap_err(), Refusal::InUse { port: taken, .. } if taken == port));
    }

    #[test]
    fn an_address_that_is_not_the_hosts_is_refused() {
        let refused = Failure::from(hold(&publish(&["192.0.2.9:80"])).unwrap_err());
        assert_eq!(refused.message, "--publish=192.0.2.9:80: 192.0.2.9 is not an address of this host");
        assert_eq!(refused.kind, Kind::Invalid);
    }

    #[test]
    fn more_ports_than_files_may_be_opened_are_refused_with_the_remedy() {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        if hard > 60_000 {
            return; // nobody can publish so many
        }
        let failure = Failure::from(hold(&publish(&["1-65000"])).unwrap_err());
        assert!(failure.hint.contains("LimitNOFILE=65128"), "{failure}");
    }

    #[test]
    fn the_same_port_twice_is_refused_and_another_protocol_or_address_is_not() {
        let message = |texts: &[&str]| refuse_twice(&publish(texts)).err().map(|failure| failure.message);
        let both = "--publish=80-90 and --publish=127.0.0.1:85:80 both publish port 85/tcp";
        assert_eq!(message(&["80-90", "127.0.0.1:85:80"]).unwrap(), both);
        assert_eq!(message(&["80", "80/udp", "81"]), None);
        assert_eq!(message(&["127.0.0.1:80", "127.0.0.2:80"]), None);
    }

    #[test]
    fn a_held_udp_port_queues_next_to_nothing() {
        let port = free(Protocol::Udp);
        let _held = hold(&publish(&[&format!("127.0.0.1:{port}/udp")])).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..1000 {
            sender.send_to(&[0; 100], ("127.0.0.1", port)).unwrap();
        }
        let table = std::fs::read_to_string("/proc/net/udp").unwrap();
        let line = table.lines().find(|line| line.contains(&format!("0100007F:{port:04X}"))).unwrap();
        let (_, queued) = line.split_whitespace().nth(4).unwrap().split_once(':').unwrap();
        assert!(u32::from_str_radix(queued, 16).unwrap() <= 4096, "{line}");
    }

    #[test]
    fn a_server_that_has_just_stopped_does_not_stand_in_the_way() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let client = std::net::TcpStream::connect(address).unwrap();
        let (connection, _) = server.accept().unwrap();
        let publish = format!("127.0.0.1:{}", address.port()).parse::<Publish>().unwrap();
        assert!(matches!(hold(std::slice::from_ref(&publish)), Err(Refusal::InUse { .. })));
        // Who closes first keeps the connection in TIME_WAIT.
        drop((server, connection));
        drop(client);
        assert_eq!(bound(address, Protocol::Tcp, false).unwrap_err(), Errno::EADDRINUSE);
        let held = hold(std::slice::from_ref(&publish)).unwrap();
        assert!(std::net::TcpListener::bind(address).is_err());
        drop(held);
    }
}
