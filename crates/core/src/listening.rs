//! `Listening`: the ports that a jail's processes listen on, and who reaches each. What a server was told to listen on,
//! what it does listen on and what is published are three things; here they stand side by side.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::Not;

use ipnet::IpNet;
use jail_net::model::{Network, Protocol, Publish, Segment};
use jail_sys::call::process;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::{BindToDevice, Ipv6V6Only};
use procfs::net::{TcpState, UdpState};
use procfs::process::{FDTarget, Process as Proc};
use rustix::process::{PidfdGetfdFlags, pidfd_getfd};
use serde::Serialize;

use crate::plan::Wanted;
use crate::processes::Process;
use crate::registry::Registered;

/// A socket of a jail's that waits for connections or datagrams.
#[derive(Clone, Debug, Serialize)]
pub struct Listening {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The address and port that it is bound to; `0.0.0.0` and `[::]` are every address of the jail's.
    pub address: SocketAddr,
    /// It is `[::]` and hears nothing over IPv4 (`IPV6_V6ONLY`, see ipv6(7)): what nginx makes of `listen [::]:80`.
    #[serde(skip_serializing_if = "Not::not")]
    pub ipv6_only: bool,
    /// The interface that it is bound to (`SO_BINDTODEVICE`, see socket(7)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The first process that has it, seen from the host.
    pub pid: i32,
    /// That process's command line.
    pub command: String,
    /// Who reaches it and where, in words.
    pub reached: Vec<String>,
}

/// What the jail's `processes` listen on, in order of ports.
pub fn listening(jail: &Registered, processes: &[Process]) -> Vec<Listening> {
    let Some(status) = &jail.status else { return Vec::new() };
    let mut holders = HashMap::new();
    for process in processes {
        for (inode, fd) in held(process.pid) {
            holders.entry(inode).or_insert((process, fd));
        }
    }
    let listens = |(protocol, address, inode)| {
        let (holder, fd): &(&Process, i32) = holders.get(&inode)?;
        let (ipv6_only, interface) = narrowed(holder.pid, *fd).unwrap_or_default();
        let (pid, command) = (holder.pid, holder.command.clone());
        let mut one =
            Listening { protocol, address, ipv6_only, interface, pid, command, reached: Vec::new() };
        one.reached = reached(jail, &one);
        Some(one)
    };
    let mut all: Vec<_> = sockets(status.pid).into_iter().filter_map(listens).collect();
    all.sort_by_key(|one| (one.address.port(), one.protocol.as_str(), one.address));
    all
}

/// The published ports that nobody in the jail listens on.
pub fn unanswered(jail: &Registered, listening: &[Listening]) -> Vec<Publish> {
    let published = published(jail);
    let answered = |publish: &Publish| {
        publish.jail.ports().any(|port| {
            let waits = |one: &&Listening| one.protocol == publish.protocol && one.address.port() == port;
            listening.iter().filter(waits).any(|one| published.reach(one))
        })
    };
    published.ports.iter().filter(|publish| !answered(publish)).cloned().collect()
}

/// A jail's published ports, and the interface and address of its that they lead to.
struct Published<'a> {
    ports: &'a [Publish],
    to: Option<(&'a str, IpAddr)>,
}

impl Published<'_> {
    fn reach(&self, socket: &Listening) -> bool {
        self.to.is_some_and(|(interface, address)| socket.hears(interface, address))
    }
}

fn published(jail: &Registered) -> Published<'_> {
    let request = jail.status.as_ref().and_then(|status| status.request.as_ref());
    let (Some(request), Wanted::Dmz(network)) = (request, &jail.plan.network) else {
        return Published { ports: &[], to: None };
    };
    let at = network.published_at().map(|planned| &planned.interface);
    let attachment = request.attachments.iter().find(|attachment| at == Some(&attachment.interface));
    let to = attachment.and_then(|one| Some((one.interface.as_str(), one.addresses.first()?.addr())));
    Published { ports: &request.publish, to }
}

/// The sockets that a process has open, by inode and descriptor; none of one that has gone.
fn held(pid: i32) -> Vec<(u64, i32)> {
    let Ok(all) = Proc::new(pid).and_then(|process| process.fd()) else { return Vec::new() };
    all.filter_map(|fd| {
        let fd = fd.ok()?;
        match fd.target {
            FDTarget::Socket(inode) => Some((inode, fd.fd)),
            _ => None,
        }
    })
    .collect()
}

/// What /proc does not tell of a process's socket: whether it is for IPv6 only, and the interface that it is bound to.
fn narrowed(pid: i32, fd: i32) -> io::Result<(bool, Option<String>)> {
    let process = process::open(pid)?;
    let socket = pidfd_getfd(process, fd, PidfdGetfdFlags::empty())?;
    let ipv6_only = getsockopt(&socket, Ipv6V6Only).unwrap_or(false); // one for IPv4 has no such option
    let interface = getsockopt(&socket, BindToDevice)?.to_string_lossy().into_owned();
    Ok((ipv6_only, Some(interface).filter(|name| !name.is_empty())))
}

