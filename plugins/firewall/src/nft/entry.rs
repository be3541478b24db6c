//! `Entry`: an element of a set or map, in words and as nft commands.

use jail_net::model::{JailId, Protocol};
use nftables::expr::{Elem, Expression, NamedExpression};
use nftables::schema::{Element, NfCmd, NfListObject, NfObject};
use nftables::types::NfFamily;
use serde::{Deserialize, Serialize};

use super::rule::{Expr, Object, TCP, UDP, number};
use super::word;

/// One element of a set, or with a value of a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The family of the table.
    pub family: NfFamily,
    /// The set or map.
    pub set: String,
    /// Its key.
    pub key: Expr,
    /// Its value in a map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Expr>,
}

impl Entry {
    /// An element of a set.
    pub fn new(family: NfFamily, set: impl Into<String>, key: Expr) -> Self {
        Entry { family, set: set.into(), key, value: None }
    }

    /// The same with a value, of a map.
    pub fn with(self, value: Expr) -> Self {
        Entry { value: Some(value), ..self }
    }

    /// The key and the set in the table of this name, as nft writes them.
    pub fn words(&self, table: &str) -> String {
        format!("{} in set {} of table {} {table}", parts(&self.key).join(" . "), self.set, word(self.family))
    }
}

/// A protocol with ports, as a number: nft looks a name up in /etc/protocols, which a small host does not have.
pub fn protocol(protocol: Protocol) -> Expr {
    number(match protocol {
        Protocol::Tcp => TCP,
        Protocol::Udp => UDP,
    })
}

/// The parts of a key as nft writes them: `tcp`, `80`. A number before the last part is a protocol.
fn parts(key: &Expr) -> Vec<String> {
    let Expression::Named(NamedExpression::Concat(parts)) = key else { return vec![part(key)] };
    let word = |(at, expr): (usize, &Expr)| match expr {
        Expression::Number(TCP) if at + 2 == parts.len() => "tcp".to_owned(),
        Expression::Number(UDP) if at + 2 == parts.len() => "udp".to_owned(),
        _ => part(expr),
    };
    parts.iter().enumerate().map(word).collect()
}

fn part(key: &Expr) -> String {
    match key {
        Expression::String(text) => text.to_string(),
        Expression::Number(number) => number.to_string(),
        Expression::Range(range) => format!("{}-{}", part(&range.range[0]), part(&range.range[1])),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

/// The user's option that asked for a key of a map: `--publish=80`, `--ip=10.10.20.10`.
pub fn option(entry: &Entry) -> String {
    let parts = parts(&entry.key);
    match parts.as_slice() {
        [address] => format!("--ip={address}"),
        [protocol, port] => format!("--publish={port}{}", suffix(protocol)),
        [address, protocol, port] if address.contains(':') => {
            format!("--publish=[{address}]:{port}{}", suffix(protocol))
        }
        [address, protocol, port] => format!("--publish={address}:{port}{}", suffix(protocol)),
        _ => parts.join(" . "),
    }
}

fn suffix(protocol: &str) -> &'static str {
    if protocol == "udp" { "/udp" } else { "" }
}

/// Whether two keys of one set have something in common.
pub fn overlap(a: &Expr, b: &Expr) -> bool {
    match (a, b) {
        (Expression::Named(NamedExpression::Concat(a)), Expression::Named(NamedExpression::Concat(b))) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| overlap(a, b))
        }
        _ => match (span(a), span(b)) {
            (Some(a), Some(b)) => a.0 <= b.1 && b.0 <= a.1,
            _ => a == b,
        },
    }
}

/// The first and the last number of a part of a key.
pub(crate) fn span(key: &Expr) -> Option<(u32, u32)> {
    match key {
        Expression::Number(number) => Some((*number, *number)),
        Expression::Range(range) => match range.range {
            [Expression::Number(first), Expression::Number(last)] => Some((first, last)),
            _ => None,
        },
        _ => None,
    }
}

/// The element comment that says whose it is: the id, which is what counts, and the name for people.
pub fn comment(jail: &JailId, name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let name: String = name.chars().filter(plain).take(64).collect(); // nft ends a comment at 128 bytes
    format!("{jail} {name}")
}

/// The commands that add these elements, commented with whose they are.
///
/// An element that is there with the same value stays as it is; one with another value fails them all (EEXIST).
pub fn add(table: &'static str, entries: &[Entry], comment: &str) -> Vec<Object> {
    commands(table, entries, |entry| {
        let key = Expression::Named(NamedExpression::Elem(Elem {
            val: Box::new(entry.key.clone()),
            timeout: None,
            expires: None,
            comment: Some(comment.to_owned().into()),
            counter: None,
        }));
        pair(key, entry)
    })
    .into_iter()
    .map(|element| NfObject::CmdObject(NfCmd::Add(element)))
    .collect()
}

