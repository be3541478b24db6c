//! `attach`: the jail's elements on the host and its own tables inside, at the same time; all or nothing.

use std::os::fd::BorrowedFd;

use jail_firewall::nft::rule;
use jail_firewall::nft::run::{self, Trouble};
use jail_firewall::{Lock, Place};
use jail_net::backend::Failure;

use crate::plan::Work;
use crate::{LOCK, TABLE, tables};

pub(crate) fn attach(place: &Place, work: &Work, netns: BorrowedFd<'_>) -> Result<(), Failure> {
    let (host, inner) = std::thread::scope(|scope| {
        let inner = scope.spawn(|| apply_inside(place, work, netns));
        let host = apply_on_host(place, work);
        (host, inner.join())
    });
    let inner = inner.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    match (host, inner) {
        (Ok(()), Ok(())) => Ok(()),
        (Ok(()), Err(failure)) if work.is_inside_only() => Err(failure),
        // Why it failed is the one to tell. What then stays goes with the undo in the journal, and with the namespace.
        (Ok(()), Err(failure)) => {
            let _ = tables(place).remove(&work.entries);
            Err(failure)
        }
        (Err(failure), Ok(())) => {
            let made = [&*work.inner.objects, &*work.frames.commands].concat();
            let remove = rule::families(&made).flat_map(|family| rule::remove_table(family, TABLE));
            let _ = run::apply_in(place, netns, remove.collect());
            Err(failure)
        }
        (Err(failure), Err(_)) => Err(failure),
    }
}

/// The jail's tables in one transaction; without the one for frames where the kernel lacks it and it may be done without.
fn apply_inside(place: &Place, work: &Work, netns: BorrowedFd<'_>) -> Result<(), Failure> {
    let all = [&*work.inner.objects, &*work.frames.commands].concat();
    let Err(trouble) = run::apply_in(place, netns, all) else { return Ok(()) };
    work.frames.do_without(trouble.failure())?;
    run::apply_in(place, netns, work.inner.objects.to_vec()).map_err(Trouble::failure)
}

fn apply_on_host(place: &Place, work: &Work) -> Result<(), Failure> {
    if work.is_inside_only() {
        return Ok(());
    }
    let lock = Lock::shared(&place.run, LOCK)?;
    tables(place).add(&lock, &work.entries, &work.shared, &work.comment)
}
