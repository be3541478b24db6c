//! `check`: the host's rules as they are against what a jail should have in them, in words. Asked with the crate
//! `iptables`, which is good for questions: it blocks, and does not tell a chain that is missing from an empty one.

use iptables::IPTables;
use jail_firewall::Place;
use jail_firewall::reach::Version;
use jail_net::backend::{Drift, Failure, Kind, Request};

use crate::plan::Work;
use crate::programs::{Programs, Variant};
use crate::rule::{Rule, Table};
use crate::{chains, made, tables};

pub(crate) fn check(place: &Place, want: &Request) -> Result<Drift, Failure> {
    let work = Work::of_request(place, want)?;
    let mut differences = Vec::new();
    for version in Version::BOTH {
        let (rules, shared) = work.of(version);
        let programs = Programs::chosen(place, version);
        let program = program(&programs);
        for (table, rules) in rules {
            if !made::has_table(&programs, *table)? {
                differences.push(format!("{} has no rules in its table {}", program.cmd, table.as_str()));
                continue;
            }
            let there = list(&program, *table)?;
            let should = chains::shared(*table, version, &shared).into_iter();
            let should =
                should.flat_map(|(chain, rules)| rules.into_iter().map(move |text| Rule::new(chain, text)));
            let missing = should.chain(rules.iter().cloned()).filter(|rule| !has(&there, rule));
            differences.extend(
                missing.map(|rule| format!("{}: -A {} {} is missing", program.cmd, rule.chain, rule.text)),
            );
            let hooks = chains::hooks(*table).iter().filter(|(hook, chain)| !leads_to(&there, hook, chain));
            differences.extend(
                hooks.map(|(hook, chain)| format!("{}: {hook} does not begin with {chain}", program.cmd)),
            );
        }
    }
    if !work.entries.is_empty() {
        differences.extend(tables(place).check(&want.jail, &work.entries, &[])?);
    }
    Ok(Drift { differences })
}

fn has(there: &[Rule], rule: &Rule) -> bool {
    there.iter().any(|found| found.chain == rule.chain && found.text == rule.text)
}

fn leads_to(there: &[Rule], hook: &str, chain: &str) -> bool {
    there.iter().find(|rule| rule.chain == hook).and_then(Rule::target) == Some(chain)
}

/// The program of the variant in use, told what its `new` would find out by running it.
fn program(programs: &Programs<'_>) -> IPTables {
    let cmd = match (programs.variant, programs.version) {
        (Variant::Legacy, Version::V4) => "iptables-legacy",
        (Variant::Legacy, Version::V6) => "ip6tables-legacy",
        (Variant::Nft, Version::V4) => "iptables-nft",
        (Variant::Nft, Version::V6) => "ip6tables-nft",
    };
    IPTables { cmd, has_check: true, has_wait: true, is_numeric: false }
}

fn list(program: &IPTables, table: Table) -> Result<Vec<Rule>, Failure> {
    let lines = program.list_table(table.as_str()).map_err(|error| {
        let message = format!("{} does not tell its rules: {error}", program.cmd);
        Failure::new(Kind::Failed, "network", "list", program.cmd, message)
    })?;
    Ok(lines.iter().filter_map(|line| Rule::read(line)).collect())
}
