//! `detach` and `gc`: elements go in one transaction, and only while they are still the jail's.

use jail_firewall::plan::read;
use jail_firewall::{Lock, Place};
use jail_net::backend::{Detach, Failure, Reaped, Undo};
use jail_net::model::JailId;

use crate::plan::Elements;
use crate::{LOCK, NAME, tables};

pub(crate) fn detach(place: &Place, jail: &JailId, undo: Option<&Undo>, how: Detach) -> Result<(), Failure> {
    let lock = Lock::exclusive(&place.run, LOCK)?;
    if how.last {
        return tables(place).remove_all(&lock).map(|_| ());
    }
    // What the jail's own start still has under way has come by now; those that start meanwhile need not wait for us.
    drop(lock);
    let undo = undo.map(|undo| read::<Elements>(NAME, &undo.0)).transpose()?;
    tables(place).remove_jail(jail, undo.as_ref().map(|undo| undo.entries.as_slice()))
}

pub(crate) fn gc(place: &Place, alive: &[JailId]) -> Result<Reaped, Failure> {
    let lock = Lock::exclusive(&place.run, LOCK)?;
    if alive.is_empty() {
        return Ok(Reaped { removed: tables(place).remove_all(&lock)? });
    }
    drop(lock);
    Ok(Reaped { removed: tables(place).remove_dead(alive)? })
}
