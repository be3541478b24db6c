//! What iptables-restore is given, made from the rules as they are: to add a jail's, to remove those of jails that are
//! gone. Pure. Other people's rules are never written anew, and a chain of jails' own rules never flushed by declaring
//! it again (which is what a declaration does where the chain is there).

use std::collections::BTreeSet;
use std::fmt::Write;

use jail_firewall::reach::Version;
use jail_net::model::JailId;

use crate::chains::{self, MADE, Shared};
use crate::host::Rules;
use crate::rule::{Rule, Table};
use crate::saved::{Contents, Saved};

/// What the comment of a jump says whose chain the kernel had not before us (iptables-nft makes each when it is needed).
const CHAIN_MADE: &str = "chain made by jail";

/// What of the kernel's is not there yet, and is made by naming it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) tables: BTreeSet<Table>,
    pub(crate) chains: BTreeSet<(Table, &'static str)>,
}

/// How much of what is ours a removal takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// With the last jail of a table all of it, and the kernel's chains that were not there before us, if they are empty.
    All,
    /// All but those chains of the kernel's.
    AllButMade,
    /// Jails' own rules, and no chain.
    RulesOnly,
}

/// Adds a jail's rules, and before them what all jails share and is not there. Filters stand before addresses are
/// rewritten: each table is committed by itself.
pub(crate) fn add(
    saved: &Saved,
    version: Version,
    rules: &Rules,
    more: &Shared,
    missing: &Missing,
) -> String {
    let mut shared = shared_by(saved, |_| true);
    shared.bridges.extend(more.bridges.iter().cloned());
    shared.forwards.extend(more.forwards.iter().cloned());
    let none = Contents::default();
    let mut text = String::new();
    for (table, rules) in rules {
        let there = saved.table(*table).unwrap_or(&none);
        let mut lines = Vec::new();
        if missing.tables.contains(table) {
            lines.push(declare(MADE));
        }
        let absent = chains::lists(*table).iter().filter(|chain| !there.chains.contains_key(**chain));
        lines.extend(absent.map(|chain| declare(chain)));
        lines.extend(share(there, *table, version, &shared));
        for (hook, chain) in chains::hooks(*table) {
            lines.extend(jump(there, hook, chain, missing.chains.contains(&(*table, *hook))));
        }
        lines.extend(rules.iter().map(Rule::add));
        write_table(&mut text, *table, &lines);
    }
    text
}

/// Removes the rules of jails that are gone; `None` when there are none. With the last jail of a table goes all that is
/// ours in it.
pub(crate) fn remove(
    saved: &Saved,
    version: Version,
    gone: &impl Fn(&JailId) -> bool,
    extent: Extent,
) -> Option<String> {
    let shared = shared_by(saved, |jail| !gone(jail));
    let mut text = String::new();
    for table in [Table::Nat, Table::Filter] {
        let Some(there) = saved.table(table) else { continue };
        let theirs = there.rules.iter().filter(|rule| rule.jail().is_some_and(|jail| gone(&jail)));
        let mut lines: Vec<_> = theirs.map(Rule::delete).collect();
        let is_last = !there.rules.iter().filter_map(Rule::jail).any(|jail| !gone(&jail));
        if extent != Extent::RulesOnly && is_last {
            lines = everything(there, table, extent == Extent::All);
        } else if extent != Extent::RulesOnly && !lines.is_empty() {
            lines.extend(share(there, table, version, &shared));
        }
        if !lines.is_empty() {
            write_table(&mut text, table, &lines);
        }
    }
    (!text.is_empty()).then_some(text)
}

/// A chain with a name of ours that holds rules of somebody else's: what is ours would go there, or they with us.
pub(crate) fn strangers(there: &Contents, table: Table) -> Option<&'static str> {
    let ours = is_ours(there, table);
    chains::all(table).into_iter().find(|chain| {
        let is_list = chains::is_list(chain);
        there.of(chain).any(|rule| if is_list { rule.jail().is_none() } else { !ours })
    })
}

