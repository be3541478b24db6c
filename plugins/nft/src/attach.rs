//! `attach`: the jail's elements on the host and its own table inside, at the same time; all or nothing.

use std::os::fd::BorrowedFd;

use jail_net::backend::{Failure, Kind};

use crate::entry::{self, Entry};
use crate::lock::Lock;
use crate::plan::Work;
use crate::rule::{self, Object};
use crate::run::{self, Trouble, Until};
use crate::{foreign, listing, skeleton};

pub(crate) fn attach(work: &Work, netns: BorrowedFd<'_>) -> Result<(), Failure> {
    let (host, inner) = std::thread::scope(|scope| {
        let inner = scope.spawn(|| apply_inside(work, netns));
        let host = apply_on_host(work);
        (host, inner.join())
    });
    let inner = inner.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    match (host, inner) {
        (Ok(()), Ok(())) => Ok(()),
        (Ok(()), Err(failure)) if work.is_inside_only() => Err(failure),
        // Why it failed is the one to tell. What then stays goes with the undo in the journal, and with the namespace.
        (Ok(()), Err(failure)) => {
            let _ = run::apply(entry::remove(&work.entries), Until::Commit);
            Err(failure)
        }
        (Err(failure), Ok(())) => {
            let made = [&*work.inner.objects, &*work.frames.objects].concat();
            let _ = run::apply_in(netns, rule::families(&made).flat_map(rule::remove_table).collect());
            Err(failure)
        }
        (Err(failure), Err(_)) => Err(failure),
    }
}

/// The jail's tables in one transaction; without the one for frames where the kernel lacks it and it may be done without.
fn apply_inside(work: &Work, netns: BorrowedFd<'_>) -> Result<(), Failure> {
    let all = [&*work.inner.objects, &*work.frames.objects].concat();
    let failure = match run::apply_in(netns, all) {
        Ok(()) => return Ok(()),
        Err(trouble) => trouble.failure(),
    };
    if failure.kind != Kind::Unsupported || work.frames.objects.is_empty() {
        return Err(failure);
    }
    if work.needs_frames {
        return Err(foreign::explain(failure));
    }
    run::apply_in(netns, work.inner.objects.to_vec()).map_err(Trouble::failure)
}

/// Adds the elements, and before them, in the same transaction, the tables that are missing.
///
/// Others may make the tables between our look and our transaction; the kernel then refuses it whole, and the next look
/// is newer. So it is with whose a key is.
fn apply_on_host(work: &Work) -> Result<(), Failure> {
    if work.is_inside_only() {
        return Ok(());
    }
    let mut elements = entry::add(&work.entries, &work.comment);
    elements.extend(entry::add(&work.shared, "shared by jails"));
    let lock = Lock::to_add()?;
    let mut last = Trouble::Missing;
    for _ in 0..4 {
        let tables = missing_tables()?;
        let none_missing = tables.is_empty();
        match run::apply_holding(&lock, [tables, elements.clone()].concat()) {
            Ok(()) => return Ok(()),
            Err(Trouble::Other(failure)) => return Err(failure),
            Err(trouble) => last = trouble,
        }
        refuse_strangers()?;
        if none_missing && let Some(conflict) = conflict(work)? {
            return Err(conflict);
        }
    }
    Err(last.failure().hint("remove table inet jail and table bridge jail if no jail runs"))
}

fn missing_tables() -> Result<Vec<Object>, Failure> {
    let mut tables = Vec::new();
    for family in skeleton::FAMILIES {
        if !skeleton::is_there(family)? {
            tables.extend(skeleton::table(family));
        }
    }
    Ok(tables)
}

/// A table of our name that is somebody else's has no place for our elements.
fn refuse_strangers() -> Result<(), Failure> {
    for family in skeleton::FAMILIES {
        if skeleton::is_there(family)? && !skeleton::is_ours(family)? {
            let table = format!("table {} {}", skeleton::word(family), rule::TABLE);
            let message = format!("{table} is there, and somebody else's: jail did not make it");
            return Err(Failure::new(Kind::Conflict, "network", "nft add element", table.as_str(), message)
                .hint(format!("give it another name, or remove it: nft delete {table}")));
        }
    }
    Ok(())
}

/// Which key is another jail's, if one still is. nft's own error does not say.
fn conflict(work: &Work) -> Result<Option<Failure>, Failure> {
    let theirs = listing::entries()?.into_iter().find_map(|found| {
        let clash = |ours: &&Entry| {
            ours.set == found.entry.set
                && found.entry.value != ours.value
                && ours.value.is_some()
                && entry::overlap(&ours.key, &found.entry.key)
        };
        work.entries.iter().find(clash).map(|ours| (entry::option(ours), found.jail))
    });
    Ok(theirs.map(|(object, jail)| {
        let message = format!("{object} is already jail {jail}'s");
        Failure::new(Kind::Conflict, "network", "nft add element", object, message)
            .hint("stop that jail, or choose another; jail gc removes what a dead one left")
    }))
}
