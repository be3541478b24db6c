//! What `--net`, `--ip` and the other network options come to: one network, two backends, nothing taken yet.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use jail_net::backend::Backend;
use jail_net::model::{Egress, Network, Publish};
use jail_net::port;
use jail_net::store::{self, Store};
use jail_sys::{Failure, Kind};
use serde::{Deserialize, Serialize};

use super::backends::{Backends, Named, PluginRef, reference};
use super::free;
use crate::place::Place;
use crate::spec::{Net, NetworkSpec, Spec};

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The network of a jail as it is decided; addresses are leased when it starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkPlan {
    /// The network.
    pub network: Network,
    /// The backend that makes its links.
    pub link: PluginRef,
    /// The backend of the host's firewall.
    pub firewall: PluginRef,
    /// The address asked for; `None` leases one.
    pub address: Option<Ipv4Addr>,
    /// Its default gateway.
    pub gateway: Option<Ipv4Addr>,
    /// Its name servers; empty shows the host's resolv.conf.
    pub dns: Vec<IpAddr>,
    /// The ports published.
    pub publish: Vec<Publish>,
    /// The connections it may open.
    pub egress: Egress,
}

impl NetworkPlan {
    /// In words, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let subnet = self.network.subnet.map_or_else(String::new, |subnet| format!(" ({})", subnet.trunc()));
        let address =
            self.address.map_or_else(|| "an address leased at the start".to_owned(), |a| a.to_string());
        let mut lines = vec![
            format!(
                "link        {}: veth eth0 on {}{subnet}, {address}",
                self.link.name, self.network.bridge
            ),
            format!(
                "gateway     {}",
                self.gateway.map_or_else(|| "none".to_owned(), |gateway| gateway.to_string())
            ),
            format!(
                "firewall    {}, on the host and inside the jail's own network namespace",
                self.firewall.name
            ),
        ];
        lines.extend(self.dns.iter().map(|server| format!("dns         {server}")));
        for publish in &self.publish {
            let host =
                publish.address.map_or_else(|| "any address".to_owned(), |address| address.to_string());
            lines.push(format!(
                "publish     {}/{} of the host ({host}) -> {} of the jail",
                publish.host,
                publish.protocol.as_str(),
                publish.jail
            ));
        }
        lines.push(match self.egress {
            Egress::Allow => {
                "egress      allow: the LAN and the Internet, never the host or other bridges".to_owned()
            }
            _ => "egress      deny: no connection but to other jails on the bridge".to_owned(),
        });
        lines
    }
}

/// Decides the network that `--net=NAME` means.
pub(crate) async fn resolve(
    name: &str,
    spec: &Spec,
    place: &Place,
) -> Result<(NetworkPlan, Backends), Failure> {
    let wanted = &spec.network;
    port::refuse_twice(&wanted.publish)?;
    let mut named = Named::load(&spec.backends, place)?;
    let link = named.link(place).await?;
    let store = Store::new(&place.networks);
    let network = match store.find(name)? {
        Some(network) => network,
        None => adopted(name, &link, &store).await?,
    };
    let firewall = named.firewall(place).await?;
    let Some(subnet) = network.subnet else {
        let message = format!("--net={name}: the bridge {} has no IPv4 address", network.bridge);
        return Err(Failure::new(Kind::Invalid, "network", "resolve", format!("--net={name}"), message)
            .hint(address_hint(&network.bridge, &store)));
    };
    if let Some(ip) = wanted.ip {
        if let Some(why) = network.refuses(ip.address) {
            return Err(refused(format!("--ip={}", ip.address), &why));
        }
        if let Some(prefix) = ip.prefix.filter(|prefix| *prefix != subnet.prefix_len()) {
            let why =
                format!("the subnet of {} is a /{}, not a /{prefix}", network.bridge, subnet.prefix_len());
            return Err(refused(format!("--ip={}/{prefix}", ip.address), &why));
        }
    }
    if let Some(gateway) = wanted.gateway.filter(|gateway| !subnet.contains(gateway)) {
        let why = format!("{gateway} is not in {}, the subnet of {}", subnet.trunc(), network.bridge);
        return Err(refused(format!("--defaultgw={gateway}"), &why));
    }
    let plan = NetworkPlan {
        link: reference(&link),
        firewall: reference(&firewall),
        address: wanted.ip.map(|ip| ip.address),
        gateway: wanted.gateway.or(Some(subnet.addr())),
        dns: wanted.dns.clone(),
        publish: wanted.publish.clone(),
        egress: wanted.egress,
        network,
    };
    Ok((plan, Backends { link, firewall }))
}