/// Whether we have been in this table: a jail's rule says so, the chain that says that we made it, or that no chain of
/// ours is missing. One chain of such a name may be anybody's.
fn is_ours(there: &Contents, table: Table) -> bool {
    let has = |chain: &str| there.chains.contains_key(chain);
    has(MADE)
        || there.rules.iter().any(|rule| rule.jail().is_some())
        || chains::all(table).into_iter().all(has)
}

/// What the jails that count share, by their own rules.
fn shared_by(saved: &Saved, counts: impl Fn(&JailId) -> bool) -> Shared {
    let rules = saved.table(Table::Filter).into_iter().flat_map(|table| &table.rules);
    chains::shared_in(rules.filter(|rule| rule.jail().is_none_or(|jail| counts(&jail))))
}

/// The chains that all jails share, written anew where they are not as they should be.
fn share(there: &Contents, table: Table, version: Version, shared: &Shared) -> Vec<String> {
    let should = chains::shared(table, version, shared);
    let differs = |(chain, rules): &(&'static str, Vec<String>)| {
        !there.chains.contains_key(*chain) || !there.of(chain).map(|rule| &rule.text).eq(rules)
    };
    let anew: Vec<_> = should.iter().filter(|chain| differs(chain)).collect();
    let declared = anew.iter().map(|(chain, _)| declare(chain));
    let rules =
        anew.iter().flat_map(|(chain, rules)| rules.iter().map(move |rule| format!("-A {chain} {rule}")));
    declared.chain(rules).collect()
}

/// Puts the jump from one of the kernel's chains to ours at its first place.
fn jump(there: &Contents, hook: &str, chain: &str, made: bool) -> Vec<String> {
    let is_ours = |rule: &&Rule| rule.target() == Some(chain);
    let first = there.of(hook).next();
    if first.as_ref().is_some_and(is_ours) {
        return Vec::new();
    }
    let mut lines: Vec<_> = there.of(hook).filter(is_ours).map(Rule::delete).collect();
    let comment = if made { format!("-m comment --comment \"{CHAIN_MADE}\" ") } else { String::new() };
    lines.push(format!("-I {hook} 1 {comment}-j {chain}"));
    lines
}

/// Takes all that is ours from a table, but the chain that says that we made the table: that goes with the table. A chain
/// that others' rules lead to is theirs from now on, and empty.
fn everything(there: &Contents, table: Table, made: bool) -> Vec<String> {
    if !is_ours(there, table) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let mut emptied = Vec::new();
    for (hook, chain) in chains::hooks(table) {
        let (jumps, others): (Vec<_>, Vec<_>) = there.of(hook).partition(|rule| rule.target() == Some(chain));
        let was_made = jumps.iter().any(|rule| rule.text.contains(CHAIN_MADE));
        let accepts = there.chains.get(*hook).is_some_and(|policy| policy == "ACCEPT");
        if made && was_made && others.is_empty() && accepts {
            emptied.push(format!("-X {hook}"));
        }
        lines.extend(jumps.into_iter().map(Rule::delete));
    }
    let all = chains::all(table);
    let is_lent = |chain: &&str| {
        let mut others = there.rules.iter().filter(|rule| !all.contains(&rule.chain.as_str()));
        others.any(|rule| rule.target() == Some(chain) && !is_jump(rule, table))
    };
    let ours: Vec<_> = all.iter().copied().filter(|chain| there.chains.contains_key(*chain)).collect();
    let full = ours.iter().filter(|chain| there.of(chain).next().is_some());
    lines.extend(full.map(|chain| format!("-F {chain}")));
    lines.extend(ours.iter().filter(|chain| !is_lent(chain)).map(|chain| format!("-X {chain}")));
    lines.extend(emptied);
    lines
}

/// Whether it leads from one of the kernel's chains to ours, as [`jump`] puts it there.
fn is_jump(rule: &Rule, table: Table) -> bool {
    chains::hooks(table).iter().any(|(hook, chain)| rule.chain == *hook && rule.target() == Some(chain))
}

