//! `Listening`: the ports that a jail's processes listen on, and who reaches each. What a server was told to listen on,
//! what it does listen on and what is published are three things; here they stand side by side.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use jail_net::model::{Network, Protocol, Publish, Segment};
use procfs::net::{TcpState, UdpState};
use procfs::process::{FDTarget, Process as Proc};
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
        for inode in held(process.pid) {
            holders.entry(inode).or_insert(process);
        }
    }
    let listens = |(protocol, address, inode)| {
        let holder: &Process = holders.get(&inode)?;
        let (pid, command) = (holder.pid, holder.command.clone());
        Some(Listening { protocol, address, pid, command, reached: reached(jail, protocol, address) })
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
            listening.iter().filter(waits).any(|one| published.to.is_some_and(|to| hears(one.address, to)))
        })
    };
    published.ports.iter().filter(|publish| !answered(publish)).cloned().collect()
}

/// A jail's published ports, and the address of its that they lead to.
struct Published<'a> {
    ports: &'a [Publish],
    to: Option<IpAddr>,
}

fn published(jail: &Registered) -> Published<'_> {
    let request = jail.status.as_ref().and_then(|status| status.request.as_ref());
    let (Some(request), Wanted::Dmz(network)) = (request, &jail.plan.network) else {
        return Published { ports: &[], to: None };
    };
    let at = network.published_at().map(|planned| &planned.interface);
    let attachment = request.attachments.iter().find(|attachment| at == Some(&attachment.interface));
    let to = attachment.and_then(|attachment| attachment.addresses.first()).map(IpNet::addr);
    Published { ports: &request.publish, to }
}

/// The inodes of the sockets that a process has open; none of one that has gone.
fn held(pid: i32) -> Vec<u64> {
    let Ok(all) = Proc::new(pid).and_then(|process| process.fd()) else { return Vec::new() };
    all.filter_map(|fd| match fd.ok()?.target {
        FDTarget::Socket(inode) => Some(inode),
        _ => None,
    })
    .collect()
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
fn reached(jail: &Registered, protocol: Protocol, socket: SocketAddr) -> Vec<String> {
    if matches!(jail.plan.network, Wanted::Host) {
        let who = if socket.ip().is_loopback() { "the host" } else { "whoever reaches the host" };
        return vec![format!("{who}: the jail is on the host's network")];
    }
    let request = jail.status.as_ref().and_then(|status| status.request.as_ref());
    let mut reached = Vec::new();
    for attachment in request.iter().flat_map(|request| &request.attachments) {
        let addresses = attachment.addresses.iter().map(IpNet::addr).filter(|at| hears(socket, *at));
        let who = who_is_on(&attachment.network);
        reached.extend(addresses.map(|at| format!("{who}, at {}", SocketAddr::new(at, socket.port()))));
    }
    let published = published(jail);
    if published.to.is_some_and(|to| hears(socket, to)) {
        let leads = |publish: &&Publish| publish.protocol == protocol;
        reached.extend(
            published.ports.iter().filter(leads).filter_map(|publish| by_the_host(publish, socket.port())),
        );
    }
    if reached.is_empty() {
        reached.push("the jail itself".to_owned());
    }
    reached
}

/// Whether what is sent to an address of the jail's comes to the socket.
fn hears(socket: SocketAddr, address: IpAddr) -> bool {
    socket.ip() == address || socket.ip() == Ipv4Addr::UNSPECIFIED || socket.ip() == Ipv6Addr::UNSPECIFIED
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
        Some(address) => format!("whoever reaches the host, at {}", SocketAddr::new(address, hosts)),
        None => format!("whoever reaches the host, at its port {hosts}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_every_address_hears_what_is_sent_to_any() {
        let hears = |socket: &str| hears(socket.parse().unwrap(), "10.10.20.10".parse().unwrap());
        assert!(hears("0.0.0.0:80") && hears("[::]:80") && hears("10.10.20.10:80"));
        assert!(!hears("127.0.0.1:80") && !hears("10.10.20.11:80"));
    }

    #[test]
    fn a_port_of_a_range_has_its_own_port_of_the_host() {
        let at = |publish: &str, port| by_the_host(&publish.parse().unwrap(), port);
        assert_eq!(at("8000-8010:80-90", 83).unwrap(), "whoever reaches the host, at its port 8003");
        assert_eq!(at("192.0.2.1:8080:80", 80).unwrap(), "whoever reaches the host, at 192.0.2.1:8080");
        assert_eq!(at("8080:80", 81), None);
    }
}
