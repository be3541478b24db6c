//! The filter on system calls: which may be called, by number and by argument. See seccomp(2).
//!
//! `table` (what has a name) + `arguments` (what is checked) + `rules` (what the user says) -> `policy` (a verdict
//! per number) -> `compile` (BPF) -> `filter` (what the kernel takes).

mod arguments;
mod changes;
mod compile;
mod filter;
mod names;
mod policy;
mod protocol;
mod rules;
mod table;
mod verdict;

#[cfg(test)]
mod verdict_tests;

pub use changes::Changes;
pub use filter::Filter;
pub use protocol::Protocol;
pub use rules::{Rules, SeccompSpec};
pub use verdict::ErrorAction;

pub(crate) use changes::Change;
pub(crate) use filter::build;
#[cfg(test)]
pub(crate) use table::Standing;
pub(crate) use table::call;
