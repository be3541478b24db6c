//! Taking back what a jail's network gave the host, by whoever ends it: its supervisor, or who finds it dead.

use std::path::Path;

use jail_net::backend::{Backend, Detach, Role, Undo};
use jail_net::forwarding;
use jail_net::model::JailId;
use jail_net::plugin;
use jail_sys::Failure;

use crate::journal::Entry;
use crate::machine::{Machine, NetworkLock, give_back};

/// Undoes one jail's journal, the last entry first. With the last jail of the machine goes what all of them shared.
/// Goes on after a failure, and answers the first.
pub(crate) async fn withdraw(
    entries: &[Entry],
    id: &JailId,
    machine: &Machine,
    ours: bool,
) -> Result<(), Failure> {
    let networked = entries.iter().any(|entry| matches!(entry, Entry::Networked { .. }));
    let lock = if networked { Some(machine.network_lock()?) } else { None };
    let last = match &lock {
        Some(lock) => is_last(lock, id, machine).await?,
        None => false,
    };
    let mut result = Ok(());
    for entry in entries.iter().rev() {
        let undone = match entry {
            Entry::Attachment { role, plugin, undo } => detach(*role, plugin, id, undo, last).await,
            // A dead jail's processes may not all be gone: who gives back its uid range looks at that first.
            Entry::Lease { path } if !ours && path.starts_with(machine.uids()) => {
                jail_ns::range::collect(&machine.uids())
            }
            Entry::Lease { path } => give_back(path, id, ours),
            Entry::Networked { path } => leave(path, id, machine, ours, last),
        };
        result = result.and(undone);
    }
    result
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

async fn detach(role: Role, plugin: &Path, id: &JailId, undo: &Undo, last: bool) -> Result<(), Failure> {
    // A link goes with its network namespace, in the background; who must see it gone waits for that itself.
    let how = Detach { wait: false, last: last && role == Role::Firewall };
    plugin::load(plugin)?.detach(id, Some(undo), how).await
}

fn leave(path: &Path, id: &JailId, machine: &Machine, ours: bool, last: bool) -> Result<(), Failure> {
    let restored = if last { forwarding::restore(&machine.forwarding()).map(|_| ()) } else { Ok(()) };
    restored.and(give_back(path, id, ours))
}

/// Removes whatever belongs to no living jail of the machine, by name: for what no journal tells of. Answers it in words.
pub(crate) async fn sweep(
    machine: &Machine,
    plugin_dirs: &[std::path::PathBuf],
) -> Result<Vec<String>, Failure> {
    let lock = machine.network_lock()?;
    lock.exclusive().await?;
    let alive = machine.alive()?;
    let mut removed = Vec::new();
    for found in plugin::survey(plugin_dirs).await? {
        if let Ok((_, jail_net::backend::Support::Yes)) = found.result {
            removed.extend(plugin::load(&found.path)?.gc(&alive).await?.removed);
        }
    }
    if alive.is_empty() {
        let restored = forwarding::restore(&machine.forwarding())?;
        removed.extend(restored.into_iter().map(|change| format!("{} is {} again", change.path, change.was)));
    }
    machine.sweep(&machine.addresses())?;
    machine.sweep(&machine.dir_networked())?;
    jail_ns::range::collect(&machine.uids())?;
    Ok(removed)
}
