//! `Spec`: what the user asked for, in their own terms. Nothing here is looked up or decided.

mod network;

pub use jail_filter::{
    CapsSpec, ErrorAction, FilterSpec, Profile, Protocol, Resource, Rlimit, Rules, SeccompSpec,
};
pub use jail_fs::{Bind, Grant, Tmpfs, ViewSpec};
pub use network::{Address, InterfaceSpec, Ip, Net, NetworkSpec};
use serde::{Deserialize, Serialize};

pub use crate::identity::{IdentitySpec, Timeout};
pub use crate::userns::Userns;

/// A jail as it was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spec {
    /// Its name (and host name); `None` takes the first program's base name.
    pub name: Option<String>,
    /// What to run: one argument that holds spaces or shell signs is run by `/bin/sh -c`, otherwise it is an argv.
    pub command: Vec<String>,
    /// Who it is: its host name, its user, its environment, its time.
    pub identity: IdentitySpec,
    /// What it sees of the file system.
    pub view: ViewSpec,
    /// What it may ask the kernel.
    pub filter: FilterSpec,
    /// Its network.
    pub network: NetworkSpec,
    /// Backends by name, at most one of each role; a role left open is chosen.
    pub backends: Vec<String>,
}
