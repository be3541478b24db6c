//! Taking back what a jail's network gave the host, by whoever ends it: its supervisor, or who finds it dead.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jail_net::backend::{Backend, Description, Detach, Role, Support, Undo};
use jail_net::forwarding;
use jail_net::model::JailId;
use jail_net::plugin::{self, Plugin};
use jail_sys::{Failure, Kind};

use super::backends::USUAL;
use crate::journal::Entry;
use crate::machine::{Machine, NetworkLock, Networked, give_back};

/// Whose journal is undone, and by whom.
pub(crate) struct Undoing<'a> {
    pub(crate) id: &'a JailId,
    pub(crate) machine: &'a Machine,
    /// Where a plugin is looked for that is no longer where the journal says.
    pub(crate) plugin_dirs: &'a [PathBuf],
    /// This process, or the one it was before, holds the jail's locks; otherwise nobody does.
    pub(crate) ours: bool,
}

impl Undoing<'_> {
    /// Undoes the entries, the last first. With the last jail of the machine, or of a firewall, goes what all of them
    /// shared. Goes on after a failure, and answers the first.
    pub(crate) async fn all(&self, entries: &[Entry]) -> Result<(), Failure> {
        let networked = entries.iter().any(|entry| matches!(entry, Entry::Networked { .. }));
        let lock = if networked { Some(self.machine.network_lock()?) } else { None };
        let others = match &lock {
            Some(lock) => Remaining::of(lock, self.id, self.machine, entries).await?,
            None => Remaining { any: true, of_the_firewall: true },
        };
        // Before the rules go: without them the host would be a router for everybody.
        let restored =
            if others.any { Ok(()) } else { forwarding::restore(&self.machine.forwarding()).map(drop) };
        let mut result = restored;
        for entry in entries.iter().rev() {
            let undone = match entry {
                Entry::Attachment { role, plugin, undo } => {
                    self.detach(*role, plugin, undo, !others.of_the_firewall).await
                }
                // A dead jail's processes may not all be gone: who gives back its uid range looks at that first.
                Entry::Lease { path } if !self.ours && path.starts_with(self.machine.uids()) => {
                    jail_ns::range::collect(&self.machine.uids())
                }
                Entry::Lease { path } => give_back(path, self.id, self.ours),
                // While something of it is left, this keeps another firewall's jails from being reached by it.
                Entry::Networked { .. } if result.is_err() => Ok(()),
                Entry::Networked { path } => give_back(path, self.id, self.ours),
            };
            result = result.and(undone);
        }
        result
    }

    async fn detach(&self, role: Role, plugin: &Path, undo: &Undo, last: bool) -> Result<(), Failure> {
        // A link goes with its network namespace, in the background. A dead jail's should have gone.
        let how = Detach { wait: !self.ours, last: last && role == Role::Firewall };
        load(plugin, self.plugin_dirs)?.detach(self.id, Some(undo), how).await
    }
}

/// Whether there are other living jails that use the network.
struct Remaining {
    any: bool,
    /// By the same firewall. One of another firewall is there only beside a dead one: see
    /// [`refuse_another`](super::backends::refuse_another).
    of_the_firewall: bool,
}

impl Remaining {
    /// Answers under the lock that keeps it so: exclusive for the last jail, shared for any other.
    async fn of(
        lock: &NetworkLock,
        id: &JailId,
        machine: &Machine,
        entries: &[Entry],
    ) -> Result<Self, Failure> {
        lock.exclusive().await?;
        let ours = entries.iter().find_map(|entry| match entry {
            Entry::Attachment { role: Role::Firewall, plugin, .. } => Some(plugin),
            _ => None,
        });
        let alive = machine.firewalls()?;
        let others = || alive.iter().filter(|(other, _)| other != id);
        let same = |theirs: &Option<PathBuf>| match (ours, theirs) {
            (Some(ours), Some(theirs)) => ours.file_name() == theirs.file_name(),
            _ => true, // as far as can be told
        };
        let (any, of_the_firewall) = (others().next().is_some(), others().any(|(_, theirs)| same(theirs)));
        if of_the_firewall {
            lock.shared().await?;
        }
        Ok(Remaining { any, of_the_firewall })
    }
}

