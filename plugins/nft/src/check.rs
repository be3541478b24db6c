//! `check`: the tables as they are against what a jail should have in them, in words.

use std::collections::BTreeMap;

use jail_net::backend::{Drift, Failure, Request};
use nftables::schema::{NfCmd, NfListObject, NfObject};
use nftables::types::NfFamily;

use crate::entry::Entry;
use crate::listing::{self, Listing};
use crate::{elements, skeleton};

pub(crate) fn check(want: &Request) -> Result<Drift, Failure> {
    let entries = elements::of(want)?;
    let shared: Vec<_> = want.forwards.iter().map(|interface| elements::forwards(interface)).collect();
    let mut differences = Vec::new();
    if entries.is_empty() && shared.is_empty() {
        return Ok(Drift { differences }); // on no bridge: the host's rules never see it
    }
    for family in skeleton::FAMILIES {
        match listing::read(family)? {
            None => differences.push(format!("table {} jail is missing", skeleton::word(family))),
            Some(there) => {
                differences.extend(rules(family, &there));
                let ours = entries.iter().filter(|entry| entry.family == family);
                differences.extend(ours.filter_map(|entry| difference(entry, &there, want)));
                let shared = shared.iter().filter(|entry| entry.family == family);
                let missing = shared.filter(|entry| !there.shared.contains(entry));
                differences.extend(missing.map(|entry| format!("{} is missing", entry.words())));
            }
        }
    }
    Ok(Drift { differences })
}

fn difference(entry: &Entry, there: &Listing, want: &Request) -> Option<String> {
    let found =
        there.entries.iter().find(|found| found.entry.set == entry.set && found.entry.key == entry.key);
    match found {
        None => Some(format!("{} is missing", entry.words())),
        Some(found) if found.entry.value != entry.value || found.jail != want.jail => {
            Some(format!("{} is jail {}'s", entry.words(), found.jail))
        }
        Some(_) => None,
    }
}

/// Chains that have not as many rules as we gave them.
fn rules(family: NfFamily, there: &Listing) -> Vec<String> {
    let mut ours: BTreeMap<String, usize> = BTreeMap::new();
    for object in skeleton::table(family) {
        if let NfObject::CmdObject(NfCmd::Add(NfListObject::Rule(rule))) = object {
            *ours.entry(rule.chain.into_owned()).or_default() += 1;
        }
    }
    let differs = |(chain, count): (String, usize)| {
        let found = there.rules.get(&chain).copied().unwrap_or_default();
        (found != count).then(|| {
            let family = skeleton::word(family);
            format!("chain {chain} of table {family} jail has {found} rules instead of {count}")
        })
    };
    ours.into_iter().filter_map(differs).collect()
}
