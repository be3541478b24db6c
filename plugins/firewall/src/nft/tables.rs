//! `Tables`: one backend's tables on the host. Whoever finds none makes them; elements are added, removed and judged by
//! whose they are.

use std::collections::BTreeMap;

use jail_net::backend::{Failure, Kind};
use jail_net::model::JailId;
use nftables::schema::{NfCmd, NfListObject, NfObject};
use nftables::types::NfFamily;

use super::entry::{self, Entry};
use super::listing::{self, Listing, Owned};
use super::rule::{self, Object};
use super::run::{self, Trouble};
use super::{netlink, udp, word};
use crate::{Lock, Place};

/// One backend's tables on the host, one in each of some families, all of one name.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a> {
    /// Where nft is.
    pub place: &'a Place,
    /// The name of the tables.
    pub name: &'static str,
    /// Their families.
    pub families: &'static [NfFamily],
    /// The commands that make the table of a family; they fail with EEXIST where there is one.
    pub make: fn(NfFamily) -> Vec<Object>,
}

impl Tables<'_> {
    /// Adds the jail's own elements and those it shares, and before them, in the same transaction, the tables that are
    /// missing. nft holds the lock until it is through. No older flow leads past a port that is published so.
    ///
    /// Others may make the tables between our look and our transaction; the kernel then refuses it whole, and the next
    /// look is newer. So it is with whose a key is.
    ///
    /// # Errors
    /// `Conflict` when a key is another jail's, named by the user's option; what nft says.
    pub fn add(&self, lock: &Lock, own: &[Entry], shared: &[Entry], comment: &str) -> Result<(), Failure> {
        let mut elements = entry::add(self.name, own, comment);
        elements.extend(entry::add(self.name, shared, "shared by jails"));
        let mut last = Trouble::Missing;
        for _ in 0..4 {
            let tables = self.missing()?;
            let none_missing = tables.is_empty();
            match run::apply_holding(self.place, lock, [tables, elements.clone()].concat()) {
                Ok(()) => {
                    return udp::begin(own).inspect_err(|_| {
                        let _ = self.remove(own);
                    });
                }
                Err(Trouble::Other(failure)) => return Err(failure),
                Err(trouble) => last = trouble,
            }
            self.refuse_strangers()?;
            if none_missing && let Some(conflict) = self.conflict(own)? {
                return Err(conflict);
            }
        }
        let remedy = format!("remove {} if no jail runs", self.names().join(" and "));
        Err(last.failure().hint(remedy))
    }

    /// Removes the elements that are there, of the tables that are there.
    ///
    /// # Errors
    /// `Exists` when a key has become another jail's: then nothing is removed.
    pub fn remove(&self, entries: &[Entry]) -> Result<(), Trouble> {
        if entries.is_empty() {
            return Ok(());
        }
        match run::apply(self.place, entry::remove(self.name, entries)) {
            Err(Trouble::Missing) => self.remove_from_those_left(entries),
            result => result,
        }
    }

    /// When somebody has removed one of the tables, or all.
    fn remove_from_those_left(&self, entries: &[Entry]) -> Result<(), Trouble> {
        for family in self.families {
            let of_family: Vec<_> = entries.iter().filter(|entry| entry.family == *family).cloned().collect();
            if !of_family.is_empty() && self.is_there(*family)? {
                run::apply(self.place, entry::remove(self.name, &of_family))?;
            }
        }
        Ok(())
    }

    /// Removes what is a jail's: these elements, and without them those that have its comment.
    ///
    /// # Errors
    /// What nft says.
    pub fn remove_jail(&self, jail: &JailId, entries: Option<&[Entry]>) -> Result<(), Failure> {
        if let Some(entries) = entries {
            match self.remove(entries) {
                // Some key is another jail's by now: what is left of ours is found by its comment.
                Err(Trouble::Exists) => {}
                result => return settle(result).and_then(|()| udp::end(entries)),
            }
        }
        let left = self.entries()?.into_iter().filter(|found| found.jail == *jail);
        let left: Vec<_> = left.map(|found| found.entry).collect();
        settle(self.remove(&left))?;
        udp::end(&left)
    }

    /// Removes the elements of every jail that is not alive; answers them in words.
    ///
    /// # Errors
    /// What nft says.
    pub fn remove_dead(&self, alive: &[JailId]) -> Result<Vec<String>, Failure> {
        let dead = self.entries()?.into_iter().filter(|found| !alive.contains(&found.jail));
        let mut of_jail: BTreeMap<JailId, Vec<Entry>> = BTreeMap::new();
        for Owned { entry, jail } in dead {
            of_jail.entry(jail).or_default().push(entry);
        }
        match self.remove(&of_jail.values().flatten().cloned().collect::<Vec<_>>()) {
            // Some key became a living jail's since the look: what is all right goes jail by jail.
            Err(Trouble::Exists) => {
                for entries in of_jail.values() {
                    settle(self.remove(entries))?;
                }
            }
            result => settle(result)?,
        }
        udp::end(of_jail.values().flatten())?;
        let words = |(jail, entries): (&JailId, &Vec<Entry>)| {
            format!("{} nft elements of jail {jail}", entries.len())
        };
        Ok(of_jail.iter().map(words).collect())
    }

    /// Removes the tables that are there, and none of our name that is somebody else's; answers them in words. nft holds
    /// the lock until it is through: if we are killed, no jail starts before. `known` is what they hold, where it is known.
    ///
    /// # Errors
    /// What nft says.
    pub fn remove_all(&self, lock: &Lock, known: Option<&[Entry]>) -> Result<Vec<String>, Failure> {
        let mut removed = Vec::new();
        let mut commands = Vec::new();
        for family in self.families {
            if self.is_ours(*family)? {
                commands.extend(rule::remove_table(*family, self.name));
                removed.push(self.word(*family));
            }
        }
        let entries = match known {
            Some(entries) => Ok(entries.to_vec()),
            None if removed.is_empty() => Ok(Vec::new()),
            None => self.entries().map(|found| found.into_iter().map(|found| found.entry).collect()),
        };
        if !commands.is_empty() {
            run::apply_holding(self.place, lock, commands).map_err(Trouble::failure)?;
        }
        // That they cannot be read does not keep them.
        udp::end(&entries?)?;
        Ok(removed)
    }

    /// Removes the tables if no jail has an element in them. For who holds the lock alone.
    ///
    /// # Errors
    /// What nft says.
    pub fn remove_unused(&self, lock: &Lock) -> Result<(), Failure> {
        if self.entries()?.is_empty() { self.remove_all(lock, Some(&[])).map(drop) } else { Ok(()) }
    }

    /// What differs from the tables as they should be with the jail's own elements and those it shares, in words.
    ///
    /// # Errors
    /// What nft says.
    pub fn check(&self, jail: &JailId, own: &[Entry], shared: &[Entry]) -> Result<Vec<String>, Failure> {
        let mut differences = Vec::new();
        for family in self.families {
            match listing::read(self.place, *family, self.name)? {
                None => differences.push(format!("{} is missing", self.word(*family))),
                Some(there) => {
                    differences.extend(self.rules(*family, &there));
                    let ours = own.iter().filter(|entry| entry.family == *family);
                    differences.extend(ours.filter_map(|entry| self.difference(entry, &there, jail)));
                    let shared = shared.iter().filter(|entry| entry.family == *family);
                    let missing = shared.filter(|entry| !there.shared.contains(entry));
                    differences.extend(missing.map(|entry| format!("{} is missing", entry.words(self.name))));
                }
            }
        }
        Ok(differences)
    }

    fn difference(&self, entry: &Entry, there: &Listing, jail: &JailId) -> Option<String> {
        let same = |found: &&Owned| found.entry.set == entry.set && found.entry.key == entry.key;
        match there.entries.iter().find(same) {
            None => Some(format!("{} is missing", entry.words(self.name))),
            Some(found) if found.entry.value != entry.value || found.jail != *jail => {
                Some(format!("{} is jail {}'s", entry.words(self.name), found.jail))
            }
            Some(_) => None,
        }
    }

    /// Chains that have not as many rules as we gave them.
    fn rules(&self, family: NfFamily, there: &Listing) -> Vec<String> {
        let mut ours: BTreeMap<String, usize> = BTreeMap::new();
        for object in (self.make)(family) {
            if let NfObject::CmdObject(NfCmd::Add(NfListObject::Rule(rule))) = object {
                *ours.entry(rule.chain.into_owned()).or_default() += 1;
            }
        }
        let differs = |(chain, count): (String, usize)| {
            let found = there.rules.get(&chain).copied().unwrap_or_default();
            let table = self.word(family);
            (found != count).then(|| format!("chain {chain} of {table} has {found} rules instead of {count}"))
        };
        ours.into_iter().filter_map(differs).collect()
    }

    fn missing(&self) -> Result<Vec<Object>, Failure> {
        let mut commands = Vec::new();
        for family in self.families {
            if !self.is_there(*family)? {
                commands.extend((self.make)(*family));
            }
        }
        Ok(commands)
    }

    /// A table of our name that is somebody else's has no place for our elements.
    fn refuse_strangers(&self) -> Result<(), Failure> {
        for family in self.families {
            if self.is_there(*family)? && !self.is_ours(*family)? {
                let table = self.word(*family);
                let message = format!("{table} is there, and somebody else's: jail did not make it");
                return Err(Failure::new(
                    Kind::Conflict,
                    "network",
                    "nft add element",
                    table.as_str(),
                    message,
                )
                .hint(format!("give it another name, or remove it: nft delete {table}")));
            }
        }
        Ok(())
    }

    /// Which key is another jail's, if one still is. nft's own error does not say.
    fn conflict(&self, own: &[Entry]) -> Result<Option<Failure>, Failure> {
        let theirs = self.entries()?.into_iter().find_map(|found| {
            let clash = |ours: &&Entry| {
                ours.set == found.entry.set
                    && found.entry.value != ours.value
                    && ours.value.is_some()
                    && entry::overlap(&ours.key, &found.entry.key)
            };
            own.iter().find(clash).map(|ours| (entry::option(ours), found.jail))
        });
        Ok(theirs.map(|(object, jail)| taken(object, &jail)))
    }

    /// Every element that says whose it is.
    fn entries(&self) -> Result<Vec<Owned>, Failure> {
        let mut all = Vec::new();
        for family in self.families {
            // Where there is no table there need be no nft either.
            if !self.is_there(*family)? {
                continue;
            }
            let table = listing::read(self.place, *family, self.name)?;
            all.extend(table.map(|listing| listing.entries).unwrap_or_default());
        }
        Ok(all)
    }

    fn is_there(&self, family: NfFamily) -> Result<bool, Failure> {
        netlink::has_table(family, self.name)
            .map_err(|error| Failure::call("network", "nf_tables get table", "nft", &error))
    }

    /// Whether that table is one of ours, of whatever version. Nothing but a set of it can say so: nft 1.0.6 knows no
    /// comment of a table in JSON.
    fn is_ours(&self, family: NfFamily) -> Result<bool, Failure> {
        let set = if family == NfFamily::Bridge { "known4" } else { "jails4" };
        netlink::has_set(family, self.name, set)
            .map_err(|error| Failure::call("network", "nf_tables get set", "nft", &error))
    }

    fn word(&self, family: NfFamily) -> String {
        format!("table {} {}", word(family), self.name)
    }

    fn names(&self) -> Vec<String> {
        self.families.iter().map(|family| self.word(*family)).collect()
    }
}

/// What a user asked for by this option is another jail's.
pub fn taken(option: String, jail: &JailId) -> Failure {
    let message = format!("{option} is already jail {jail}'s");
    Failure::new(Kind::Conflict, "network", "attach", option, message)
        .hint("stop that jail, or choose another; jail gc removes what a dead one left")
}

/// No table, no elements: somebody flushed the rules, or there never were any.
fn settle(result: Result<(), Trouble>) -> Result<(), Failure> {
    match result {
        Ok(()) | Err(Trouble::Missing) => Ok(()),
        Err(trouble) => Err(trouble.failure()),
    }
}
