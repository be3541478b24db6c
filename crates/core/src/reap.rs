//! Undoing dead jails: those whose supervisor is gone, and what no journal tells of.

use jail_sys::Failure;
use jail_sys::call::process;
use jail_sys::lease::Lease;
use std::os::fd::AsFd;

use crate::caller::Caller;
use crate::journal::Journal;
use crate::machine::Machine;
use crate::network::{Undoing, sweep};
use crate::place::Place;
use crate::registry::{Claim, Home};
use crate::status::{Status, namespace};
use crate::supervise::ended;

/// Undoes every dead jail of this state directory; answers which, in words.
///
/// # Errors
/// What could not be undone.
pub(crate) async fn dead(place: &Place) -> Result<Vec<String>, Failure> {
    reap(place, &Machine::open()?).await
}

/// Undoes every dead jail of this state directory, and sweeps the machine of what belongs to no living one.
/// Answers what was removed, in words.
///
/// # Errors
/// What could not be undone.
pub async fn gc(place: &Place) -> Result<Vec<String>, Failure> {
    let machine = Machine::open()?;
    let reaped = reap(place, &machine).await;
    if !Caller::now().is_root() {
        return reaped;
    }
    let swept = sweep(&machine, &place.plugin_dirs).await?;
    Ok(reaped?.into_iter().chain(swept).collect())
}

/// One that cannot be undone does not keep the others; the first failure is told in the end.
async fn reap(place: &Place, machine: &Machine) -> Result<Vec<String>, Failure> {
    let mut reaped = Vec::new();
    let mut result = Ok(());
    for name in place.registry().names()? {
        match reap_named(place, machine, &name).await {
            Ok(words) => reaped.extend(words),
            Err(failure) => result = result.and(Err(failure)),
        }
    }
    result.map(|()| reaped)
}

/// Undoes the jail of this name if it is dead; answers it in words if it was.
async fn reap_named(place: &Place, machine: &Machine, name: &str) -> Result<Option<String>, Failure> {
    let registry = place.registry();
    if registry.home(name).is_alive()? {
        return Ok(None);
    }
    match registry.claim(name)? {
        Claim::Taken => Ok(None),
        // Nothing but a lock: its owner died before it was given anything.
        Claim::Ours(home, lock) => home.remove().map(|()| drop(lock)).map(|()| None),
        Claim::Dead(home, lock) => Ok(Some(match one(&home, lock, place, machine).await? {
            None => format!("jail {name}"),
            Some(why) => format!("jail {name}, by name: {}", why.message),
        })),
    }
}

/// Undoes one dead jail, whose lock we hold now. Where what it wrote of itself cannot be read, whatever belongs to no
/// living jail is removed by name, its own among that; then the answer is why.
pub(crate) async fn one(
    home: &Home,
    lock: Lease,
    place: &Place,
    machine: &Machine,
) -> Result<Option<Failure>, Failure> {
    // Without its status its processes end all the same: their lifeline has.
    let unread = match home.status() {
        Ok(status) => {
            end(status.as_ref()).await?;
            None
        }
        Err(failure) => Some(failure),
    };
    let unread = match (home.plan(), Journal::read(&home.journal())) {
        (Err(failure), _) | (_, Err(failure)) => Some(failure),
        (Ok(Some(plan)), Ok(entries)) => {
            let undo = Undoing { id: &plan.id, machine, plugin_dirs: &place.plugin_dirs, ours: false };
            undo.all(&entries).await?;
            unread
        }
        // It died before it was given anything.
        (Ok(None), Ok(_)) => unread,
    };
    if unread.is_some() && Caller::now().is_root() {
        sweep(machine, &place.plugin_dirs).await?;
    }
    home.remove()?;
    drop(lock);
    Ok(unread)
}

/// Its first process ends itself when the supervisor does; what it took with it may still be on the way out.
async fn end(status: Option<&Status>) -> Result<(), Failure> {
    let Some(status) = status else { return Ok(()) };
    let Ok(init) = process::open(status.pid) else { return Ok(()) };
    // The number may be somebody else's by now: only then does it stand for another pid namespace.
    if namespace(status.pid, "pid") != status.namespaces.get("pid").copied() {
        return Ok(());
    }
    // It is gone already if this fails.
    let _ = process::send_signal(init.as_fd(), libc::SIGKILL);
    ended(&init).await
}
