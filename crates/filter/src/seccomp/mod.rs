//! The filter on system calls: which may be called, by number and by argument. See seccomp(2).
//!
//! `table` (what has a name) + `arguments` (what is checked) + `rules` (what the user says: `changes`, lists of `item`s,
//! a `profile` in the form of `oci`) -> `policy` (a verdict per number) -> `compile` (BPF) -> `filter` (what the kernel
//! takes).

mod action;
mod arguments;
mod changes;
mod compile;
mod errno;
mod filter;
mod item;
mod oci;
mod policy;
mod profile;
mod protocol;
mod rules;
mod table;
mod verdict;

#[cfg(test)]
mod verdict_tests;

pub use action::ErrorAction;
pub use changes::Changes;
pub use errno::Errno;
pub use filter::Filter;
pub use item::{Item, Target};
pub use profile::Profile;
pub use protocol::Protocol;
pub use rules::{Rules, SeccompSpec};

pub(crate) use filter::build;
pub(crate) use item::short;
#[cfg(test)]
pub(crate) use table::{Standing, call};
