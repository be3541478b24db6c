//! What one jail adds to the host's tables: set and map elements, each under a key that is the jail's own (its port of
//! the bridge, its address, a port it publishes), so that no two jails share one. Pure.

use std::net::IpAddr;

use jail_net::backend::{Failure, Kind, Request};
use jail_net::model::{Attachment, Egress, JailId, Protocol, Publish};
use nftables::expr::{Elem, Expression, NamedExpression};
use nftables::schema::{Element, NfCmd, NfListObject, NfObject};
use nftables::types::NfFamily;
use serde::{Deserialize, Serialize};

use crate::rule::{Expr, Object, TABLE, concat, number, range, text};

/// One element of a set, or with a value of a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) family: NfFamily,
    pub(crate) set: String,
    pub(crate) key: Expr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Expr>,
}

impl Entry {
    fn new(family: NfFamily, set: impl Into<String>, key: Expr) -> Self {
        Entry { family, set: set.into(), key, value: None }
    }

    fn with(self, value: Expr) -> Self {
        Entry { value: Some(value), ..self }
    }

    /// The set and the key, as nft writes them.
    pub(crate) fn words(&self) -> String {
        let family = crate::skeleton::word(self.family);
        format!("{} in set {} of table {family} {TABLE}", words(&self.key), self.set)
    }
}

