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

/// An expression.
pub type Expr = Expression<'static>;
/// A statement of a rule.
pub type Stmt = Statement<'static>;
/// A command.
pub type Object = NfObject<'static>;

/// Protocol numbers of RFC 1700.
const ICMP: u32 = 1;
/// TCP.
pub const TCP: u32 = 6;
/// UDP.
pub const UDP: u32 = 17;
const ICMPV6: u32 = 58;

// ---- expressions --------------------------------------------------------------------------------------------------

/// A word: a name, an address, a value nft knows by name.
pub fn text(text: impl Into<String>) -> Expr {
    Expression::String(text.into().into())
}

/// A reference to a named set or map.
pub fn at(set: &str) -> Expr {
    text(format!("@{set}"))
}

/// Several parts as one key.
pub fn concat(parts: impl Into<Vec<Expr>>) -> Expr {
    Expression::Named(NamedExpression::Concat(parts.into()))
}

/// One of several values.
pub fn any_of(items: &[&str]) -> Expr {
    let items = items.iter().map(|item| SetItem::Element(text(*item)));
    Expression::Named(NamedExpression::Set(items.collect()))
}

/// Ports from one to another, both included.
pub fn range(first: u16, last: u16) -> Expr {
    Expression::Range(Box::new(Range { range: [number(first.into()), number(last.into())] }))
}

/// A number.
pub fn number(number: u32) -> Expr {
    Expression::Number(number)
}

/// All addresses that begin as `address` does, for `len` bits.
pub fn prefix(address: impl Into<String>, len: u8) -> Expr {
    Expression::Named(NamedExpression::Prefix(Prefix { addr: Box::new(text(address)), len: len.into() }))
}

/// A field of a header.
pub fn field(protocol: &'static str, field: &'static str) -> Expr {
    let field = PayloadField { protocol: protocol.into(), field: field.into() };
    Expression::Named(NamedExpression::Payload(Payload::PayloadField(field)))
}

/// What the kernel knows of a packet beside its bytes.
pub fn meta(key: MetaKey) -> Expr {
    Expression::Named(NamedExpression::Meta(Meta { key }))
}

/// The interface it came in by, by name.
pub fn iif() -> Expr {
    meta(MetaKey::Iifname)
}

/// The interface it goes out by, by name.
pub fn oif() -> Expr {
    meta(MetaKey::Oifname)
}

fn ct(key: &'static str) -> Expr {
    Expression::Named(NamedExpression::CT(CT { key: key.into(), family: None, dir: None }))
}

/// The bits of `left` that `mask` has.
pub fn and(left: Expr, mask: Expr) -> Expr {
    Expression::BinaryOperation(Box::new(BinaryOperation::AND(left, mask)))
}

fn look_up(key: Expr, map: &str) -> Expr {
    Expression::Named(NamedExpression::Map(Box::new(Map { key, data: at(map) })))
}

// ---- statements ---------------------------------------------------------------------------------------------------

/// Equal.
pub fn is(left: Expr, right: Expr) -> Stmt {
    Statement::Match(Match { left, right, op: Operator::EQ })
}

/// Not equal.
pub fn is_not(left: Expr, right: Expr) -> Stmt {
    Statement::Match(Match { left, right, op: Operator::NEQ })
}

/// An element of a set.
pub fn in_set(key: Expr, set: &str) -> Stmt {
    is(key, at(set))
}

/// No element of a set.
pub fn not_in_set(key: Expr, set: &str) -> Stmt {
    is_not(key, at(set))
}

/// The connection's state is this one.
pub fn state(state: &'static str) -> Stmt {
    Statement::Match(Match { left: ct("state"), right: text(state), op: Operator::IN })
}

/// An error about a connection. Nothing else counts as related: with a connection tracking helper on the host, a
/// published FTP service could otherwise open any connection it announces.
pub fn related_error() -> [Stmt; 2] {
    [state("related"), l4_is(&[ICMP, ICMPV6])]
}

/// The connection's destination was rewritten: it was published, by us or by somebody else.
pub fn was_dnat() -> Stmt {
    Statement::Match(Match { left: ct("status"), right: text("dnat"), op: Operator::IN })
}

/// The destination is an address of the namespace's own.
pub fn to_own_address() -> Stmt {
    is(kind_of(FibFlag::Daddr), text("local"))
}

/// The source is no address of the namespace's own.
pub fn from_others_address() -> Stmt {
    is_not(kind_of(FibFlag::Saddr), text("local"))
}

fn kind_of(address: FibFlag) -> Expr {
    let fib = Fib { result: FibResult::Type, flags: HashSet::from([address]) };
    Expression::Named(NamedExpression::Fib(fib))
}

/// Its protocol is one of these.
pub fn l4_is(protocols: &[u32]) -> Stmt {
    let protocols = protocols.iter().map(|protocol| SetItem::Element(number(*protocol)));
    is(meta(MetaKey::L4proto), Expression::Named(NamedExpression::Set(protocols.collect())))
}

/// No more rules of this chain or those that called it.
pub fn accept() -> Stmt {
    Statement::Accept(None)
}

/// It goes no further.
pub fn drop() -> Stmt {
    Statement::Drop(None)
}

