//! Choosing and loading the backends of a jail: those that make its links, and one for the firewall.

use std::path::{Path, PathBuf};

use jail_net::backend::{Backend, Role, Support};
use jail_net::host;
use jail_net::model::Network;
use jail_net::plugin::{self, Found, Plugin};
use jail_net::store::{self, Store};
use jail_sys::{Failure, Kind, nearest};
use serde::{Deserialize, Serialize};

use super::free;
use crate::machine::Machine;
use crate::place::Place;

/// The backend for what is on a bridge.
const BRIDGE: &str = "bridge";
/// The backend for any other interface.
const MACVLAN: &str = "macvlan";

/// Firewalls in the order they are tried when no running jail decides.
const FIREWALLS: [&str; 2] = ["nft", "iptables"];

/// Every backend that a jail may have without naming it, and that gives the host something: of a macvlan it has nothing.
pub(super) const USUAL: [&str; 3] = [BRIDGE, FIREWALLS[0], FIREWALLS[1]];

/// Which plugin: enough to load the same one again at the end of a jail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginRef {
    /// The backend's name.
    pub name: String,
    /// The plugin's file.
    pub path: PathBuf,
}

/// The loaded backends of one jail.
#[derive(Debug)]
pub(crate) struct Backends {
    /// Those that make its links, each once.
    pub(crate) links: Vec<Plugin>,
    pub(crate) firewall: Plugin,
}

/// Which backends a jail gets: those named with `--backend`, and for a role left open what fits.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    place: &'a Place,
    /// The link backend that was named: it makes every link.
    named: Option<String>,
    links: Vec<Plugin>,
    firewall: Option<Plugin>,
}

impl<'a> Choice<'a> {
    /// Loads the plugins of these names.
    pub(super) fn load(names: &[String], place: &'a Place) -> Result<Self, Failure> {
        let mut choice = Choice { place, named: None, links: Vec::new(), firewall: None };
        for name in names {
            let plugin = plugin::open(name, &place.plugin_dirs)?;
            let other = match plugin.describe().role {
                Role::Link => {
                    choice.links.push(plugin);
                    choice.named.replace(name.clone())
                }
                Role::Firewall => choice.firewall.replace(plugin).map(|other| other.describe().name),
            };
            if let Some(other) = other {
                let object = format!("--backend={}", names.join(","));
                let message = format!("{object}: {other} and {name} have the same role");
                return Err(Failure::new(Kind::Usage, "network", "backend", object, message)
                    .hint("name at most one link and one firewall backend"));
            }
        }
        Ok(choice)
    }

    /// The network that `--net=name` means, and the backend that makes its links: the one named, else by what it is on.
    pub(super) async fn network(
        &mut self,
        name: &str,
        store: &Store,
    ) -> Result<(Network, PluginRef), Failure> {
        let stored = store.find(name)?;
        if let Some(network) = &stored
            && (self.named.is_none() || !host::has_interface(network.interface()))
        {
            let fits = if network.bridge().is_some() { BRIDGE } else { MACVLAN };
            let link = self.named.clone().unwrap_or_else(|| fits.to_owned());
            return Ok((network.clone(), reference(self.link(&link).await?)));
        }
        let interface = stored.as_ref().map_or(name, Network::interface).to_owned();
        let tried = match &self.named {
            Some(named) => vec![named.clone()],
            None => vec![BRIDGE.to_owned(), MACVLAN.to_owned()],
        };
        for link in tried.iter().filter(|_| host::has_interface(&interface)) {
            let link = self.link(link).await?;
            if let Some(network) = link.network_of(&interface).await? {
                return Ok((stored.unwrap_or(network), reference(link)));
            }
        }
        Err(no_network(name, &interface, &tried, store))
    }

    async fn link(&mut self, name: &str) -> Result<&Plugin, Failure> {
        let loaded = self.links.iter().position(|link| link.describe().name == name);
        let at = match loaded {
            Some(at) => at,
            None => {
                self.links.push(plugin::open(name, &self.place.plugin_dirs)?);
                self.links.len() - 1
            }
        };
        let link = &self.links[at];
        usable(link).await?;
        Ok(link)
    }

    /// All of them: the firewall is the one named, else the one running jails use, else the first that can work here.
    pub(super) async fn with_firewall(self) -> Result<Backends, Failure> {
        let Choice { place, links, firewall, .. } = self;
        let firewall = match firewall {
            Some(firewall) => firewall,
            None => match in_use() {
                Some(name) => plugin::open(&name, &place.plugin_dirs)?,
                None => return Ok(Backends { links, firewall: first_firewall(place).await? }),
            },
        };
        usable(&firewall).await?;
        Ok(Backends { links, firewall })
    }
}

/// The first firewall backend that can work here.
async fn first_firewall(place: &Place) -> Result<Plugin, Failure> {
    let there: Vec<_> = plugin::find(&place.plugin_dirs)?.into_iter().map(|plugin| plugin.name).collect();
    let mut refusals = Vec::new();
    for name in FIREWALLS.into_iter().filter(|name| there.iter().any(|found| found == name)) {
        let firewall = plugin::open(name, &place.plugin_dirs)?;
        match usable(&firewall).await {
            Ok(()) => return Ok(firewall),
            Err(failure) => refusals.push(failure),
        }
    }
    if refusals.is_empty() {
        let message = "there is no firewall backend";
        return Err(Failure::new(Kind::NotFound, "network", "backend", "--net", message)
            .hint("see what is there with: jail backends"));
    }
    let message = refusals.iter().map(|refusal| &*refusal.message).collect::<Vec<_>>().join(", ");
    let hint = refusals.iter().map(|refusal| &*refusal.hint).collect::<Vec<_>>().join(", or ");
    Err(Failure::new(Kind::Unsupported, "network", "probe", "--net", message).hint(hint))
}

