//! The `Backend` trait: what a link or firewall implementation does, and the messages it is asked with.
//!
//! # Contract
//!
//! * [`Backend::describe`], [`Backend::probe`], [`Backend::plan`] and [`Backend::check`] change nothing on the host.
//! * [`Backend::attach`] is all or nothing: when it answers an error or [`Attached::taken`], nothing of it is left. It is
//!   called only after the undo of its [`Actions`] is in the journal, and again for the same jail only after
//!   [`Attached::taken`]; the caller may die at any moment of it.
//! * [`Backend::detach`] and [`Backend::gc`] are idempotent, and work in a process that never called `attach`, for a
//!   jail whose network namespace may be gone. Removing what is not there is success.
//! * A backend changes only what is named after the jail, and the shared things, which
//!   are made with the first jail and removed with the last one: [`Backend::detach`] says so with `last`. The caller
//!   holds the machine's network lock around `detach` with `last` set, so no other jail of ours starts meanwhile.
//! * Calls of different jails may run at the same time, in different processes.
//! * Nothing outlives a call: descriptors opened in the jail's network namespace are closed before it returns.
//! * In a plugin every call gets a backend made anew by `Default`, on a thread and in a current-thread tokio runtime of
//!   its own: what one call learns the next does not know. A call that began is driven to its end.
//! * A [`Failure`] names what the user gave (`--publish=80`) as its object, and the remedy as its hint.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use async_trait::async_trait;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::model::{Attachment, Egress, JailId, Network, Publish};
pub use jail_sys::{Failure, Kind};

/// What a backend is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Gives the jail its interfaces.
    Link,
    /// Publishes its ports and refuses the connections it may not open.
    Firewall,
}

impl Role {
    /// `link` or `firewall`.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Link => "link",
            Role::Firewall => "firewall",
        }
    }
}

/// What a backend says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Its name, as `--backend` takes it.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Its version.
    pub version: String,
    /// One line for `jail backends`.
    pub summary: String,
    /// Options it takes, name to one-line description.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// Whether a backend can work on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "support")]
pub enum Support {
    /// It can.
    Yes,
    /// It cannot.
    No {
        /// Why, as a clause: `no program nft in PATH`.
        reason: String,
        /// The remedy.
        hint: String,
    },
}

/// What a jail's network should be: everything `plan` needs. Pure data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Whose network.
    pub jail: JailId,
    /// The jail's name, for comments a person reads.
    pub name: String,
    /// Its interfaces, in order; a link backend is asked for its own only.
    pub attachments: Vec<Attachment>,
    /// The ports published, each to the first address of the family that is on a bridge.
    #[serde(default)]
    pub publish: Vec<Publish>,
    /// The connections it may open.
    #[serde(default)]
    pub egress: Egress,
    /// What [`Egress::Allow`] does not open: the host's own addresses and the other networks of ours (firewall role).
    #[serde(default)]
    pub off_limits: Vec<IpNet>,
    /// The ports jails publish on this host, this one's included: reached by the host's address all the same.
    #[serde(default)]
    pub published: Vec<Publish>,
    /// Host interfaces that forward only because we switched it on: nothing but ours may pass them (firewall role).
    #[serde(default)]
    pub forwards: Vec<String>,
}

/// What `attach` would do. Opaque to the caller but for `words`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actions {
    /// Each action in words, in order, for `jail plan`.
    pub words: Vec<String>,
    /// What the backend's own `attach` reads.
    pub data: serde_json::Value,
    /// What the backend's own `detach` reads; journaled before `attach`.
    pub undo: Undo,
    /// Whether `attach` asks others on a segment for the addresses first, which takes a while and may end with
    /// [`Attached::taken`] (link role).
    #[serde(default)]
    pub probes: bool,
}

/// What undoes an attach, in the backend's own form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Undo(pub serde_json::Value);

/// What an attach achieved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The interfaces as they are now, in the request's order (link role; empty for a firewall).
    #[serde(default)]
    pub interfaces: Vec<Interface>,
    /// Addresses that others use already. Where there is one nothing was attached, and the caller may plan and attach
    /// again with another (link role).
    #[serde(default)]
    pub taken: Vec<Taken>,
}

/// An address of an attachment that somebody else on its segment uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The address.
    pub address: IpAddr,
    /// The MAC address of who answered for it.
    pub mac: String,
}

/// An interface of a jail as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its name inside.
    pub name: String,
    /// Its MAC address.
    pub mac: String,
    /// Its MTU.
    pub mtu: u32,
}

/// Differences between what should be and what is, each in words; empty when there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// One clause per difference: `link j3fa04b11c2d90 is missing`.
    pub differences: Vec<String>,
}

/// What `gc` removed, each in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaped {
    /// One clause per thing removed: `link j3fa04b11c2d90`.
    pub removed: Vec<String>,
}

/// How thorough a detach is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detach {
    /// Return only when it can be seen to be gone (a link that goes with its namespace takes a while).
    pub wait: bool,
    /// No other jail uses this backend: remove the things shared by all of them too.
    pub last: bool,
}

/// A link or firewall implementation. See the module's contract.
#[async_trait]
pub trait Backend: Send + Sync {
    /// What it is.
    fn describe(&self) -> Description;

    /// Whether it can work on this host. Spawns nothing.
    async fn probe(&self) -> Result<Support, Failure>;

    /// What `attach` would do, with its undo.
    async fn plan(&self, want: &Request) -> Result<Actions, Failure>;

    /// Does it. `netns` is the jail's network namespace.
    async fn attach(&self, actions: &Actions, netns: BorrowedFd<'_>) -> Result<Attached, Failure>;

    /// What differs from what should be. Changes nothing.
    async fn check(&self, want: &Request) -> Result<Drift, Failure>;

    /// Removes what belongs to the jail: exactly that with the undo, by its name without.
    async fn detach(&self, jail: &JailId, undo: Option<&Undo>, how: Detach) -> Result<(), Failure>;

    /// Removes what belongs to a jail that is not in `alive`, and with nobody alive what is shared. A firewall is told of
    /// the jails that have their rules by it, a link backend of all.
    async fn gc(&self, alive: &[JailId]) -> Result<Reaped, Failure>;

    /// Makes a network's bridge, or sees that its interface is there (link role). Answers the network with what the host
    /// says of it filled in: the subnets of an interface that is not ours.
    async fn network_up(&self, network: &Network) -> Result<Network, Failure> {
        Err(not_for(&self.describe(), "network_up", &network.name))
    }

    /// Removes the bridge of a network of ours; what is not ours stays (link role). Idempotent.
    async fn network_down(&self, network: &Network) -> Result<(), Failure> {
        Err(not_for(&self.describe(), "network_down", &network.name))
    }

    /// The network that the host's interface of this name is, read from the host; `None` when there is none of the kind
    /// that this backend puts jails on (link role).
    async fn network_of(&self, interface: &str) -> Result<Option<Network>, Failure> {
        Err(not_for(&self.describe(), "network_of", interface))
    }
}

fn not_for(backend: &Description, operation: &'static str, object: &str) -> Failure {
    let message = format!("the backend {} does not make networks", backend.name);
    Failure::new(Kind::Unsupported, "network", operation, object, message)
        .hint("choose a link backend with --backend")
}
