//! `Saved`: the rules of the host as iptables-save tells them.

use std::collections::BTreeMap;

use crate::rule::{Rule, Table};

/// The tables there are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Saved {
    tables: BTreeMap<Table, Contents>,
}

/// What is in a table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The chains with their policies, `-` for those that have none.
    pub(crate) chains: BTreeMap<String, String>,
    pub(crate) rules: Vec<Rule>,
}

impl Saved {
    /// Reads what iptables-save wrote. Tables that we have nothing in are passed over.
    pub(crate) fn read(text: &str) -> Self {
        let mut saved = Saved::default();
        let mut table = None;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('*') {
                table = [Table::Filter, Table::Nat].into_iter().find(|table| table.as_str() == name);
                if let Some(table) = table {
                    saved.tables.entry(table).or_default();
                }
            }
            let Some(contents) = table.and_then(|table| saved.tables.get_mut(&table)) else { continue };
            if let Some((chain, rest)) = line.strip_prefix(':').and_then(|chain| chain.split_once(' ')) {
                let policy = rest.split(' ').next().unwrap_or_default();
                contents.chains.insert(chain.to_owned(), policy.to_owned());
            }
            contents.rules.extend(Rule::read(line));
        }
        saved
    }

    pub(crate) fn table(&self, table: Table) -> Option<&Contents> {
        self.tables.get(&table)
    }

    /// Every rule, with its table.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (Table, &Rule)> {
        self.tables.iter().flat_map(|(table, contents)| contents.rules.iter().map(|rule| (*table, rule)))
    }
}

impl Contents {
    /// The rules of a chain, in order.
    pub(crate) fn of(&self, chain: &str) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.chain == chain)
    }
}