/// The plugin, or where it is gone the one of the same file name in the plugin directories.
fn load(plugin: &Path, plugin_dirs: &[PathBuf]) -> Result<Plugin, Failure> {
    if plugin.exists() {
        return plugin::load(plugin);
    }
    let mut found = plugin::find(plugin_dirs)?.into_iter();
    let found = found.find(|found| found.path.file_name() == plugin.file_name());
    plugin::load(found.as_ref().map_or(plugin, |found| &found.path))
}

/// Removes whatever belongs to no living jail of the machine, by name: for what no journal tells of. Answers it in
/// words. Goes on after a failure, and answers the first.
pub(crate) async fn sweep(machine: &Machine, plugin_dirs: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let lock = machine.network_lock()?;
    lock.exclusive().await?;
    let (alive, dead): (Vec<_>, Vec<_>) = machine.all_networked()?.into_iter().partition(|jail| jail.alive);
    let mut removed = Vec::new();
    let mut result = Ok(());
    // Before the rules go, as in Undoing::all.
    if alive.is_empty() {
        match forwarding::restore(&machine.forwarding()) {
            Ok(back) => {
                removed.extend(
                    back.into_iter().map(|change| format!("{} is {} again", change.path, change.was)),
                );
            }
            Err(failure) => result = result.and(Err(failure)),
        }
    }
    for plugin in plugins(alive.iter().chain(&dead), plugin_dirs)? {
        let may_have_left = dead.iter().any(|jail| jail.has_by(&plugin));
        match collect(&plugin, plugin_dirs, &alive, may_have_left).await {
            Ok(words) => removed.extend(words),
            Err(failure) => result = result.and(Err(failure)),
        }
    }
    let leases = [machine.sweep(&machine.addresses()), machine.sweep(&machine.macs())];
    for swept in leases.into_iter().chain([jail_ns::range::collect(&machine.uids())]) {
        result = result.and(swept);
    }
    // Last: where something failed, they say to whoever tries again by which plugins it was made.
    result.and_then(|()| machine.sweep(&machine.dir_networked())).map(|()| removed)
}

/// What a plugin removes with these jails alive. A firewall knows only of jails that have their rules by it: with none of
/// them goes what it made for all. One that cannot work here any more has nothing to remove, unless a dead jail may have
/// left something by it.
async fn collect(
    plugin: &Path,
    plugin_dirs: &[PathBuf],
    alive: &[Networked],
    may_have_left: bool,
) -> Result<Vec<String>, Failure> {
    let loaded = load(plugin, plugin_dirs)?;
    let Description { name, role, .. } = loaded.describe();
    match loaded.probe().await? {
        Support::Yes => {}
        Support::No { reason, hint } if may_have_left => {
            let message = format!("what a dead jail may have left by {name} cannot be removed: {reason}");
            return Err(Failure::new(Kind::Unsupported, "network", "gc", name, message).hint(hint));
        }
        Support::No { .. } => return Ok(Vec::new()),
    }
    let counts =
        alive.iter().filter(|jail| role == Role::Link || jail.plugins.is_empty() || jail.has_by(plugin));
    let counts: Vec<_> = counts.map(|jail| jail.id.clone()).collect();
    Ok(loaded.gc(&counts).await?.removed)
}

/// The plugins that may have given the machine something: those that are used unless another is named, and those that
/// jails were given their network by. No other is loaded: it would run with our rights for nothing.
fn plugins<'a>(
    jails: impl Iterator<Item = &'a Networked>,
    plugin_dirs: &[PathBuf],
) -> Result<BTreeSet<PathBuf>, Failure> {
    let found = plugin::find(plugin_dirs)?.into_iter();
    let usual = found.filter(|found| USUAL.contains(&found.name.as_str())).map(|found| found.path);
    Ok(usual.chain(jails.flat_map(|jail| &jail.plugins).cloned()).collect())
}
