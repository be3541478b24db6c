//! `detach` and `gc`: elements go in one transaction, and only while they are still the jail's.

use jail_firewall::plan::read;
use jail_firewall::{Lock, Place};
use jail_net::backend::{Detach, Failure, Reaped, Undo};
use jail_net::model::JailId;

use crate::plan::Elements;
use crate::{LOCK, NAME, tables};

pub(crate) fn detach(place: &Place, jail: &JailId, undo: Option<&Undo>, how: Detach) -> Result<(), Failure> {
    let lock = Lock::removing(&place.run, LOCK)?;
    let undo = undo.map(|undo| read::<Elements>(NAME, &undo.0)).transpose();
    let known = |undo: &Option<Elements>| undo.as_ref().map(|undo| undo.entries.clone());
    if how.last {
        return tables(place).remove_all(&lock, undo.ok().as_ref().and_then(known).as_deref()).map(drop);
    }
    // What the jail's own start still has under way has come by now; those that start meanwhile need not wait for us.
    drop(lock);
    tables(place).remove_jail(jail, known(&undo?).as_deref())
}

pub(crate) fn gc(place: &Place, alive: &[JailId]) -> Result<Reaped, Failure> {
    let lock = Lock::removing(&place.run, LOCK)?;
    if alive.is_empty() {
        return Ok(Reaped { removed: tables(place).remove_all(&lock, None)? });
    }
    drop(lock);
    Ok(Reaped { removed: tables(place).remove_dead(alive)? })
}