fn declare(chain: &str) -> String {
    format!(":{chain} - [0:0]")
}

fn write_table(text: &mut String, table: Table, lines: &[String]) {
    // Writing to a string does not fail.
    let _ = write!(text, "*{}\n{}\nCOMMIT\n", table.as_str(), lines.join("\n"));
}

#[cfg(test)]
mod tests {
    use jail_net::conformance::request;
    use jail_net::model::Egress::Deny;

    use super::*;
    use crate::host;

    /// The rules of jail 10, which publishes port 80.
    fn rules() -> Rules {
        host::of(&request(10, &["80"], Deny), Version::V4, true).unwrap()
    }

    fn shared() -> Shared {
        Shared { bridges: ["br0".to_owned()].into(), forwards: ["wan0".to_owned()].into() }
    }

    /// What iptables-save would write once it is applied to nothing.
    fn applied(document: &str) -> Saved {
        let insert = |line: &str| line.replacen("-I ", "-A ", 1).replacen(" 1 ", " ", 1);
        let line = |line: &str| if line.starts_with("-I ") { insert(line) } else { line.to_owned() };
        Saved::read(&document.lines().map(line).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn filters_are_written_before_addresses_are_rewritten_and_removed_after() {
        let document = add(&Saved::default(), Version::V4, &rules(), &shared(), &Missing::default());
        assert!(document.find("*filter").unwrap() < document.find("*nat").unwrap());
        let document = remove(&applied(&document), Version::V4, &|_| true, Extent::AllButMade).unwrap();
        assert!(document.find("*nat").unwrap() < document.find("*filter").unwrap());
    }

    #[test]
    fn what_is_there_is_not_declared_again() {
        let first = applied(&add(&Saved::default(), Version::V4, &rules(), &shared(), &Missing::default()));
        let second = add(&first, Version::V4, &rules(), &shared(), &Missing::default());
        assert!(!second.contains(':') || !second.contains("[0:0]"), "{second}");
        let other = Shared { bridges: ["br1".to_owned()].into(), ..Shared::default() };
        let second = add(&first, Version::V4, &rules(), &other, &Missing::default());
        for line in [
            ":JAIL-FORWARD - [0:0]",
            "-A JAIL-FORWARD -i br0 -j JAIL-FROM",
            "-A JAIL-FORWARD -i wan0 -j JAIL-GUARD",
        ] {
            assert!(second.contains(line), "{line} in {second}");
        }
        assert!(!second.contains(":JAIL-FROM -"), "jails' own rules would be flushed: {second}");
    }

    #[test]
    fn with_the_last_jail_goes_what_we_made_and_nothing_else() {
        let made = Missing {
            chains: [(Table::Filter, "INPUT"), (Table::Filter, "FORWARD")].into(),
            ..Missing::default()
        };
        let document = add(&Saved::default(), Version::V4, &rules(), &shared(), &made);
        let there = |more: &str| {
            applied(&format!("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n{more}{document}"))
        };
        let removed =
            remove(&there("-A FORWARD -s 10.0.0.1/32 -j DROP\n"), Version::V4, &|_| true, Extent::All)
                .unwrap();
        assert!(removed.contains("-X INPUT") && !removed.contains("-X FORWARD"), "{removed}");
        assert!(!removed.contains("10.0.0.1"));
        assert!(
            !remove(&there(""), Version::V4, &|_| true, Extent::AllButMade).unwrap().contains("-X INPUT")
        );
        assert_eq!(remove(&Saved::default(), Version::V4, &|_| true, Extent::All), None);
    }

    #[test]
    fn a_jail_that_stays_keeps_its_rules_and_what_is_shared() {
        let document = add(&Saved::default(), Version::V4, &rules(), &shared(), &Missing::default());
        let other = "3fa04b11c20b".parse().unwrap();
        assert_eq!(remove(&applied(&document), Version::V4, &|jail| *jail == other, Extent::All), None);
    }
}
