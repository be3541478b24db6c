//! A jail's interfaces from the inside: what they do by themselves, up, with their addresses and routes. Requests are
//! answered in the order they are sent, so that several may be under way.
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

/// Says what the interfaces must and must not do by themselves. To be called in the jail's network namespace, before
/// they are up.
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
        // Who knew its address by another MAC learns the new one as it comes up.
        set(&format!("net/ipv4/conf/{name}/arp_notify"), "1")?;
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

/// The links, in the order of the attachments.
///
/// # Errors
/// What the kernel answers, and `NotFound` when there is one missing.
pub async fn links(handle: &Handle, attachments: &[Attachment]) -> Result<Vec<Link>, Failure> {
    try_join_all(attachments.iter().map(|attachment| async {
        let name = &attachment.interface;
        request::find(handle, name).await?.ok_or_else(|| {
            let message = format!("the interface {name} is gone from the jail");
            Failure::new(Kind::NotFound, "network", "RTM_GETLINK", name.as_str(), message)
        })
    }))
    .await
}

/// Brings the loopback interface and all of these up.
///
/// # Errors
/// What the kernel answers.
pub async fn up(handle: &Handle, attachments: &[Attachment]) -> Result<(), Failure> {
    let all = attachments.iter().map(|attachment| request::up(handle, &attachment.interface));
    try_join(request::up(handle, "lo"), try_join_all(all)).await.map(drop)
}

/// Gives the links their addresses. One that comes up after that tells its segment of them.
///
/// # Errors
/// What the kernel answers.
pub async fn addresses(handle: &Handle, attachments: &[Attachment], links: &[Link]) -> Result<(), Failure> {
    let all = attachments.iter().zip(links).flat_map(|(attachment, link)| {
        attachment.addresses.iter().map(|net| request::add_address(handle, link.index, *net))
    });
    try_join_all(all).await.map(drop)
}

/// Gives links that are up and have their addresses the routes; answers the interfaces as they are.
///
/// # Errors
/// What the kernel answers.
pub async fn route(
    handle: &Handle,
    attachments: &[Attachment],
    links: &[Link],
) -> Result<Vec<Interface>, Failure> {
    let all = attachments.iter().zip(links).map(|(attachment, link)| route_one(handle, attachment, link));
    try_join_all(all).await
}

async fn route_one(handle: &Handle, attachment: &Attachment, link: &Link) -> Result<Interface, Failure> {
    let own = TABLES + link.index;
    let routes = routes(attachment, own);
    let routes = routes.iter().map(|route| request::add_route(handle, link.index, route));
    let sources = attachment.addresses.iter().filter(|_| !attachment.source_gateways.is_empty());
    let rules = sources.map(|net| request::add_source_rule(handle, net.addr(), own));
    try_join(try_join_all(routes), try_join_all(rules)).await?;
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
