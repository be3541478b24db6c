//! Undoing dead jails: those whose supervisor is gone, and what no journal tells of.

use jail_sys::Failure;
use jail_sys::call::process;
use jail_sys::lease::Lease;
use std::os::fd::AsFd;

use crate::journal::Journal;
use crate::machine::Machine;
use crate::network::{sweep, withdraw};
use crate::place::Place;
use crate::registry::{Claim, Home};
use crate::status::{Status, namespace};
use crate::supervise::ended;

/// Undoes every dead jail of this state directory; answers how many.
///
/// # Errors
/// What could not be undone.
pub(crate) async fn dead(place: &Place) -> Result<usize, Failure> {
    let machine = Machine::open()?;
    Ok(reap(place, &machine).await?.len())
}

/// Undoes every dead jail of this state directory, and sweeps the machine of what belongs to no living one.
/// Answers what was removed, in words.
///
/// # Errors
/// What could not be undone.
pub async fn gc(place: &Place) -> Result<Vec<String>, Failure> {
    let machine = Machine::open()?;
    let mut removed = reap(place, &machine).await?;
    removed.extend(sweep(&machine, &place.plugin_dirs).await?);
    Ok(removed)
}

async fn reap(place: &Place, machine: &Machine) -> Result<Vec<String>, Failure> {
    let registry = place.registry();
    let mut reaped = Vec::new();
    for name in registry.names()? {
        if registry.home(&name).is_alive()? {
            continue;
        }
        if let Claim::Dead(home, lock) = registry.claim(&name)? {
            one(&home, lock, machine).await?;
            reaped.push(format!("jail {name}"));
        }
    }
    Ok(reaped)
}

/// Undoes one dead jail, whose lock we hold now.
pub(crate) async fn one(home: &Home, lock: Lease, machine: &Machine) -> Result<(), Failure> {
    if let Some(status) = home.status()? {
        end(&status).await?;
    }
    if let Some(plan) = home.plan()? {
        withdraw(&Journal::read(&home.journal())?, &plan.id, machine, false).await?;
    }
    home.remove()?;
    drop(lock);
    Ok(())
}

/// Its first process ends itself when the supervisor does; what it took with it may still be on the way out.
async fn end(status: &Status) -> Result<(), Failure> {
    let Ok(init) = process::open(status.pid) else { return Ok(()) };
    // The number may be somebody else's by now: only then does it stand for another pid namespace.
    if namespace(status.pid, "pid") != status.namespaces.get("pid").copied() {
        return Ok(());
    }
    // It is gone already if this fails.
    let _ = process::send_signal(init.as_fd(), libc::SIGKILL);
    ended(&init).await
}
