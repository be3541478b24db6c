//! Named networks: `jail net create`, `list` and `rm`.

use ipnet::{IpNet, Ipv4Net};
use jail_net::backend::Backend;
use jail_net::host;
use jail_net::model::Network;
use jail_net::plugin;
use jail_net::store::{self, Store};
use jail_sys::{Failure, Kind};

use crate::machine::Machine;
use crate::place::Place;
use crate::plan::Wanted;

/// Keeps a network and makes its bridge, or adopts a bridge that is there.
///
/// `bridge` is `jail-NAME` when it is `None`. The host takes the subnet's first address.
///
/// # Errors
/// A name, subnet or bridge that cannot be had; then nothing is kept or made.
pub async fn create(
    place: &Place,
    name: &str,
    subnet: Ipv4Net,
    bridge: Option<&str>,
) -> Result<Network, Failure> {
    if let Some(why) = store::refuses(name) {
        return Err(refused(Kind::Usage, name, &why));
    }
    if matches!(name, "none" | "host" | "lo") {
        return Err(
            refused(Kind::Usage, name, "--net means something else by that name").hint("choose another name")
        );
    }
    let net = subnet.network();
    if net.is_multicast() || net.is_loopback() || net.is_unspecified() || net.is_broadcast() {
        let why = format!("--subnet={subnet} is not for hosts");
        return Err(refused(Kind::Usage, name, &why).hint("use a private one"));
    }
    let store = Store::new(&place.networks);
    if store.get(name)?.is_some() {
        return Err(refused(Kind::Conflict, name, "there is a network of that name")
            .hint(format!("remove it first: jail net rm {name}")));
    }
    let link = plugin::open("bridge", &place.plugin_dirs)?;
    let bridge = bridge.map_or_else(|| format!("jail-{name}"), str::to_owned);
    if !(1..=15).contains(&bridge.len()) || bridge.contains(|sign: char| sign == '/' || sign.is_whitespace())
    {
        let why = format!("{bridge} cannot be an interface's name (1 to 15 bytes without '/' and spaces)");
        return Err(refused(Kind::Usage, name, &why).hint("name the bridge yourself, like --bridge=br0"));
    }
    let network = match link.network_of(&bridge).await? {
        Some(there) => adopt(name, subnet, there)?,
        None if host::has_interface(&bridge) => {
            let why = format!("the interface {bridge} is there already and is not a bridge");
            return Err(refused(Kind::Conflict, name, &why).hint("choose another --bridge"));
        }
        None => ours(name, subnet, &bridge, &store)?,
    };
    store.create(&network)?;
    match link.network_up(&network).await {
        Ok(network) => Ok(network),
        Err(failure) => {
            // The first failure is the one to tell.
            let _ = store.remove(name);
            Err(failure)
        }
    }
}

/// A new network with a bridge of our own: its subnet must be nobody's yet.
fn ours(name: &str, subnet: Ipv4Net, bridge: &str, store: &Store) -> Result<Network, Failure> {
    let host = subnet.hosts().next().unwrap_or(subnet.addr());
    let subnet = Ipv4Net::new(host, subnet.prefix_len())
        .map_err(|error| refused(Kind::Usage, name, &error.to_string()))?;
    if subnet.prefix_len() > 30 {
        return Err(refused(
            Kind::Usage,
            name,
            &format!("--subnet={} has no room for a jail", subnet.trunc()),
        )
        .hint("a /30 or larger has"));
    }
    for other in store.list()? {
        if other.interface() == bridge {
            return Err(refused(
                Kind::Conflict,
                name,
                &format!("the bridge {bridge} belongs to the network {}", other.name),
            ));
        }
        if other.subnet.is_some_and(|theirs| host::overlaps(theirs.into(), subnet.into())) {
            return Err(refused(
                Kind::Conflict,
                name,
                &format!("--subnet={} overlaps the network {}", subnet.trunc(), other.name),
            ));
        }
    }
    for address in host::addresses()? {
        if host::overlaps(address.net, IpNet::V4(subnet)) {
            let why = format!(
                "--subnet={} overlaps {}, the host's address on {}",
                subnet.trunc(),
                address.net,
                address.interface
            );
            return Err(refused(Kind::Conflict, name, &why).hint("choose a subnet that is used nowhere else"));
        }
    }
    Ok(Network::ours(name, bridge, subnet))
}

/// A bridge that is there keeps what it has; the subnet asked for must be its own.
fn adopt(name: &str, subnet: Ipv4Net, there: Network) -> Result<Network, Failure> {
    match there.subnet {
        Some(has) if has.trunc() == subnet.trunc() => Ok(Network { name: name.to_owned(), ..there }),
        has => {
            let has = has.map_or_else(|| "no IPv4 address".to_owned(), |has| has.to_string());
            let why = format!(
                "the bridge {} is there already and has {has}, not one of {}",
                there.interface(),
                subnet.trunc()
            );
            Err(refused(Kind::Conflict, name, &why)
                .hint("give --subnet as the bridge has it, or another --bridge"))
        }
    }
}

/// The named networks, in order.
///
/// # Errors
/// When they cannot be read.
pub fn list(place: &Place) -> Result<Vec<Network>, Failure> {
    Store::new(&place.networks).list()
}

/// Removes a network, and its bridge if it is ours; returns when it is gone.
///
/// # Errors
/// When there is none of that name, or a jail uses it.
pub async fn remove(place: &Place, name: &str) -> Result<(), Failure> {
    let store = Store::new(&place.networks);
    let Some(network) = store.find(name)? else {
        return Err(refused(Kind::NotFound, name, "there is no network of that name")
            .hint("see them with: jail net list"));
    };
    for jail in place.registry().living()? {
        let Wanted::Dmz(plan) = &jail.plan.network else { continue };
        if plan.attachments.iter().any(|one| one.network.interface() == network.interface()) {
            let why = format!("the jail {} uses it", jail.plan.name);
            return Err(refused(Kind::Conflict, name, &why)
                .hint(format!("stop it first: jail stop {}", jail.plan.name)));
        }
    }
    let link = plugin::open("bridge", &place.plugin_dirs)?;
    let machine = Machine::open()?;
    let lock = machine.network_lock()?;
    lock.exclusive().await?;
    // The link of a jail that has just ended goes in the background; here is who must see it gone.
    link.gc(&machine.alive()?).await?;
    link.network_down(&network).await?;
    store.remove(&network.name)
}

fn refused(kind: Kind, name: &str, why: &str) -> Failure {
    Failure::new(kind, "network", "net", name, format!("network {name}: {why}"))
}
