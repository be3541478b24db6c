//! Choosing and loading the two backends of a jail: one that makes its links, one for the host's firewall.

use std::path::{Path, PathBuf};

use jail_net::backend::{Backend, Role, Support};
use jail_net::plugin::{self, Found, Plugin};
use jail_sys::{Failure, Kind};
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::place::Place;

/// The link backend when none is named.
const LINK: &str = "bridge";

/// Firewalls in the order they are tried when no running jail decides.
const FIREWALLS: [&str; 2] = ["nft", "iptables"];

/// Every backend that a jail may have without naming it.
pub(super) const USUAL: [&str; 3] = [LINK, FIREWALLS[0], FIREWALLS[1]];

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
    pub(crate) link: Plugin,
    pub(crate) firewall: Plugin,
}

/// The backends named with `--backend`, loaded and told apart by role.
#[derive(Debug, Default)]
pub(super) struct Named {
    link: Option<Plugin>,
    firewall: Option<Plugin>,
}

impl Named {
    /// Loads the plugins of these names.
    pub(super) fn load(names: &[String], place: &Place) -> Result<Self, Failure> {
        let mut named = Named::default();
        for name in names {
            let plugin = plugin::open(name, &place.plugin_dirs)?;
            let slot = match plugin.describe().role {
                Role::Link => &mut named.link,
                Role::Firewall => &mut named.firewall,
            };
            if let Some(other) = slot.replace(plugin) {
                let object = format!("--backend={}", names.join(","));
                let message = format!("{object}: {} and {name} have the same role", other.describe().name);
                return Err(Failure::new(Kind::Usage, "network", "backend", object, message)
                    .hint("name at most one link and one firewall backend"));
            }
        }
        Ok(named)
    }

    /// The link backend: the one named, else the bridge's.
    pub(super) async fn link(&mut self, place: &Place) -> Result<Plugin, Failure> {
        match self.link.take() {
            Some(link) => usable(link).await,
            None => usable(plugin::open(LINK, &place.plugin_dirs)?).await,
        }
    }

    /// The firewall backend: the one named, else the one running jails use, else the first that can work here.
    pub(super) async fn firewall(self, place: &Place) -> Result<Plugin, Failure> {
        if let Some(firewall) = self.firewall {
            return usable(firewall).await;
        }
        if let Some(name) = in_use() {
            return usable(plugin::open(&name, &place.plugin_dirs)?).await;
        }
        let there: Vec<_> = plugin::find(&place.plugin_dirs)?.into_iter().map(|plugin| plugin.name).collect();
        let mut refusal = None;
        for name in FIREWALLS.into_iter().filter(|name| there.iter().any(|found| found == name)) {
            match usable(plugin::open(name, &place.plugin_dirs)?).await {
                Ok(firewall) => return Ok(firewall),
                Err(failure) => refusal = refusal.or(Some(failure)),
            }
        }
        Err(refusal.unwrap_or_else(|| {
            Failure::new(Kind::NotFound, "network", "backend", "--net", "there is no firewall backend")
                .hint("see what is there with: jail backends")
        }))
    }
}

/// Refuses a backend that is not there, also for a jail that has no network to use it for.
pub(crate) fn refuse_unknown(names: &[String], place: &Place) -> Result<(), Failure> {
    if names.is_empty() { Ok(()) } else { Named::load(names, place).map(|_| ()) }
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
/// strangers, or for machines of the LAN.
pub(super) fn refuse_another(ours: &PluginRef, machine: &Machine, place: &Place) -> Result<(), Failure> {
    let told = machine.firewalls()?.into_iter().filter_map(|(id, theirs)| Some((id, theirs?)));
    let mut others = told.filter(|(_, theirs)| theirs.file_name() != ours.path.file_name());
    let Some((id, theirs)) = others.next() else { return Ok(()) };
    let jails = place.registry().living()?;
    let jail =
        jails.into_iter().find(|jail| *jail.id() == id).map_or_else(|| id.to_string(), |jail| jail.plan.name);
    let object = format!("--backend={}", ours.name);
    let theirs = name_of(&theirs).unwrap_or_else(|| theirs.display().to_string());
    let message = format!(
        "{object}: the jail {jail} has its rules by {theirs}, and one host has one firewall for jails"
    );
    Err(Failure::new(Kind::Conflict, "network", "backend", object, message)
        .hint(format!("leave the option out, or stop that jail first: jail stop {jail}")))
}

/// The plugin, if it can work on this host.
async fn usable(plugin: Plugin) -> Result<Plugin, Failure> {
    match plugin.probe().await? {
        Support::Yes => Ok(plugin),
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