/// Counts packets and bytes.
pub fn count() -> Stmt {
    Statement::Counter(Counter::Anonymous(None))
}

/// Refuses with an ICMP error that makes connect(2) fail at once.
pub fn refuse() -> Stmt {
    Statement::Reject(Some(Reject::new(Some(RejectType::ICMPX), Some(RejectCode::AdminProhibited))))
}

/// Through another chain, and back.
pub fn jump(chain: &'static str) -> Stmt {
    Statement::Jump(JumpTarget { target: chain.into() })
}

/// Through another chain, and not back.
pub fn goto(chain: &'static str) -> Stmt {
    Statement::Goto(JumpTarget { target: chain.into() })
}

/// Gives the packet a mark.
pub fn set_mark(mark: u32) -> Stmt {
    Statement::Mangle(Mangle { key: meta(MetaKey::Mark), value: number(mark) })
}

/// Rewrites the source to the address of the interface it goes out by.
pub fn masquerade() -> Stmt {
    Statement::Masquerade(None)
}

/// Rewrites the destination to what two maps say of `key`; a key without an entry ends the rule without a match.
pub fn dnat(family: NATFamily, key: &Expr, address: &str, port: Option<&str>) -> Stmt {
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
pub struct Writer {
    family: NfFamily,
    name: &'static str,
    objects: Vec<Object>,
}

impl Writer {
    /// A table that must not be there yet: whoever comes second is told so by the kernel.
    pub fn create(family: NfFamily, name: &'static str) -> Self {
        let table = NfListObject::Table(table(family, name));
        Writer { family, name, objects: vec![NfObject::CmdObject(NfCmd::Create(table))] }
    }

    /// The commands written so far.
    pub fn finish(self) -> Vec<Object> {
        self.objects
    }

    fn add(&mut self, object: NfListObject<'static>) {
        self.objects.push(NfObject::CmdObject(NfCmd::Add(object)));
    }

    /// A set of this name.
    pub fn set(&mut self, name: &str, key: &[SetType], flags: &[SetFlag]) {
        self.add(NfListObject::Set(Box::new(Set {
            family: self.family,
            table: self.name.into(),
            name: name.to_owned().into(),
            set_type: types(key),
            flags: flag_set(flags),
            ..Set::default()
        })));
    }

    /// A map of this name.
    pub fn map(&mut self, name: &str, key: &[SetType], value: SetType, flags: &[SetFlag]) {
        self.add(NfListObject::Map(Box::new(nftables::schema::Map {
            family: self.family,
            table: self.name.into(),
            name: name.to_owned().into(),
            set_type: types(key),
            map: SetTypeValue::Single(value),
            flags: flag_set(flags),
            ..nftables::schema::Map::default()
        })));
    }

    /// What a set of this table holds from the start.
    pub fn elements(&mut self, set: &str, keys: impl IntoIterator<Item = Expr>) {
        let keys: Vec<_> = keys.into_iter().collect();
        if !keys.is_empty() {
            self.add(NfListObject::Element(Element {
                family: self.family,
                table: self.name.into(),
                name: set.to_owned().into(),
                elem: keys.into(),
            }));
        }
    }

    /// A chain that others jump to.
    pub fn chain(&mut self, name: &'static str) {
        let chain =
            Chain { family: self.family, table: self.name.into(), name: name.into(), ..Chain::default() };
        self.add(NfListObject::Chain(chain));
    }

    /// A chain that the kernel calls.
    pub fn hook(&mut self, name: &'static str, kind: NfChainType, hook: NfHook, priority: i32) {
        let chain = self.base_chain(name.into(), kind, hook, priority);
        self.add(NfListObject::Chain(chain));
    }

    /// A chain that the kernel calls for each frame that leaves by an interface (family netdev). It has the
    /// interface's name.
    pub fn egress(&mut self, interface: &str) {
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
            table: self.name.into(),
            name,
            _type: Some(kind),
            hook: Some(hook),
            prio: Some(priority),
            policy: Some(NfChainPolicy::Accept),
            ..Chain::default()
        }
    }

    /// A rule at the end of a chain.
    pub fn rule(&mut self, chain: impl Into<Cow<'static, str>>, statements: impl Into<Vec<Stmt>>) {
        self.add(NfListObject::Rule(Rule {
            family: self.family,
            table: self.name.into(),
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

fn table(family: NfFamily, name: &'static str) -> Table<'static> {
    Table { family, name: name.into(), handle: None }
}

/// The families of the tables that these commands make.
pub fn families(commands: &[Object]) -> impl Iterator<Item = NfFamily> {
    commands.iter().filter_map(|command| match command {
        NfObject::CmdObject(NfCmd::Create(NfListObject::Table(table))) => Some(table.family),
        _ => None,
    })
}

/// Removes a table of ours, or nothing when there is none: nft 1.0.6 has no `destroy`, adding it first does the same.
pub fn remove_table(family: NfFamily, name: &'static str) -> [Object; 2] {
    [
        NfObject::CmdObject(NfCmd::Add(NfListObject::Table(table(family, name)))),
        NfObject::CmdObject(NfCmd::Delete(NfListObject::Table(table(family, name)))),
    ]
}
