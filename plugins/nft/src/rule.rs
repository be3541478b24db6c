//! Short words for the parts of a rule set: thin constructors over the types of the crate `nftables`.

use std::borrow::Cow;
use std::collections::HashSet;

use nftables::expr::{
    BinaryOperation, CT, Expression, Fib, FibFlag, FibResult, Map, Meta, MetaKey, NamedExpression, Payload,
    PayloadField, Prefix, Range, SetItem,
};
use nftables::schema::{
    Chain, Element, NfCmd, NfListObject, NfObject, Rule, Set, SetFlag, SetType, SetTypeValue, Table,
};
use nftables::stmt::{
    Counter, JumpTarget, Mangle, Match, NAT, NATFamily, Operator, Reject, RejectType, Statement,
};
use nftables::types::{NfChainPolicy, NfChainType, NfFamily, NfHook, RejectCode};

pub(crate) type Expr = Expression<'static>;
pub(crate) type Stmt = Statement<'static>;
pub(crate) type Object = NfObject<'static>;

/// The name of every table of ours.
pub(crate) const TABLE: &str = "jail";

/// Protocol numbers of RFC 1700.
const ICMP: u32 = 1;
pub(crate) const TCP: u32 = 6;
pub(crate) const UDP: u32 = 17;
const ICMPV6: u32 = 58;

// ---- expressions --------------------------------------------------------------------------------------------------

pub(crate) fn text(text: impl Into<String>) -> Expr {
    Expression::String(text.into().into())
}

/// A reference to a named set or map.
pub(crate) fn at(set: &str) -> Expr {
    text(format!("@{set}"))
}

pub(crate) fn concat(parts: impl Into<Vec<Expr>>) -> Expr {
    Expression::Named(NamedExpression::Concat(parts.into()))
}

/// One of several values.
pub(crate) fn any_of(items: &[&str]) -> Expr {
    let items = items.iter().map(|item| SetItem::Element(text(*item)));
    Expression::Named(NamedExpression::Set(items.collect()))
}

pub(crate) fn range(first: u16, last: u16) -> Expr {
    Expression::Range(Box::new(Range { range: [number(first.into()), number(last.into())] }))
}

pub(crate) fn number(number: u32) -> Expr {
    Expression::Number(number)
}

pub(crate) fn prefix(address: impl Into<String>, len: u8) -> Expr {
    Expression::Named(NamedExpression::Prefix(Prefix { addr: Box::new(text(address)), len: len.into() }))
}

pub(crate) fn field(protocol: &'static str, field: &'static str) -> Expr {
    let field = PayloadField { protocol: protocol.into(), field: field.into() };
    Expression::Named(NamedExpression::Payload(Payload::PayloadField(field)))
}

pub(crate) fn meta(key: MetaKey) -> Expr {
    Expression::Named(NamedExpression::Meta(Meta { key }))
}

pub(crate) fn iif() -> Expr {
    meta(MetaKey::Iifname)
}

pub(crate) fn oif() -> Expr {
    meta(MetaKey::Oifname)
}

fn ct(key: &'static str) -> Expr {
    Expression::Named(NamedExpression::CT(CT { key: key.into(), family: None, dir: None }))
}

pub(crate) fn and(left: Expr, mask: Expr) -> Expr {
    Expression::BinaryOperation(Box::new(BinaryOperation::AND(left, mask)))
}

fn look_up(key: Expr, map: &str) -> Expr {
    Expression::Named(NamedExpression::Map(Box::new(Map { key, data: at(map) })))
}

// ---- statements ---------------------------------------------------------------------------------------------------

pub(crate) fn is(left: Expr, right: Expr) -> Stmt {
    Statement::Match(Match { left, right, op: Operator::EQ })
}

pub(crate) fn is_not(left: Expr, right: Expr) -> Stmt {
    Statement::Match(Match { left, right, op: Operator::NEQ })
}

pub(crate) fn in_set(key: Expr, set: &str) -> Stmt {
    is(key, at(set))
}

