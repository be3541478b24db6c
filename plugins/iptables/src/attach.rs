//! `attach`: the jail's rules on the host, the elements beside them and its own rules inside, at the same time; all or
//! nothing by our own undo, for neither two tables nor two programs make one transaction.

use std::os::fd::BorrowedFd;
use std::thread;

use jail_firewall::nft::foreign::Frames;
use jail_firewall::nft::{run, taken};
use jail_firewall::reach::Version;
use jail_firewall::{Lock, Place};
use jail_net::backend::{Failure, Kind};
use jail_net::conntrack;

use crate::change;
use crate::detach::{self, Whose};
use crate::host::Rules;
use crate::plan::Work;
use crate::programs::{self, Programs};
use crate::saved::Saved;
use crate::{LOCK, claim, has_ipv6, inner, joined, made, tables};

pub(crate) fn attach(place: &Place, work: &Work, netns: BorrowedFd<'_>) -> Result<(), Failure> {
    let lock = Lock::exclusive(&place.run, LOCK)?;
    let result = thread::scope(|scope| {
        let inside = scope.spawn(|| apply_inside(place, work, netns));
        let ports = scope.spawn(|| match work.entries.is_empty() {
            true => Ok(()),
            false => tables(place).add(&lock, &work.entries, &[], &work.comment),
        });
        let v6 = scope.spawn(|| apply_on_host(place, work, Version::V6, &lock));
        let v4 = apply_on_host(place, work, Version::V4, &lock);
        let results = [v4, joined(v6), joined(ports), joined(inside)];
        results.into_iter().collect::<Result<(), _>>()
    });
    let Err(failure) = result.and_then(|()| conntrack::forget_older(&work.udp)) else { return Ok(()) };
    take_back(place, work, netns, &lock);
    Err(failure)
}

/// Takes back all of it, whichever part it was that failed. Why that failed is the one to tell: what then stays goes with
/// the undo in the journal, and with the namespace.
fn take_back(place: &Place, work: &Work, netns: BorrowedFd<'_>, lock: &Lock) {
    let _ = detach::rules(place, lock, &Whose::Jail(&work.jail), |_| false);
    if !work.entries.is_empty() {
        let _ = tables(place).remove_jail(&work.jail, None);
        let _ = tables(place).remove_unused(lock);
        let _ = run::apply_in(place, netns, work.frames.remove());
    }
    let _ = replace_inside(place, netns, [&inner::nothing(), &inner::nothing()]);
}

/// Adds the jail's rules of one IP version. The rules as they are may be changed by others between our look and our
/// change (not by jails: those wait for the lock). What is refused is taken back, for one table may have taken it, and
/// tried again with a newer look.
fn apply_on_host(place: &Place, work: &Work, version: Version, lock: &Lock) -> Result<(), Failure> {
    let (rules, shared) = work.of(version);
    if rules.is_empty() || !version_is_there(version) {
        return Ok(());
    }
    let programs = Programs::chosen(place, version);
    let once = || {
        let saved = programs.saved()?;
        refuse_strangers(&programs, rules, &saved)?;
        refuse_taken(work, rules, &saved)?;
        let missing = made::missing(&programs, rules)?;
        let document = change::add(&saved, version, rules, &shared, &missing);
        Ok::<_, Failure>(programs.apply(&document, lock))
    };
    match once()? {
        Err(failure) if !programs::is_busy(&failure) => {
            detach::rules_of(&programs, lock, &Whose::Jail(&work.jail)).map_err(|_| failure)?;
            once()?
        }
        result => result,
    }
}

/// Refuses to add to a chain of our name that is somebody else's.
fn refuse_strangers(programs: &Programs<'_>, rules: &Rules, saved: &Saved) -> Result<(), Failure> {
    let strangers = |table| Some((table, change::strangers(saved.table(table)?, table)?));
    let Some((table, chain)) = rules.keys().copied().find_map(strangers) else { return Ok(()) };
    let (table, name) = (table.as_str(), programs.name());
    let message =
        format!("{name}: the chain {chain} of the table {table} holds rules that jail did not make");
    Err(Failure::new(Kind::Conflict, "network", "attach", chain, message)
        .hint(format!("give it another name: {name} -t {table} -E {chain} ANOTHER")))
}

/// Refuses what another jail has already.
fn refuse_taken(work: &Work, rules: &Rules, saved: &Saved) -> Result<(), Failure> {
    let theirs = saved.rules().filter_map(|(_, rule)| Some((rule.jail()?, rule)));
    let others = theirs.filter(|(jail, _)| *jail != work.jail);
    match claim::clash(rules.values().flatten(), others) {
        Some((option, jail)) => Err(taken(option, &jail)),
        None => Ok(()),
    }
}

fn version_is_there(version: Version) -> bool {
    version == Version::V4 || has_ipv6()
}

fn apply_inside(place: &Place, work: &Work, netns: BorrowedFd<'_>) -> Result<(), Failure> {
    thread::scope(|scope| {
        let frames = scope.spawn(|| apply_frames(place, &work.frames, netns));
        let rules = replace_inside(place, netns, work.inner.each_ref().map(String::as_str));
        rules.and(joined(frames))
    })
}

fn apply_frames(place: &Place, frames: &Frames, netns: BorrowedFd<'_>) -> Result<(), Failure> {
    if frames.commands.is_empty() {
        return Ok(());
    }
    run::apply_in(place, netns, frames.commands.clone())
        .or_else(|trouble| frames.do_without(trouble.failure()))
}

/// Makes the jail's own rules of both IP versions what these documents say, at the same time: iptables-nft waits for the
/// kernel as it ends.
fn replace_inside(place: &Place, netns: BorrowedFd<'_>, documents: [&str; 2]) -> Result<(), Failure> {
    let replace = |version, document| match version_is_there(version) {
        true => Programs::chosen(place, version).replace(netns, document),
        false => Ok(()),
    };
    thread::scope(|scope| {
        let v6 = scope.spawn(|| replace(Version::V6, documents[1]));
        replace(Version::V4, documents[0]).and(joined(v6))
    })
}
