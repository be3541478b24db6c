//! The bridge of a network: read from the host, made when it is ours, removed when it is ours and unused.

use std::{fs, io};

use futures_util::future::try_join_all;
use jail_net::backend::{Failure, Kind};
use jail_net::link::request::{self as link, Link};
use jail_net::mac::Mac;
use jail_net::model::{Network, Origin, Segment};
use rtnetlink::{Handle, LinkBridge};

/// The bridge of this name, `None` if nothing has the name.
///
/// # Errors
/// `Invalid` when what has the name is no bridge.
pub(crate) async fn find(handle: &Handle, name: &str) -> Result<Option<Link>, Failure> {
    let found = link::find(handle, name).await?;
    if let Some(link) = &found
        && !link.is_bridge()
    {
        let message = format!("--net={name}: the interface {name} is not a bridge");
        return Err(Failure::new(Kind::Invalid, "network", "find bridge", format!("--net={name}"), message)
            .hint("name a bridge or a network (jail net list)"));
    }
    Ok(found)
}

/// The failure for a bridge that is nobody's to make.
pub(crate) fn missing(name: &str) -> Failure {
    let message = format!("--net={name}: there is no interface {name}");
    Failure::new(Kind::NotFound, "network", "find bridge", format!("--net={name}"), message)
        .hint(format!("make it with: jail net create {name} --bridge={name} --subnet=10.10.20.0/24"))
}

/// The network that an existing bridge is: its first address of each family with its prefix.
pub(crate) async fn network_of(handle: &Handle, bridge: &Link) -> Result<Network, Failure> {
    let (subnet, subnet6) = link::subnets(handle, bridge).await?;
    let name = bridge.name.clone();
    let segment = Segment::Bridge { bridge: name.clone(), origin: Origin::Adopted };
    Ok(Network { name, segment, subnet, subnet6 })
}

/// The bridge of a network, made now if it is ours and missing.
pub(crate) async fn ensure(handle: &Handle, network: &Network) -> Result<Link, Failure> {
    match find(handle, network.interface()).await? {
        None if network.is_ours() => make(handle, network).await,
        None => Err(missing(network.interface())),
        // Up is the last thing a bridge of ours becomes: this one's maker died, or is about to do the same as we.
        Some(bridge) if network.is_ours() && !bridge.up && is_ours(&bridge) => {
            configure(handle, network).await
        }
        Some(bridge) => Ok(bridge),
    }
}

/// Makes the bridge with a MAC of its own: one without would take its first port's, and another when that is gone.
async fn make(handle: &Handle, network: &Network) -> Result<Link, Failure> {
    let name = network.interface();
    let bridge = LinkBridge::new(name).address(Mac::of_bridge(name).0.to_vec()).down().build();
    match link::add(handle, bridge, name).await {
        // Another start made it between our look and our request.
        Err(failure) if failure.kind == Kind::Conflict => return configure(handle, network).await,
        result => result?,
    }
    let made = configure(handle, network).await;
    if made.is_err() {
        // Why it could not be made is the one to tell.
        let _ = link::delete(handle, name).await;
    }
    made
}

/// Gives the bridge what the network says and brings it up; does no harm to one that has and is all that.
async fn configure(handle: &Handle, network: &Network) -> Result<Link, Failure> {
    let name = network.interface();
    if network.subnet6.is_none() {
        without_ipv6(name)?;
    }
    let bridge = find(handle, name).await?.ok_or_else(|| missing(name))?;
    let addresses = network.host_addresses();
    try_join_all(addresses.into_iter().map(|net| link::add_address(handle, bridge.index, net))).await?;
    link::up(handle, name).await?;
    Ok(bridge)
}

/// Keeps IPv6 off a bridge that has no IPv6 subnet: no fe80:: address for jails to reach the host by, and no multicast
/// route that appears with the first port and stays. Only a sysctl can say it.
fn without_ipv6(bridge: &str) -> Result<(), Failure> {
    let path = format!("/proc/sys/net/ipv6/conf/{bridge}/disable_ipv6");
    match fs::write(&path, "1") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()), // a kernel without IPv6
        result => result.map_err(|error| Failure::call("network", "write", path, &error)),
    }
}

/// Makes the bridge of a network of ours, or sees that it is there and has our addresses; of an adopted one, reads
/// its subnets.
pub(crate) async fn up(handle: &Handle, network: &Network) -> Result<Network, Failure> {
    let bridge = ensure(handle, network).await?;
    if !network.is_ours() {
        let is = network_of(handle, &bridge).await?;
        return Ok(Network { subnet: is.subnet, subnet6: is.subnet6, ..network.clone() });
    }
    let addresses = link::addresses(handle, &bridge).await?;
    match network.host_addresses().into_iter().find(|net| !addresses.contains(net)) {
        None => Ok(network.clone()),
        Some(net) => {
            let message = format!("the bridge {} is there already, without the address {net}", bridge.name);
            Err(conflict(network, "RTM_NEWADDR", message).hint(format!(
                "choose another name with --bridge, or use it as it is with --net={}",
                bridge.name
            )))
        }
    }
}

/// Removes the bridge of a network of ours. One that has our name but not our MAC is somebody else's and stays.
pub(crate) async fn down(handle: &Handle, network: &Network) -> Result<(), Failure> {
    if !network.is_ours() {
        return Ok(());
    }
    let Some(bridge) = link::find(handle, network.interface()).await?.filter(is_ours) else {
        return Ok(());
    };
    let ports = link::all(handle).await?.into_iter().filter(|port| port.master == Some(bridge.index));
    let ports: Vec<String> = ports.map(|port| port.name).collect();
    if !ports.is_empty() {
        let message = format!("the bridge {} is in use by {}", bridge.name, ports.join(", "));
        return Err(conflict(network, "RTM_DELLINK", message).hint("stop the jails on it first (jail list)"));
    }
    link::delete(handle, &bridge.name).await?;
    Ok(())
}

fn is_ours(link: &Link) -> bool {
    link.is_bridge() && link.mac == Mac::of_bridge(&link.name).0
}

fn conflict(network: &Network, operation: &'static str, message: String) -> Failure {
    Failure::new(Kind::Conflict, "network", operation, network.name.clone(), message)
}
