//! The filter on system calls: which may be called, by number and by argument. See seccomp(2).
//!
//! `table` (what has a name) + `arguments` (what is checked) + `changes` (what the user says) -> `policy` (a verdict
//! per number) -> `compile` (BPF) -> `filter` (what the kernel takes).

mod arguments;
mod changes;
mod compile;
mod filter;
mod policy;
mod protocol;
mod table;
mod verdict;

#[cfg(test)]
mod verdict_tests;

pub use changes::{Changes, SeccompSpec};
pub use filter::Filter;
pub use protocol::Protocol;

pub(crate) use changes::Change;
pub(crate) use filter::build;
