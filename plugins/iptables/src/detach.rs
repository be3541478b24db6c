//! `detach` and `gc`: rules go by the comment that says whose they are, so nothing need be remembered and nobody's
//! successor loses any.

use std::collections::BTreeMap;
use std::thread;

use jail_firewall::plan::read;
use jail_firewall::reach::Version;
use jail_firewall::{Lock, Place};
use jail_net::backend::{Detach, Failure, Reaped, Undo};
use jail_net::conntrack;
use jail_net::model::JailId;

use crate::change::Extent;
use crate::plan::Elements;
use crate::probe::has_nf_tables;
use crate::programs::{self, Programs};
use crate::saved::Saved;
use crate::{LOCK, NAME, change, joined, made, tables};

/// Whose rules go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    /// One jail's.
    Jail(&'a JailId),
    /// All but those of jails that are alive.
    Dead(&'a [JailId]),
}

impl Whose<'_> {
    fn has(self, jail: &JailId) -> bool {
        match self {
            Whose::Jail(one) => jail == one,
            Whose::Dead(alive) => !alive.contains(jail),
        }
    }
}

pub(crate) fn detach(place: &Place, jail: &JailId, undo: Option<&Undo>, how: Detach) -> Result<(), Failure> {
    let lock = Lock::removing(&place.run, LOCK)?;
    let whose = if how.last { Whose::Dead(&[]) } else { Whose::Jail(jail) };
    let undo = undo.map(|undo| read::<Elements>(NAME, &undo.0)).transpose()?;
    let planned = |version| undo.as_ref().is_some_and(|undo| undo.has_rules(version));
    thread::scope(|scope| {
        let elements = scope.spawn(|| elements(place, &lock, jail, undo.as_ref(), how));
        let rules = rules(place, &lock, &whose, planned).map(drop);
        rules.and(joined(elements))
    })?;
    let udp: Vec<_> = undo.iter().flat_map(|undo| &undo.udp).map(|published| published.to).collect();
    conntrack::forget_to(&udp)
}

/// Removes the jail's elements of the table of family bridge, or with the last jail the table.
fn elements(
    place: &Place,
    lock: &Lock,
    jail: &JailId,
    undo: Option<&Elements>,
    how: Detach,
) -> Result<(), Failure> {
    if !has_nf_tables() {
        return Ok(()); // then there was never any
    }
    match how.last {
        true => tables(place).remove_all(lock, Some(&[])).map(drop),
        false => tables(place).remove_jail(jail, undo.map(|undo| undo.entries.as_slice())),
    }
}

pub(crate) fn gc(place: &Place, alive: &[JailId]) -> Result<Reaped, Failure> {
    let lock = Lock::removing(&place.run, LOCK)?;
    let mut removed = rules(place, &lock, &Whose::Dead(alive), |_| false)?;
    if has_nf_tables() {
        removed.extend(match alive {
            [] => tables(place).remove_all(&lock, Some(&[]))?,
            _ => tables(place).remove_dead(alive)?,
        });
    }
    Ok(Reaped { removed })
}

/// Removes rules of both IP versions; answers them in words. Where the programs are not installed there are none, unless
/// some were `planned`: those stay for as long as nobody can take them away.
pub(crate) fn rules(
    place: &Place,
    lock: &Lock,
    whose: &Whose<'_>,
    planned: impl Fn(Version) -> bool + Sync,
) -> Result<Vec<String>, Failure> {
    let of_version = |version| {
        let chosen = Programs::chosen(place, version);
        let mut removed = Vec::new();
        if chosen.are_there() || planned(version) {
            removed = rules_of(&chosen, lock, whose)?;
        }
        let others = chosen.not_chosen();
        if has_rules(&others) {
            removed.extend(rules_of(&others, lock, whose)?);
        }
        Ok::<_, Failure>(removed)
    };
    let [v4, v6] = thread::scope(|scope| {
        let v6 = scope.spawn(|| of_version(Version::V6));
        let v4 = of_version(Version::V4);
        [v4, joined(v6)]
    });
    Ok([v4?, v6?].concat())
}

/// Whether jails have rules of a variant that is not the chosen one, as after update-alternatives(1). A kernel that cannot
/// be asked has none.
fn has_rules(programs: &Programs<'_>) -> bool {
    let any = |saved: Saved| saved.rules().any(|(_, rule)| rule.jail().is_some());
    programs.are_there() && programs.saved().is_ok_and(any)
}

/// Removes rules of one IP version; answers them in words. What is refused is tried again with a newer look, for somebody
/// else may have changed the rules meanwhile, then without the kernel's own chains that we made, which may be in use, and
/// in the end without any chain: whatever it is that cannot go, no jail's own rules stay for it.
pub(crate) fn rules_of(
    programs: &Programs<'_>,
    lock: &Lock,
    whose: &Whose<'_>,
) -> Result<Vec<String>, Failure> {
    let version = programs.version;
    let gone = |jail: &JailId| whose.has(jail);
    let mut refused = None;
    for extent in [Extent::All, Extent::All, Extent::AllButMade, Extent::RulesOnly] {
        let saved = programs.saved()?;
        let document = change::remove(&saved, version, &gone, extent);
        match document.as_ref().map_or(Ok(()), |document| programs.apply(document, lock)) {
            Err(failure) if programs::is_busy(&failure) => return Err(failure),
            Err(failure) => refused = Some(failure),
            Ok(()) if extent == Extent::RulesOnly => {}
            Ok(()) => {
                made::remove(version, &saved, gone)?;
                return Ok(document.map(|_| words(&saved, version, gone)).unwrap_or_default());
            }
        }
    }
    refused.map_or(Ok(Vec::new()), Err)
}

/// What was removed: each jail's rules, and with the last of them the chains of all.
fn words(saved: &Saved, version: Version, gone: impl Fn(&JailId) -> bool) -> Vec<String> {
    let mut of_jail: BTreeMap<JailId, usize> = BTreeMap::new();
    for jail in saved.rules().filter_map(|(_, rule)| rule.jail()) {
        *of_jail.entry(jail).or_default() += 1;
    }
    let last = of_jail.keys().all(&gone);
    let program = if version == Version::V4 { "iptables" } else { "ip6tables" };
    let rules = of_jail.into_iter().filter(|(jail, _)| gone(jail));
    let mut words: Vec<_> =
        rules.map(|(jail, count)| format!("{count} {program} rules of jail {jail}")).collect();
    if last {
        words.push(format!("the {program} chains JAIL-*"));
    }
    words
}
