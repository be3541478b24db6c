//! `detach` and `gc`: elements go in one transaction, and only while they are still the jail's.

use std::collections::BTreeMap;

use jail_net::backend::{Detach, Failure, Reaped, Undo};
use jail_net::model::JailId;

use crate::entry::{self, Entry};
use crate::listing::{self, Owned};
use crate::lock::Lock;
use crate::plan::Elements;
use crate::rule;
use crate::run::{self, Trouble, Until};
use crate::skeleton;

pub(crate) fn detach(jail: &JailId, undo: Option<&Undo>, how: Detach) -> Result<(), Failure> {
    if how.last {
        return remove_tables().map(drop);
    }
    // What the jail's own start still has under way must not come after us.
    drop(Lock::to_remove()?);
    if let Some(undo) = undo {
        match remove(&Elements::read(undo)?.entries) {
            // Some key is another jail's by now: what is left of ours is found by its comment.
            Err(Trouble::Exists) => {}
            result => return settle(result),
        }
    }
    let left = listing::entries()?.into_iter().filter(|found| found.jail == *jail);
    settle(remove(&left.map(|found| found.entry).collect::<Vec<_>>()))
}

pub(crate) fn gc(alive: &[JailId]) -> Result<Reaped, Failure> {
    if alive.is_empty() {
        return Ok(Reaped { removed: remove_tables()? });
    }
    drop(Lock::to_remove()?);
    let dead = listing::entries()?.into_iter().filter(|found| !alive.contains(&found.jail));
    let mut of_jail: BTreeMap<JailId, Vec<Entry>> = BTreeMap::new();
    for Owned { entry, jail } in dead {
        of_jail.entry(jail).or_default().push(entry);
    }
    match remove(&of_jail.values().flatten().cloned().collect::<Vec<_>>()) {
        // Some key became a living jail's since the look: what is all right goes jail by jail.
        Err(Trouble::Exists) => {
            for entries in of_jail.values() {
                settle(remove(entries))?;
            }
        }
        result => settle(result)?,
    }
    let words =
        |(jail, entries): (&JailId, &Vec<Entry>)| format!("{} nft elements of jail {jail}", entries.len());
    Ok(Reaped { removed: of_jail.iter().map(words).collect() })
}

/// Removes the elements that are there, of the tables that are there.
fn remove(entries: &[Entry]) -> Result<(), Trouble> {
    if entries.is_empty() {
        return Ok(());
    }
    match run::apply(entry::remove(entries), Until::Commit) {
        Err(Trouble::Missing) => remove_from_one_table(entries),
        result => result,
    }
}

/// When somebody has removed one of the tables, or both.
fn remove_from_one_table(entries: &[Entry]) -> Result<(), Trouble> {
    for family in skeleton::FAMILIES {
        let of_family: Vec<_> = entries.iter().filter(|entry| entry.family == family).cloned().collect();
        if !of_family.is_empty() && skeleton::is_there(family).map_err(Trouble::Other)? {
            run::apply(entry::remove(&of_family), Until::Commit)?;
        }
    }
    Ok(())
}

/// No table, no elements: somebody flushed the rules, or there never were any.
fn settle(result: Result<(), Trouble>) -> Result<(), Failure> {
    match result {
        Ok(()) | Err(Trouble::Missing) => Ok(()),
        Err(trouble) => Err(trouble.failure()),
    }
}

/// Removes both tables, and none of our name that is somebody else's; says which there were. If we are killed, no jail starts before nft is through with it.
fn remove_tables() -> Result<Vec<String>, Failure> {
    let lock = Lock::to_remove()?;
    let mut removed = Vec::new();
    let mut commands = Vec::new();
    for family in skeleton::FAMILIES {
        if skeleton::is_ours(family)? {
            commands.extend(rule::remove_table(family));
            removed.push(format!("table {} {}", skeleton::word(family), rule::TABLE));
        }
    }
    if !commands.is_empty() {
        run::apply_holding(&lock, commands).map_err(Trouble::failure)?;
    }
    Ok(removed)
}