/// A bridge that is nobody's network: it is used as it is.
async fn adopted(name: &str, link: &impl Backend, store: &Store) -> Result<Network, Failure> {
    let could_be = name.len() < libc::IFNAMSIZ;
    if could_be && let Some(network) = link.network_of(name).await? {
        return Ok(network);
    }
    let message = format!("--net={name}: there is no network, bridge or interface of that name");
    Err(Failure::new(Kind::NotFound, "network", "resolve", format!("--net={name}"), message)
        .hint(network_hint(name, store)))
}

/// How to make a network of this name, with a subnet that is free.
fn network_hint(name: &str, store: &Store) -> String {
    let fits = store::refuses(name).is_none() && name.len() <= 15;
    match free::subnet(store).filter(|_| fits) {
        Some(subnet) => format!("make it with: jail net create {name} --subnet={subnet} --bridge={name}"),
        None => "see the networks with: jail net list".to_owned(),
    }
}

/// How to give a bridge an address, of a subnet that is free.
fn address_hint(bridge: &str, store: &Store) -> String {
    let address = free::subnet(store).and_then(|subnet| Some((subnet.hosts().next()?, subnet.prefix_len())));
    match address {
        Some((address, prefix)) => {
            format!("give it one, like: ip address add {address}/{prefix} dev {bridge}")
        }
        None => format!("give it one with: ip address add ADDRESS/LENGTH dev {bridge}"),
    }
}

/// Options that mean nothing without an interface are refused rather than passed over.
pub(crate) fn refuse_addresses(spec: &NetworkSpec) -> Result<(), Failure> {
    let option = if let Some(publish) = spec.publish.first() {
        format!("--publish={publish}")
    } else if let Some(ip) = spec.ip {
        format!("--ip={}", ip.address)
    } else if let Some(gateway) = spec.gateway {
        format!("--defaultgw={gateway}")
    } else if spec.egress != Egress::Deny {
        format!("--egress={}", spec.egress)
    } else {
        return Ok(());
    };
    let message = format!("{option}: it needs a network of the jail's own");
    Err(Failure::new(Kind::Usage, "network", "parse", option, message)
        .hint("give it one with --net=BRIDGE or --net=NETWORK"))
}

/// The files inside that come from the network options.
pub(crate) fn files(spec: &NetworkSpec) -> Option<(PathBuf, String)> {
    let content = if spec.dns.is_empty() {
        hosts_resolver(&spec.net)?
    } else {
        spec.dns.iter().map(|server| format!("nameserver {server}\n")).collect()
    };
    Some((PathBuf::from(RESOLV_CONF), content))
}

/// What the host's resolv.conf says, where it leads into /run, of which a jail sees nothing; otherwise it is shown as it
/// is. A resolver on the host's loopback is none of a jail's that has its own: systemd-resolved keeps beside that what
/// it asks itself (systemd-resolved.service(8), "/etc/resolv.conf").
fn hosts_resolver(net: &Net) -> Option<String> {
    let file = std::fs::canonicalize(RESOLV_CONF).ok().filter(|file| file.starts_with("/run"))?;
    let stub = file.ends_with("systemd/resolve/stub-resolv.conf");
    match net {
        Net::None => None,
        Net::On(_) if stub => std::fs::read_to_string(file.with_file_name("resolv.conf")).ok(),
        _ => std::fs::read_to_string(file).ok(),
    }
}

fn refused(option: String, why: &str) -> Failure {
    let message = format!("{option}: {why}");
    Failure::new(Kind::Invalid, "network", "resolve", option, message)
}
