//! Named networks: `jail net create`, `list` and `rm`.

use ipnet::{IpNet, Ipv4Net};
use jail_net::backend::Backend;
use jail_net::host;
use jail_net::model::{Network, refuses_bridge, refuses_subnet};
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
    let bridge = bridge.map_or_else(|| format!("jail-{name}"), str::to_owned);
    refuse_words(name, subnet, &bridge)?;
    let link = plugin::open("bridge", &place.plugin_dirs)?;
    let machine = Machine::open()?;
    let lock = machine.network_lock()?;
    // Of two at once both would find the subnet free.
    lock.exclusive().await?;
    let store = Store::new(&place.networks);
    refuse_taken(&store, name, &bridge)?;
    let network = match link.network_of(&bridge).await? {
        Some(there) => adopt(name, subnet, there)?,
        None if host::has_interface(&bridge) => {
            let why = format!("the interface {bridge} is there already and is not a bridge");
            return Err(refused(Kind::Conflict, name, &why).hint("choose another --bridge"));
        }
        None => ours(name, subnet, &bridge, &store)?,
    };
    // Kept first: whatever becomes of us, `net rm` knows what there may be.
    store.create(&network)?;
    let failure = match link.network_up(&network).await {
        Ok(network) => return Ok(network),
        Err(failure) => failure,
    };
    // The first failure is the one to tell.
    match link.network_down(&network).await.and_then(|()| store.remove(name)) {
        Ok(()) => Err(failure),
        Err(_) => {
            Err(failure.hint(format!("something of the network is left; remove it with: jail net rm {name}")))
        }
    }
}

/// Refuses what could not be a network on any host.
fn refuse_words(name: &str, subnet: Ipv4Net, bridge: &str) -> Result<(), Failure> {
    if let Some(why) = store::refuses(name) {
        return Err(refused(Kind::Usage, name, &why));
    }
    if matches!(name, "none" | "host" | "lo") {
        return Err(
            refused(Kind::Usage, name, "--net means something else by that name").hint("choose another name")
        );
    }
    if let Some(why) = refuses_subnet(subnet) {
        return Err(refused(Kind::Usage, name, &format!("--subnet={why}")).hint("use a private one"));
    }
    match refuses_bridge(bridge) {
        Some(why) => Err(refused(Kind::Usage, name, &why).hint("name the bridge like this: --bridge=br0")),
        None => Ok(()),
    }
}

/// Refuses names by which `--net` already means something else: an interface of the host's, or another network, which is
/// looked for by its own name and its bridge's.
fn refuse_taken(store: &Store, name: &str, bridge: &str) -> Result<(), Failure> {
    let conflict = |why: String, hint: String| Err(refused(Kind::Conflict, name, &why).hint(hint));
    if store.get(name)?.is_some() {
        let why = "there is a network of that name".to_owned();
        return conflict(why, format!("remove it first: jail net rm {name}"));
    }
    for other in store.list()? {
        let other_name = &other.name;
        if other.interface() == bridge {
            let why = format!("the bridge {bridge} belongs to the network {other_name}");
            return conflict(why, format!("name another with --bridge, or use --net={other_name}"));
        }
        if other.interface() == name {
            let why = format!("{name} is the bridge of the network {other_name}, which --net={name} means");
            return conflict(why, "choose another name".to_owned());
        }
        if other_name == bridge {
            let why = format!("--net={bridge} means the network of that name, not its bridge");
            return conflict(why, "name another with --bridge".to_owned());
        }
    }
    if name != bridge && host::has_interface(name) {
        let why = format!("the host has an interface {name}, which --net={name} means");
        return conflict(why, "choose another name".to_owned());
    }
    Ok(())
}

/// A new network with a bridge of our own: its subnet must be nobody's yet.
fn ours(name: &str, subnet: Ipv4Net, bridge: &str, store: &Store) -> Result<Network, Failure> {
    if subnet.prefix_len() > 30 {
        let why = format!("--subnet={} has no room for a jail", subnet.trunc());
        return Err(refused(Kind::Usage, name, &why).hint("a /30 or larger has"));
    }
    let host = subnet.hosts().next().unwrap_or(subnet.addr());
    let subnet = Ipv4Net::new(host, subnet.prefix_len())
        .map_err(|error| refused(Kind::Usage, name, &error.to_string()))?;
    for other in store.list()? {
        if other.subnet.is_some_and(|theirs| host::overlaps(theirs.into(), subnet.into())) {
            let why = format!("--subnet={} overlaps the network {}", subnet.trunc(), other.name);
            return Err(refused(Kind::Conflict, name, &why).hint("choose a subnet that is used nowhere else"));
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

/// The named networks that can be read, in order. [`unreadable`] tells of the others.
///
/// # Errors
/// When their directory cannot be read.
pub fn list(place: &Place) -> Result<Vec<Network>, Failure> {
    Store::new(&place.networks).list()
}

/// Why files among the named networks cannot be read, with the remedy.
///
/// # Errors
/// When their directory cannot be read.
pub fn unreadable(place: &Place) -> Result<Vec<Failure>, Failure> {
    Store::new(&place.networks).unreadable()
}

/// Removes a network, and its bridge if it is ours; returns when it is gone.
///
/// # Errors
/// When there is none of that name, or a jail uses it.
pub async fn remove(place: &Place, name: &str) -> Result<(), Failure> {
    let store = Store::new(&place.networks);
    let Some(network) = store.get(name)? else { return Err(no_network(&store, name)) };
    let machine = Machine::open()?;
    let lock = machine.network_lock()?;
    // A jail that is about to come to it has registered by now, or waits and sees that it is gone.
    lock.exclusive().await?;
    for jail in place.registry().living()? {
        let Wanted::Dmz(plan) = &jail.plan.network else { continue };
        if plan.attachments.iter().any(|one| one.network.interface() == network.interface()) {
            let why = format!("the jail {} uses it", jail.plan.name);
            return Err(refused(Kind::Conflict, name, &why)
                .hint(format!("stop it first: jail stop {}", jail.plan.name)));
        }
    }
    let link = plugin::open("bridge", &place.plugin_dirs)?;
    // The link of a jail that has just ended goes in the background; here is who must see it gone.
    link.gc(&machine.alive()?).await?;
    link.network_down(&network).await?;
    store.remove(&network.name)
}

/// The failure for a name that is no network's: whoever names a bridge is not to lose the network on it.
fn no_network(store: &Store, name: &str) -> Failure {
    const WHY: &str = "there is no network of that name";
    match store.find(name) {
        Ok(Some(network)) => {
            let why = format!("{WHY}, {name} is the bridge of the network {}", network.name);
            refused(Kind::NotFound, name, &why)
                .hint(format!("remove that with: jail net rm {}", network.name))
        }
        _ => refused(Kind::NotFound, name, WHY).hint("see them with: jail net list"),
    }
}

fn refused(kind: Kind, name: &str, why: &str) -> Failure {
    Failure::new(kind, "network", "net", name, format!("network {name}: {why}"))
}