pub(crate) fn not_in_set(key: Expr, set: &str) -> Stmt {
    is_not(key, at(set))
}

pub(crate) fn state(state: &'static str) -> Stmt {
    Statement::Match(Match { left: ct("state"), right: text(state), op: Operator::IN })
}

/// An error about a connection. Nothing else counts as related: with a connection tracking helper on the host, a
/// published FTP service could otherwise open any connection it announces.
pub(crate) fn related_error() -> [Stmt; 2] {
    [state("related"), l4_is(&[ICMP, ICMPV6])]
}

/// The connection's destination was rewritten: it was published, by us or by somebody else.
pub(crate) fn was_dnat() -> Stmt {
    Statement::Match(Match { left: ct("status"), right: text("dnat"), op: Operator::IN })
}

/// The destination is an address of the namespace's own.
pub(crate) fn to_own_address() -> Stmt {
    is(kind_of(FibFlag::Daddr), text("local"))
}

/// The source is no address of the namespace's own.
pub(crate) fn from_others_address() -> Stmt {
    is_not(kind_of(FibFlag::Saddr), text("local"))
}

fn kind_of(address: FibFlag) -> Expr {
    let fib = Fib { result: FibResult::Type, flags: HashSet::from([address]) };
    Expression::Named(NamedExpression::Fib(fib))
}

pub(crate) fn l4_is(protocols: &[u32]) -> Stmt {
    let protocols = protocols.iter().map(|protocol| SetItem::Element(number(*protocol)));
    is(meta(MetaKey::L4proto), Expression::Named(NamedExpression::Set(protocols.collect())))
}

pub(crate) fn accept() -> Stmt {
    Statement::Accept(None)
}

pub(crate) fn drop() -> Stmt {
    Statement::Drop(None)
}

pub(crate) fn count() -> Stmt {
    Statement::Counter(Counter::Anonymous(None))
}

/// Refuses with an ICMP error that makes connect(2) fail at once.
pub(crate) fn refuse() -> Stmt {
    Statement::Reject(Some(Reject::new(Some(RejectType::ICMPX), Some(RejectCode::AdminProhibited))))
}

pub(crate) fn jump(chain: &'static str) -> Stmt {
    Statement::Jump(JumpTarget { target: chain.into() })
}

pub(crate) fn goto(chain: &'static str) -> Stmt {
    Statement::Goto(JumpTarget { target: chain.into() })
}

pub(crate) fn set_mark(mark: u32) -> Stmt {
    Statement::Mangle(Mangle { key: meta(MetaKey::Mark), value: number(mark) })
}

pub(crate) fn masquerade() -> Stmt {
    Statement::Masquerade(None)
}

/// Rewrites the destination to what two maps say of `key`; a key without an entry ends the rule without a match.
pub(crate) fn dnat(family: NATFamily, key: &Expr, address: &str, port: Option<&str>) -> Stmt {
    Statement::DNAT(Some(NAT {
        addr: Some(look_up(key.clone(), address)),
        family: Some(family),
        port: port.map(|map| look_up(key.clone(), map)),
        flags: None,
    }))
}

// ---- a table ------------------------------------------------------------------------------------------------------

/// A table being written, as the commands that make it.
#[derive(Debug)]
pub(crate) struct Writer {
    family: NfFamily,
    objects: Vec<Object>,
}

impl Writer {
    /// A table that must not be there yet: whoever comes second is told so by the kernel.
    pub(crate) fn create(family: NfFamily) -> Self {
        let table = NfListObject::Table(table(family));
        Writer { family, objects: vec![NfObject::CmdObject(NfCmd::Create(table))] }
    }

    pub(crate) fn finish(self) -> Vec<Object> {
        self.objects
    }

    fn add(&mut self, object: NfListObject<'static>) {
        self.objects.push(NfObject::CmdObject(NfCmd::Add(object)));
    }

    pub(crate) fn set(&mut self, name: &str, key: &[SetType], flags: &[SetFlag]) {
        self.add(NfListObject::Set(Box::new(Set {
            family: self.family,
            table: TABLE.into(),
            name: name.to_owned().into(),
            set_type: types(key),
            flags: flag_set(flags),
            ..Set::default()
        })));
    }