/// A key as nft writes it: `tcp . 80`.
pub(crate) fn words(key: &Expr) -> String {
    match key {
        Expression::String(text) => text.to_string(),
        Expression::Number(number) => number.to_string(),
        Expression::Range(range) => format!("{}-{}", words(&range.range[0]), words(&range.range[1])),
        Expression::Named(NamedExpression::Concat(parts)) => {
            parts.iter().map(words).collect::<Vec<_>>().join(" . ")
        }
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

/// The user's option that asked for a key of a map: `--publish=80`, `--ip=10.10.20.10`.
pub(crate) fn option(entry: &Entry) -> String {
    let Expression::Named(NamedExpression::Concat(parts)) = &entry.key else {
        return format!("--ip={}", words(&entry.key));
    };
    let parts: Vec<_> = parts.iter().map(words).collect();
    match parts.as_slice() {
        [protocol, port] => format!("--publish={port}{}", suffix(protocol)),
        [address, protocol, port] if address.contains(':') => {
            format!("--publish=[{address}]:{port}{}", suffix(protocol))
        }
        [address, protocol, port] => format!("--publish={address}:{port}{}", suffix(protocol)),
        _ => entry.words(),
    }
}

fn suffix(protocol: &str) -> &'static str {
    if protocol == "udp" { "/udp" } else { "" }
}

/// Whether two keys of one set have something in common.
pub(crate) fn overlap(a: &Expr, b: &Expr) -> bool {
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

fn span(key: &Expr) -> Option<(u32, u32)> {
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
pub(crate) fn comment(jail: &JailId, name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let name: String = name.chars().filter(plain).take(64).collect(); // nft ends a comment at 128 bytes
    format!("{jail} {name}")
}

/// The element of `forwards` for an interface: the one kind that jails share. It goes with the table.
pub(crate) fn forwards(interface: &str) -> Entry {
    Entry::new(NfFamily::INet, "forwards", text(interface))
}

/// What the jail asks for, without [`forwards`].
///
/// # Errors
/// A published port that no address of the jail's can serve, and an interface name that nft would read as a pattern.
pub(crate) fn of(want: &Request) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for attachment in &want.attachments {
        nameable(&attachment.network.bridge)?;
        ports(&mut entries, attachment, want.egress);
        addresses(&mut entries, attachment, want);
    }
    for publish in &want.publish {
        publication(&mut entries, publish, want)?;
    }
    Ok(entries)
}

/// An interface name as a set element: nft takes a leading `@` and a trailing `*` for something else.
pub(crate) fn nameable(interface: &str) -> Result<(), Failure> {
    if interface.starts_with('@') || interface.ends_with('*') || interface.contains(['"', '\\']) {
        let message = format!("the nft backend cannot name the interface {interface} in a rule");
        return Err(Failure::new(Kind::Unsupported, "network", "plan", interface, message)
            .hint("rename the interface"));
    }
    Ok(())
}

/// The digit of an address's sets.
fn digit(address: IpAddr) -> char {
    if address.is_ipv4() { '4' } else { '6' }
}

/// The jail's port of the bridge, and who may be behind it.
fn ports(entries: &mut Vec<Entry>, attachment: &Attachment, egress: Egress) {
    let port = || text(&attachment.host_interface);
    let mut add = |set: String, key| entries.push(Entry::new(NfFamily::Bridge, set, key));
    add("ports".into(), port());
    if egress == Egress::Allow {
        add("egress".into(), port());
    }
    for net in &attachment.addresses {
        let known = format!("known{}", digit(net.addr()));
        add(known, concat([port(), text(&attachment.mac), text(net.addr().to_string())]));
    }
}

fn addresses(entries: &mut Vec<Entry>, attachment: &Attachment, want: &Request) {
    for net in &attachment.addresses {
        let (address, digit) = (|| text(net.addr().to_string()), digit(net.addr()));
        let mut add = |name: &str, key| {
            entries.push(Entry::new(NfFamily::INet, format!("{name}{digit}"), key));
        };
        add("jails", address());
        add("home", concat([address(), text(&attachment.network.bridge)]));
        if want.egress == Egress::Allow {
            add("egress", address());
        }
        let owner = Entry::new(NfFamily::INet, format!("addresses{digit}"), address());
        entries.push(owner.with(number(want.jail.number())));
    }
}

/// The addresses a published port leads to: the first of each family it can be reached by.
fn targets(publish: &Publish, want: &Request) -> Vec<IpAddr> {
    let all = || want.attachments.iter().flat_map(|attachment| &attachment.addresses).map(|net| net.addr());
    let families = match publish.address {
        Some(host) => vec![host.is_ipv4()],
        None => vec![true, false],
    };
    families.into_iter().filter_map(|v4| all().find(|address| address.is_ipv4() == v4)).collect()
}

fn publication(entries: &mut Vec<Entry>, publish: &Publish, want: &Request) -> Result<(), Failure> {
    let targets = targets(publish, want);
    if targets.is_empty() {
        let object = format!("--publish={publish}");
        let message = format!("{object}: the jail has no address it could lead to");
        return Err(Failure::new(Kind::Invalid, "network", "plan", object, message)
            .hint("give it an address of that family with --net and --ip"));
    }
    if publish.protocol == Protocol::Udp {
        udp_answers(entries, publish, want);
    }
    if publish.host == publish.jail && publish.host.width() > 1 {
        whole_range(entries, publish, &targets, want.jail.number());
    } else {
        // nft cannot shift a range: one element a port.
        for (host, jail) in publish.host.ports().zip(publish.jail.ports()) {
            one_port(entries, publish, (host, jail), &targets, want.jail.number());
        }
    }
    Ok(())
}

/// Which host ports: `tcp . 80`, or for one host address `10.0.0.1 . tcp . 80`.
fn port_key(publish: &Publish, port: Expr) -> Expr {
    let address = publish.address.map(|address| text(address.to_string()));
    concat(address.into_iter().chain([text(publish.protocol.as_str()), port]).collect::<Vec<_>>())
}

fn one_port(
    entries: &mut Vec<Entry>,
    publish: &Publish,
    (host, jail): (u16, u16),
    targets: &[IpAddr],
    id: u32,
) {
    let key = || port_key(publish, number(host.into()));
    let mut add = |set: String, value| entries.push(Entry::new(NfFamily::INet, set, key()).with(value));
    let (owner, port) = match publish.address {
        None => ("ports".into(), "to_port".into()),
        Some(at) => (format!("at{}", digit(at)), format!("at_port{}", digit(at))),
    };
    add(owner, number(id));
    add(port, number(jail.into()));
    let prefix = if publish.address.is_some() { "at" } else { "to" };
    for target in targets {
        add(format!("{prefix}_addr{}", digit(*target)), text(target.to_string()));
    }
}

fn whole_range(entries: &mut Vec<Entry>, publish: &Publish, targets: &[IpAddr], id: u32) {
    let key = || port_key(publish, range(publish.host.first, publish.host.last));
    let mut add = |set: String, value| entries.push(Entry::new(NfFamily::INet, set, key()).with(value));
    let (owner, prefix) = match publish.address {
        None => ("ranges".into(), "range"),
        Some(at) => (format!("at_ranges{}", digit(at)), "at_range"),
    };
    add(owner, number(id));
    for target in targets {
        add(format!("{prefix}_addr{}", digit(*target)), text(target.to_string()));
    }
}

/// What a neighbour that is not a jail may be answered from over UDP, on every bridge the jail is on.
fn udp_answers(entries: &mut Vec<Entry>, publish: &Publish, want: &Request) {
    let ports = publish.jail;
    let (set, port) = match ports.width() {
        1 => ("answers", number(ports.first.into())),
        _ => ("answer_ranges", range(ports.first, ports.last)),
    };
    for attachment in &want.attachments {
        let entry =
            Entry::new(NfFamily::Bridge, set, concat([text(&attachment.host_interface), port.clone()]));
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
}

// ---- as commands --------------------------------------------------------------------------------------------------

/// The commands that add these elements, commented with whose they are.
///
/// An element that is there with the same value stays as it is; one with another value fails them all (EEXIST).
pub(crate) fn add(entries: &[Entry], comment: &str) -> Vec<Object> {
    commands(entries, |entry| {
        let key = Expression::Named(NamedExpression::Elem(Elem {
            val: Box::new(entry.key.clone()),
            timeout: None,
            expires: None,
            comment: Some(comment.to_owned().into()),
            counter: None,
        }));
        pair(key, entry)
    })
    .map(|element| NfObject::CmdObject(NfCmd::Add(element)))
    .collect()
}

/// The commands that remove these elements if they are the jail's, and change nothing (EEXIST) if a key has become
/// another jail's: nft's delete ignores the value, so each is first added with the value it should have. For that
/// reason one that is not there is no error either.
pub(crate) fn remove(entries: &[Entry]) -> Vec<Object> {
    let claim = commands(entries, |entry| pair(entry.key.clone(), entry));
    let delete = commands(entries, |entry| entry.key.clone());
    let claim = claim.map(|element| NfObject::CmdObject(NfCmd::Add(element)));
    claim.chain(delete.map(|element| NfObject::CmdObject(NfCmd::Delete(element)))).collect()
}

fn pair(key: Expr, entry: &Entry) -> Expr {
    match &entry.value {
        Some(value) => Expression::List(vec![key, value.clone()]),
        None => key,
    }
}

/// One object for each run of elements of the same set.
fn commands(
    entries: &[Entry],
    element: impl Fn(&Entry) -> Expr,
) -> impl Iterator<Item = NfListObject<'static>> {
    entries.chunk_by(|a, b| a.family == b.family && a.set == b.set).map(move |run| {
        NfListObject::Element(Element {
            family: run[0].family,
            table: TABLE.into(),
            name: run[0].set.clone().into(),
            elem: run.iter().map(&element).collect::<Vec<_>>().into(),
        })
    })
}
