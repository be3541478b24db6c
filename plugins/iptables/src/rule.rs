//! `Rule`: one rule of a chain, as iptables-save writes it, and whose it is.

use jail_net::model::JailId;
use serde::{Deserialize, Serialize};

use crate::chains;

/// A table of xtables that we use on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Table {
    Filter,
    Nat,
}

impl Table {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Table::Filter => "filter",
            Table::Nat => "nat",
        }
    }
}

/// A rule: matches and target in the order in which iptables-save writes them, so that texts can be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) chain: String,
    pub(crate) text: String,
    /// Whether it is for the beginning of the chain.
    #[serde(default)]
    pub(crate) first: bool,
}

impl Rule {
    pub(crate) fn new(chain: impl Into<String>, text: impl Into<String>) -> Self {
        Rule { chain: chain.into(), text: text.into(), first: false }
    }

    /// Reads `-A CHAIN ...`.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let (chain, text) = line.strip_prefix("-A ")?.split_once(' ')?;
        Some(Rule::new(chain, text.trim_end()))
    }

    /// The line that adds it.
    pub(crate) fn add(&self) -> String {
        let Rule { chain, text, first } = self;
        if *first { format!("-I {chain} 1 {text}") } else { format!("-A {chain} {text}") }
    }

    /// The line that removes it.
    pub(crate) fn delete(&self) -> String {
        format!("-D {} {}", self.chain, self.text)
    }

    /// The jail whose it is: the one that its comment names, in one of our chains. What others say in theirs is theirs.
    pub(crate) fn jail(&self) -> Option<JailId> {
        if !chains::is_list(&self.chain) {
            return None;
        }
        let comment = self.text.split_once("--comment \"")?.1;
        comment.split(' ').next()?.parse().ok()
    }

    /// What follows an option that is not negated: `-i br0`.
    pub(crate) fn value(&self, option: &str) -> Option<&str> {
        let mut words = self.text.split(' ').peekable();
        let mut before = "";
        while let Some(word) = words.next() {
            if word == option && before != "!" {
                return words.peek().copied();
            }
            before = word;
        }
        None
    }

    /// The chain it hands a packet to.
    pub(crate) fn target(&self) -> Option<&str> {
        self.value("-j").or_else(|| self.value("-g"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_rule_tells_its_parts_and_whose_it_is() {
        let line = "-A JAIL-SOURCE -s 10.0.0.9/32 ! -o br0 -m comment --comment \"3fa04b11c2d9 web -i x\" -j MASQUERADE";
        let rule = Rule::read(line).unwrap();
        assert_eq!(rule.add(), line);
        assert_eq!(rule.jail().unwrap().as_str(), "3fa04b11c2d9");
        assert_eq!((rule.value("-s"), rule.value("-o")), (Some("10.0.0.9/32"), None));
        assert_eq!(rule.target(), Some("MASQUERADE"));
        assert_eq!(Rule::new("JAIL-TO", "-m comment --comment \"somebody else\" -j DROP").jail(), None);
        assert_eq!(Rule { chain: "THEIRS".into(), ..rule }.jail(), None);
        assert_eq!(Rule::read(":INPUT ACCEPT [0:0]"), None);
    }
}