/// The sockets that wait in the network namespace of a process: (protocol, address, inode). See proc_pid_net(5).
fn sockets(pid: i32) -> Vec<(Protocol, SocketAddr, u64)> {
    let Ok(process) = Proc::new(pid) else { return Vec::new() };
    let tcp = [process.tcp(), process.tcp6()].into_iter().flat_map(Result::unwrap_or_default);
    let tcp = tcp.filter(|entry| entry.state == TcpState::Listen);
    let udp = [process.udp(), process.udp6()].into_iter().flat_map(Result::unwrap_or_default);
    // One that is connected hears its peer only.
    let udp = udp.filter(|entry| entry.state == UdpState::Close && entry.remote_address.port() == 0);
    tcp.map(|entry| (Protocol::Tcp, entry.local_address, entry.inode))
        .chain(udp.map(|entry| (Protocol::Udp, entry.local_address, entry.inode)))
        .collect()
}

/// Who reaches a socket.
fn reached(jail: &Registered, socket: &Listening) -> Vec<String> {
    if matches!(jail.plan.network, Wanted::Host) {
        let who = if socket.address.ip().is_loopback() { "the host" } else { "whoever reaches the host" };
        return vec![format!("{who}: the jail is on the host's network")];
    }
    let request = jail.status.as_ref().and_then(|status| status.request.as_ref());
    let mut reached = Vec::new();
    for attachment in request.iter().flat_map(|request| &request.attachments) {
        let hears = |address: &IpAddr| socket.hears(&attachment.interface, *address);
        let addresses = attachment.addresses.iter().map(IpNet::addr).filter(hears);
        let who = who_is_on(&attachment.network);
        reached
            .extend(addresses.map(|at| format!("{who}, at {}", SocketAddr::new(at, socket.address.port()))));
    }
    let published = published(jail);
    if published.reach(socket) {
        let ports = published.ports.iter().filter(|publish| publish.protocol == socket.protocol);
        reached.extend(ports.filter_map(|publish| by_the_host(publish, socket.address.port())));
    }
    if reached.is_empty() {
        reached.push("the jail itself".to_owned());
    }
    reached
}

impl Listening {
    /// Whether what comes by an interface of the jail's for an address of its comes to the socket.
    fn hears(&self, interface: &str, address: IpAddr) -> bool {
        let by = self.interface.as_ref().is_none_or(|own| own == interface);
        by && match self.address.ip().to_canonical() {
            own if own == address => true,
            IpAddr::V4(own) => own.is_unspecified() && address.is_ipv4(),
            IpAddr::V6(own) => own.is_unspecified() && (address.is_ipv6() || !self.ipv6_only),
        }
    }
}

fn who_is_on(network: &Network) -> String {
    match &network.segment {
        Segment::Bridge { bridge, .. } => format!("the host and what is on {bridge}"),
        Segment::Parent { parent, .. } => format!("the LAN of {parent}"),
    }
}

/// Where a published port leads to this port of the jail's.
fn by_the_host(publish: &Publish, port: u16) -> Option<String> {
    let nth = publish.jail.ports().position(|jails| jails == port)?;
    let hosts = publish.host.ports().nth(nth)?;
    Some(match publish.address {
        Some(address) if address.is_loopback() => {
            format!("the host itself, at {}", SocketAddr::new(address, hosts))
        }
        Some(address) => format!("whoever reaches the host, at {}", SocketAddr::new(address, hosts)),
        None => format!("whoever reaches the host, at its port {hosts}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(address: &str) -> Listening {
        let (protocol, address) = (Protocol::Tcp, address.parse().unwrap());
        let (pid, command, reached) = (1, "server".into(), Vec::new());
        Listening { protocol, address, ipv6_only: false, interface: None, pid, command, reached }
    }

    #[test]
    fn a_socket_of_every_address_hears_what_is_sent_to_any() {
        let hears = |socket: &Listening| socket.hears("eth0", "10.10.20.10".parse().unwrap());
        for own in ["0.0.0.0:80", "[::]:80", "10.10.20.10:80", "[::ffff:10.10.20.10]:80"] {
            assert!(hears(&socket(own)), "{own}");
        }
        assert!(!hears(&socket("127.0.0.1:80")) && !hears(&socket("10.10.20.11:80")));
        assert!(!socket("0.0.0.0:80").hears("eth0", "fd00::1".parse().unwrap()));
    }

    #[test]
    fn a_socket_of_one_interface_or_of_ipv6_only_hears_no_more_than_that() {
        let hears = |socket: Listening| socket.hears("eth0", "10.10.20.10".parse().unwrap());
        let bound = |interface: &str| Listening { interface: Some(interface.into()), ..socket("0.0.0.0:80") };
        assert!(hears(bound("eth0")) && !hears(bound("lo")));
        assert!(!hears(Listening { ipv6_only: true, ..socket("[::]:80") }));
    }

    #[test]
    fn a_port_of_a_range_has_its_own_port_of_the_host() {
        let at = |publish: &str, port| by_the_host(&publish.parse().unwrap(), port);
        assert_eq!(at("8000-8010:80-90", 83).unwrap(), "whoever reaches the host, at its port 8003");
        assert_eq!(at("192.0.2.1:8080:80", 80).unwrap(), "whoever reaches the host, at 192.0.2.1:8080");
        assert_eq!(at("127.0.0.1:8080:80", 80).unwrap(), "the host itself, at 127.0.0.1:8080");
        assert_eq!(at("8080:80", 81), None);
    }
}
