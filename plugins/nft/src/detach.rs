//! `detach` and `gc`: elements go in one transaction, and only while they are still the jail's.

use std::collections::BTreeMap;

use jail_net::backend::{Detach, Failure, Reaped, Undo};
use jail_net::model::JailId;

use crate::elements::{self, Entry};
use crate::listing::{self, Owned};
use crate::plan::Elements;
use crate::rule;
use crate::run::{self, Trouble, Until};
use crate::skeleton;

pub(crate) fn detach(jail: &JailId, undo: Option<&Undo>, how: Detach) -> Result<(), Failure> {
    if how.last {
        return remove_tables().map(drop);
    }
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
    let dead = listing::entries()?.into_iter().filter(|found| !alive.contains(&found.jail));
    let mut of_jail: BTreeMap<JailId, Vec<Entry>> = BTreeMap::new();
    for Owned { entry, jail } in dead {
        of_jail.entry(jail).or_default().push(entry);
    }
    let mut removed = Vec::new();
    for (jail, entries) in of_jail {
        settle(remove(&entries))?;
        removed.push(format!("{} nft elements of jail {jail}", entries.len()));
    }
    Ok(Reaped { removed })
}

fn remove(entries: &[Entry]) -> Result<(), Trouble> {
    let mut there = Vec::new();
    for family in skeleton::FAMILIES {
        if skeleton::is_there(family).map_err(Trouble::Other)? {
            there.push(family);
        }
    }
    let entries: Vec<_> = entries.iter().filter(|entry| there.contains(&entry.family)).cloned().collect();
    if entries.is_empty() {
        return Ok(());
    }
    run::apply(elements::remove(&entries), Until::Commit)
}

/// No table, no elements: somebody flushed the rules, or there never were any.
fn settle(result: Result<(), Trouble>) -> Result<(), Failure> {
    match result {
        Ok(()) | Err(Trouble::Missing) => Ok(()),
        Err(trouble) => Err(trouble.failure()),
    }
}

/// Removes both tables; says which there were.
fn remove_tables() -> Result<Vec<String>, Failure> {
    let mut removed = Vec::new();
    let mut commands = Vec::new();
    for family in skeleton::FAMILIES {
        if skeleton::is_there(family)? {
            commands.extend(rule::remove_table(family));
            removed.push(format!("table {} {}", skeleton::word(family), rule::TABLE));
        }
    }
    if !commands.is_empty() {
        run::apply(commands, Until::Commit).map_err(Trouble::failure)?;
    }
    Ok(removed)
}