/// The failure for a name that none of these link backends can put a jail on.
fn no_network(name: &str, interface: &str, tried: &[String], store: &Store) -> Failure {
    let object = format!("--net={name}");
    if host::has_interface(interface) {
        let message =
            format!("{object}: the backend {} puts no jail on the interface {interface}", tried.join(" or "));
        return Failure::new(Kind::Invalid, "network", "resolve", object, message)
            .hint("leave the link backend away, and the one that fits is taken");
    }
    let message = format!("{object}: there is no network, bridge or interface of that name");
    let fits = store::refuses(name).is_none() && name.len() <= 15;
    let near = near(name, store).map_or_else(String::new, |near| format!("did you mean {near}? or "));
    let hint = match free::subnet(store).filter(|_| fits) {
        Some(subnet) => {
            format!("{near}make it with: jail net create {name} --subnet={subnet} --bridge={name}")
        }
        None => format!("{near}see the networks with: jail net list"),
    };
    Failure::new(Kind::NotFound, "network", "resolve", object, message).hint(hint)
}

/// What `--net` could have been meant to name. The loopback interface is nobody's network.
fn near(name: &str, store: &Store) -> Option<String> {
    let networks = store.list().unwrap_or_default().into_iter();
    let names = networks.flat_map(|network| [network.name.clone(), network.interface().to_owned()]);
    let interfaces = host::names().unwrap_or_default().into_iter().filter(|interface| interface != "lo");
    let known: Vec<String> = names.chain(interfaces).chain(["none", "host"].map(str::to_owned)).collect();
    nearest(name, known.iter().map(String::as_str)).map(str::to_owned)
}

/// Refuses a backend that is not there, also for a jail that has no network to use it for.
pub(crate) fn refuse_unknown(names: &[String], place: &Place) -> Result<(), Failure> {
    if names.is_empty() { Ok(()) } else { Choice::load(names, place).map(|_| ()) }
}

/// The firewall that jails of this machine use, as far as the caller may know.
fn in_use() -> Option<String> {
    let firewalls = Machine::look().firewalls().unwrap_or_default();
    firewalls.iter().find_map(|(_, plugin)| name_of(plugin.as_deref()?))
}

/// The backend's name in a plugin's file name.
fn name_of(plugin: &Path) -> Option<String> {
    Some(plugin.file_stem()?.to_str()?.strip_prefix("libjail_")?.to_owned())
}

/// Refuses a firewall while a jail of this machine has its rules by another: each would take the other's jails for
/// strangers, or for machines of the LAN. A dead one's rules are in the way too: what it published would lead to the next
/// jail that has its address.
pub(super) fn refuse_another(ours: &PluginRef, machine: &Machine, place: &Place) -> Result<(), Failure> {
    let all = machine.all_networked()?;
    let by_another = all.iter().filter_map(|jail| {
        let theirs = jail.plugins.last().filter(|theirs| theirs.file_name() != ours.path.file_name())?;
        Some((jail, name_of(theirs).unwrap_or_else(|| theirs.display().to_string())))
    });
    let Some((jail, theirs)) = by_another.max_by_key(|(jail, _)| jail.alive) else { return Ok(()) };
    let object = format!("--backend={}", ours.name);
    let one = "one host has one firewall for jails";
    let (message, hint) = if jail.alive {
        let known = place.registry().living()?.into_iter().find(|known| *known.id() == jail.id);
        let name = known.map_or_else(|| jail.id.to_string(), |known| known.plan.name);
        (
            format!("{object}: the jail {name} has its rules by {theirs}, and {one}"),
            format!("leave the option out, or stop that jail first: jail stop {name}"),
        )
    } else {
        (
            format!("{object}: the dead jail {} may have left rules by {theirs}, and {one}", jail.id),
            "see why they are still there with: jail gc".to_owned(),
        )
    };
    Err(Failure::new(Kind::Conflict, "network", "backend", object, message).hint(hint))
}

/// Refuses a plugin that cannot work on this host.
async fn usable(plugin: &Plugin) -> Result<(), Failure> {
    match plugin.probe().await? {
        Support::Yes => Ok(()),
        Support::No { reason, hint } => {
            let object = format!("--backend={}", plugin.describe().name);
            let message = format!("{object} cannot work on this host: {reason}");
            Err(Failure::new(Kind::Unsupported, "network", "probe", object, message).hint(hint))
        }
    }
}

/// Every backend that is found, with what it says of itself and of this host.
///
/// # Errors
/// A plugin directory that cannot be read.
pub async fn backends(place: &Place) -> Result<Vec<Found>, Failure> {
    plugin::survey(&place.plugin_dirs).await
}

/// What the plan keeps of a loaded plugin.
pub(super) fn reference(plugin: &Plugin) -> PluginRef {
    PluginRef { name: plugin.describe().name, path: plugin.path().to_owned() }
}
