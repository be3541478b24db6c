//! A jail's interfaces from the inside: what they must not do by themselves, up, with their addresses and routes.
//!
//! A jail with several interfaces answers by the one that was asked: what is sent from an interface's own address goes by
//! a routing table of that interface's own, whatever the default route is.

use std::io;

use futures_util::future::{try_join, try_join_all};
use ipnet::IpNet;
use rtnetlink::Handle;

use super::request::{self, Link, Route};
use crate::backend::{Failure, Interface, Kind};
use crate::model::Attachment;

/// The table of an interface's own is this and its index: above those that have names.
const TABLES: u32 = 1000;

/// Says what the interfaces must not do by themselves. To be called in the jail's network namespace, before they are up.
///
/// # Errors
/// What writing a sysctl answers.
pub fn settle(attachments: &[Attachment]) -> Result<(), Failure> {
    for attachment in attachments {
        let name = &attachment.interface;
        // A new namespace begins with the forwarding of the machine's first: a jail between two networks is no router.
        set(&format!("net/ipv4/conf/{name}/forwarding"), "0")?;
        // Nor does it tell one network of its address on the other.
        set(&format!("net/ipv4/conf/{name}/arp_ignore"), "1")?;
        // A router's announcement would make it reachable by an address nobody asked for.
        if attachment.addresses.iter().any(|net| matches!(net, IpNet::V6(_))) {
            set(&format!("net/ipv6/conf/{name}/accept_ra"), "0")?;
        } else {
            set(&format!("net/ipv6/conf/{name}/disable_ipv6"), "1")?;
        }
    }
    Ok(())
}

fn set(sysctl: &str, value: &str) -> Result<(), Failure> {
    match std::fs::write(format!("/proc/sys/{sysctl}"), value) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()), // a kernel without IPv6
        result => result.map_err(|error| Failure::call("network", "write", sysctl, &error)),
    }
}

/// Brings the loopback interface and all of these up; answers the links in the same order.
///
/// # Errors
/// What the kernel answers.
pub async fn up(handle: &Handle, attachments: &[Attachment]) -> Result<Vec<Link>, Failure> {
    let links = try_join_all(attachments.iter().map(|attachment| one_up(handle, &attachment.interface)));
    let (_, links) = try_join(request::up(handle, "lo"), links).await?;
    Ok(links)
}

async fn one_up(handle: &Handle, name: &str) -> Result<Link, Failure> {
    let (found, ()) = try_join(request::find(handle, name), request::up(handle, name)).await?;
    found.ok_or_else(|| {
        let message = format!("the interface {name} is gone from the jail");
        Failure::new(Kind::NotFound, "network", "RTM_GETLINK", name, message)
    })
}

/// Gives links that are up their addresses and routes. Requests are answered in the order they are sent.
///
/// # Errors
/// What the kernel answers.
pub async fn address(
    handle: &Handle,
    attachments: &[Attachment],
    links: &[Link],
) -> Result<Vec<Interface>, Failure> {
    let all = attachments.iter().zip(links).map(|(attachment, link)| one_address(handle, attachment, link));
    try_join_all(all).await
}

async fn one_address(handle: &Handle, attachment: &Attachment, link: &Link) -> Result<Interface, Failure> {
    let addresses = attachment.addresses.iter().map(|net| request::add_address(handle, link.index, *net));
    let routes = routes(attachment, TABLES + link.index);
    let routes = routes.iter().map(|route| request::add_route(handle, link.index, route));
    let sources = attachment.addresses.iter().filter(|_| !attachment.source_gateways.is_empty());
    let rules = sources.map(|net| request::add_source_rule(handle, net.addr(), TABLES + link.index));
    try_join(try_join(try_join_all(addresses), try_join_all(routes)), try_join_all(rules)).await?;
    Ok(Interface { name: attachment.interface.clone(), mac: attachment.mac.clone(), mtu: link.mtu })
}

/// The default routes, and what the interface's own table holds.
fn routes(attachment: &Attachment, own: u32) -> Vec<Route> {
    let mut routes: Vec<Route> = attachment.gateways.iter().copied().map(Route::default_by).collect();
    if !attachment.source_gateways.is_empty() {
        let on_link = attachment.addresses.iter().map(IpNet::trunc);
        routes.extend(on_link.map(|to| Route { to, gateway: None, table: Some(own) }));
        let by = attachment.source_gateways.iter().copied().map(Route::default_by);
        routes.extend(by.map(|route| Route { table: Some(own), ..route }));
    }
    routes
}