/// The commands that remove these elements if they are the jail's, and change nothing (EEXIST) if a key has become
/// another jail's: nft's delete ignores the value, so each is first added with the value it should have. For that
/// reason one that is not there is no error either.
pub fn remove(table: &'static str, entries: &[Entry]) -> Vec<Object> {
    let claim = commands(table, entries, |entry| pair(entry.key.clone(), entry));
    let delete = commands(table, entries, |entry| entry.key.clone());
    let claim = claim.into_iter().map(|element| NfObject::CmdObject(NfCmd::Add(element)));
    claim.chain(delete.into_iter().map(|element| NfObject::CmdObject(NfCmd::Delete(element)))).collect()
}

fn pair(key: Expr, entry: &Entry) -> Expr {
    match &entry.value {
        Some(value) => Expression::List(vec![key, value.clone()]),
        None => key,
    }
}

/// One object for each set: nft takes a thousand elements in one command far faster than in a thousand.
fn commands(
    table: &'static str,
    entries: &[Entry],
    element: impl Fn(&Entry) -> Expr,
) -> Vec<NfListObject<'static>> {
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by(|a, b| a.set.cmp(&b.set));
    let of_one_set = entries.chunk_by(|a, b| a.family == b.family && a.set == b.set);
    let object = |of_set: &[&Entry]| {
        NfListObject::Element(Element {
            family: of_set[0].family,
            table: table.into(),
            name: of_set[0].set.clone().into(),
            elem: of_set.iter().map(|entry| element(entry)).collect::<Vec<_>>().into(),
        })
    };
    of_one_set.map(object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nft::rule::{concat, range, text};

    fn port(first: u16, last: u16) -> Entry {
        let port = if first == last { number(first.into()) } else { range(first, last) };
        Entry::new(NfFamily::INet, "ports", concat([protocol(Protocol::Tcp), port])).with(number(7))
    }

    fn json(commands: &[Object]) -> String {
        serde_json::to_string(commands).unwrap()
    }

    #[test]
    fn a_key_reads_as_the_user_wrote_it() {
        assert_eq!(option(&port(80, 80)), "--publish=80");
        assert_eq!(port(80, 81).words("jail"), "tcp . 80-81 in set ports of table inet jail");
        let at = |address| concat([text(address), protocol(Protocol::Udp), number(53)]);
        assert_eq!(option(&Entry::new(NfFamily::INet, "at4", at("10.0.0.1"))), "--publish=10.0.0.1:53/udp");
        assert_eq!(option(&Entry::new(NfFamily::INet, "at6", at("fd00::1"))), "--publish=[fd00::1]:53/udp");
        let address = Entry::new(NfFamily::INet, "addresses4", text("10.10.20.10"));
        assert_eq!(option(&address), "--ip=10.10.20.10");
    }

    #[test]
    fn keys_overlap_where_their_ports_do() {
        assert!(overlap(&port(80, 90).key, &port(85, 85).key));
        assert!(overlap(&port(80, 80).key, &port(80, 80).key));
        assert!(!overlap(&port(80, 84).key, &port(85, 90).key));
        assert!(!overlap(&port(17, 17).key, &concat([protocol(Protocol::Udp), number(17)])));
    }

    #[test]
    fn removal_claims_every_element_before_it_deletes_one() {
        let commands = remove("jail", &[port(80, 80), port(81, 81)]);
        let element = r#""element":{"family":"inet","table":"jail","name":"ports","elem""#;
        assert_eq!(
            json(&commands),
            format!(
                r#"[{{"add":{{{element}:[[{{"concat":[6,80]}},7],[{{"concat":[6,81]}},7]]}}}}}},{{"delete":{{{element}:[{{"concat":[6,80]}},{{"concat":[6,81]}}]}}}}}}]"#
            )
        );
    }

    #[test]
    fn a_comment_begins_with_the_id_and_holds_nothing_nft_would_stumble_over() {
        let jail: JailId = "3fa04b11c2d9".parse().unwrap();
        assert_eq!(comment(&jail, "web-1"), "3fa04b11c2d9 web-1");
        assert_eq!(comment(&jail, "a\"; drop\n"), "3fa04b11c2d9 adrop");
        assert!(comment(&jail, &"x".repeat(300)).len() < 128);
    }
}