    pub(crate) fn map(&mut self, name: &str, key: &[SetType], value: SetType, flags: &[SetFlag]) {
        self.add(NfListObject::Map(Box::new(nftables::schema::Map {
            family: self.family,
            table: TABLE.into(),
            name: name.to_owned().into(),
            set_type: types(key),
            map: SetTypeValue::Single(value),
            flags: flag_set(flags),
            ..nftables::schema::Map::default()
        })));
    }

    /// What a set of this table holds from the start.
    pub(crate) fn elements(&mut self, set: &str, keys: impl IntoIterator<Item = Expr>) {
        let keys: Vec<_> = keys.into_iter().collect();
        if !keys.is_empty() {
            self.add(NfListObject::Element(Element {
                family: self.family,
                table: TABLE.into(),
                name: set.to_owned().into(),
                elem: keys.into(),
            }));
        }
    }

    /// A chain that others jump to.
    pub(crate) fn chain(&mut self, name: &'static str) {
        let chain = Chain { family: self.family, table: TABLE.into(), name: name.into(), ..Chain::default() };
        self.add(NfListObject::Chain(chain));
    }

    /// A chain that the kernel calls.
    pub(crate) fn hook(&mut self, name: &'static str, kind: NfChainType, hook: NfHook, priority: i32) {
        let chain = self.base_chain(name.into(), kind, hook, priority);
        self.add(NfListObject::Chain(chain));
    }

    /// A chain that the kernel calls for each frame that leaves by an interface (family netdev). It has the
    /// interface's name.
    pub(crate) fn egress(&mut self, interface: &str) {
        let name = interface.to_owned();
        let chain = self.base_chain(name.clone().into(), NfChainType::Filter, NfHook::Egress, 0);
        self.add(NfListObject::Chain(Chain { dev: Some(name.into()), ..chain }));
    }

    fn base_chain(
        &self,
        name: Cow<'static, str>,
        kind: NfChainType,
        hook: NfHook,
        priority: i32,
    ) -> Chain<'static> {
        Chain {
            family: self.family,
            table: TABLE.into(),
            name,
            _type: Some(kind),
            hook: Some(hook),
            prio: Some(priority),
            policy: Some(NfChainPolicy::Accept),
            ..Chain::default()
        }
    }

    pub(crate) fn rule(&mut self, chain: impl Into<Cow<'static, str>>, statements: impl Into<Vec<Stmt>>) {
        self.add(NfListObject::Rule(Rule {
            family: self.family,
            table: TABLE.into(),
            chain: chain.into(),
            expr: statements.into().into(),
            ..Rule::default()
        }));
    }
}

fn types(key: &[SetType]) -> SetTypeValue<'static> {
    match key {
        [one] => SetTypeValue::Single(*one),
        several => SetTypeValue::Concatenated(several.to_vec().into()),
    }
}

fn flag_set(flags: &[SetFlag]) -> Option<HashSet<SetFlag>> {
    (!flags.is_empty()).then(|| flags.iter().copied().collect())
}

fn table(family: NfFamily) -> Table<'static> {
    Table { family, name: TABLE.into(), handle: None }
}

/// The families of the tables that these commands make.
pub(crate) fn families(commands: &[Object]) -> impl Iterator<Item = NfFamily> {
    commands.iter().filter_map(|command| match command {
        NfObject::CmdObject(NfCmd::Create(NfListObject::Table(table))) => Some(table.family),
        _ => None,
    })
}

/// Removes a table of ours, or nothing when there is none: nft 1.0.6 has no `destroy`, adding it first does the same.
pub(crate) fn remove_table(family: NfFamily) -> [Object; 2] {
    [
        NfObject::CmdObject(NfCmd::Add(NfListObject::Table(table(family)))),
        NfObject::CmdObject(NfCmd::Delete(NfListObject::Table(table(family)))),
    ]
}
