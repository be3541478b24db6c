//! The interface of the host's that a jail shares: which can be one, and the network it is on.

use std::path::Path;

use jail_net::backend::{Drift, Failure, Kind, Request};
use jail_net::link::request::{self, Link};
use jail_net::model::{Network, Segment};
use rtnetlink::Handle;

/// The interface of this name if it can be shared.
///
/// # Errors
/// Why it cannot.
pub(crate) async fn find(handle: &Handle, name: &str) -> Result<Link, Failure> {
    let Some(link) = request::find(handle, name).await? else { return Err(missing(name)) };
    if link.is_bridge() {
        let why = format!("{name} is a bridge, which gives a jail a port of its own");
        return Err(refused(
            Kind::Invalid,
            name,
            &why,
            "leave the link backend away, or name bridge with --backend",
        ));
    }
    usable(handle, &link).await?;
    Ok(link)
}

/// The network that an interface is on; `None` when there is none of this name, or it is a bridge.
///
/// # Errors
/// Why it cannot be shared.
pub(crate) async fn network_of(handle: &Handle, name: &str) -> Result<Option<Network>, Failure> {
    let Some(link) = request::find(handle, name).await?.filter(|link| !link.is_bridge()) else {
        return Ok(None);
    };
    usable(handle, &link).await?;
    let (subnet, subnet6) = request::subnets(handle, &link).await?;
    let router = request::default_router(handle, link.index).await?;
    let router = router.filter(|router| subnet.is_some_and(|subnet| subnet.contains(router)));
    let segment = Segment::Parent { parent: name.to_owned(), router };
    Ok(Some(Network { name: name.to_owned(), segment, subnet, subnet6 }))
}

async fn usable(handle: &Handle, link: &Link) -> Result<(), Failure> {
    let name = &link.name;
    let unfit = |why: &str, hint: &str| Err(refused(Kind::Invalid, name, why, hint));
    const ANOTHER: &str = "put the jail on a bridge instead: jail net create makes one";
    if link.loopback {
        return unfit(
            "the loopback interface cannot be shared",
            "a jail has one of its own: leave --net away",
        );
    }
    if !link.ethernet {
        return unfit(&format!("{name} is no Ethernet interface, which is all that can be shared"), ANOTHER);
    }
    if is_wireless(name) {
        let why = format!("{name} is wireless, and an access point takes no second MAC address from it");
        return unfit(&why, ANOTHER);
    }
    if let Some(master) = link.master {
        let all = request::all(handle).await?;
        let master = all.iter().find(|other| other.index == master).map_or("another", |link| &link.name);
        let why = format!("{name} is a port of {master}, which takes all that arrives there");
        return unfit(&why, &format!("name that one: --net={master}"));
    }
    if !link.up {
        return unfit(&format!("{name} is down"), &format!("switch it on with: ip link set {name} up"));
    }
    Ok(())
}

/// What cfg80211 and the drivers before it leave in sysfs. Netlink tells it of no link.
fn is_wireless(name: &str) -> bool {
    let link = Path::new("/sys/class/net").join(name);
    link.join("phy80211").exists() || link.join("wireless").exists()
}

/// The failure for an interface that is not there.
pub(crate) fn missing(name: &str) -> Failure {
    refused(Kind::NotFound, name, &format!("there is no interface {name}"), "see what there is with: ip link")
}

/// The failure for an interface that is one, but whose packets go elsewhere.
pub(crate) fn taken(name: &str) -> Failure {
    let why =
        format!("something else takes all that arrives on {name} (an ipvlan, a bond, a passthru macvlan)");
    refused(Kind::Conflict, name, &why, "see it with: ip -details link; or name another interface")
}

fn refused(kind: Kind, name: &str, why: &str, hint: &str) -> Failure {
    let object = format!("--net={name}");
    let message = format!("{object}: {why}");
    Failure::new(kind, "network", "find parent", object, message).hint(hint)
}

/// What of the parents is not as it should be; what is inside the jail cannot be changed by it.
pub(crate) async fn check(handle: &Handle, want: &Request) -> Result<Drift, Failure> {
    let mut differences = Vec::new();
    for attachment in &want.attachments {
        let name = attachment.network.interface();
        match request::find(handle, name).await? {
            None => differences.push(format!("interface {name} is missing")),
            Some(link) if !link.up => differences.push(format!("interface {name} is down")),
            Some(_) => {}
        }
    }
    Ok(Drift { differences })
}
