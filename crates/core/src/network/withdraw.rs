//! Taking back what a jail's network gave the host, by whoever ends it: its supervisor, or who finds it dead.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jail_net::backend::{Backend, Detach, Role, Support, Undo};
use jail_net::forwarding;
use jail_net::model::JailId;
use jail_net::plugin::{self, Plugin};
use jail_sys::Failure;

use super::backends::USUAL;
use crate::journal::Entry;
use crate::machine::{Machine, NetworkLock, give_back};

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
    /// Undoes the entries, the last first. With the last jail of the machine goes what all of them shared. Goes on after
    /// a failure, and answers the first.
    pub(crate) async fn all(&self, entries: &[Entry]) -> Result<(), Failure> {
        let networked = entries.iter().any(|entry| matches!(entry, Entry::Networked { .. }));
        let lock = if networked { Some(self.machine.network_lock()?) } else { None };
        let last = match &lock {
            Some(lock) => is_last(lock, self.id, self.machine).await?,
            None => false,
        };
        let mut result = Ok(());
        for entry in entries.iter().rev() {
            let undone = match entry {
                Entry::Attachment { role, plugin, undo } => self.detach(*role, plugin, undo, last).await,
                // A dead jail's processes may not all be gone: who gives back its uid range looks at that first.
                Entry::Lease { path } if !self.ours && path.starts_with(self.machine.uids()) => {
                    jail_ns::range::collect(&self.machine.uids())
                }
                Entry::Lease { path } => give_back(path, self.id, self.ours),
                Entry::Networked { path } => self.leave(path, last),
            };
            result = result.and(undone);
        }
        result
    }

    async fn detach(&self, role: Role, plugin: &Path, undo: &Undo, last: bool) -> Result<(), Failure> {
        // A link goes with its network namespace, in the background; who must see it gone waits for that itself.
        let how = Detach { wait: false, last: last && role == Role::Firewall };
        load(plugin, self.plugin_dirs)?.detach(self.id, Some(undo), how).await
    }

    fn leave(&self, path: &Path, last: bool) -> Result<(), Failure> {
        let restored =
            if last { forwarding::restore(&self.machine.forwarding()).map(|_| ()) } else { Ok(()) };
        restored.and(give_back(path, self.id, self.ours))
    }
}

/// Whether no other jail uses the network. Answers under the lock that keeps it so: exclusive for the last one, shared
/// for any other.
async fn is_last(lock: &NetworkLock, id: &JailId, machine: &Machine) -> Result<bool, Failure> {
    lock.exclusive().await?;
    let last = machine.alive()?.iter().all(|other| other == id);
    if !last {
        lock.shared().await?;
    }
    Ok(last)
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
    let alive = machine.alive()?;
    let mut removed = Vec::new();
    let mut result = Ok(());
    for plugin in plugins(machine, plugin_dirs)? {
        match collect(&plugin, plugin_dirs, &alive).await {
            Ok(words) => removed.extend(words),
            Err(failure) => result = result.and(Err(failure)),
        }
    }
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
    for swept in [machine.sweep(&machine.addresses()), jail_ns::range::collect(&machine.uids())] {
        result = result.and(swept);
    }
    // Last: where something failed, they say to whoever tries again by which plugins it was made.
    result.and_then(|()| machine.sweep(&machine.dir_networked())).map(|()| removed)
}

async fn collect(plugin: &Path, plugin_dirs: &[PathBuf], alive: &[JailId]) -> Result<Vec<String>, Failure> {
    let plugin = load(plugin, plugin_dirs)?;
    match plugin.probe().await? {
        Support::Yes => plugin.gc(alive).await.map(|reaped| reaped.removed),
        Support::No { .. } => Ok(Vec::new()),
    }
}

/// The plugins that may have given the machine something: those that are used unless another is named, and those that
/// jails were given their network by. No other is loaded: it would run with our rights for nothing.
fn plugins(machine: &Machine, plugin_dirs: &[PathBuf]) -> Result<BTreeSet<PathBuf>, Failure> {
    let found = plugin::find(plugin_dirs)?.into_iter();
    let usual = found.filter(|found| USUAL.contains(&found.name.as_str())).map(|found| found.path);
    Ok(usual.chain(machine.plugins()?).collect())
}
