//! Raw system calls for starting a jail.
//!
//! A stage compiles what was asked for into [`op::Step`]s. [`launch::launch`] clones a child that shares this process's
//! memory and replays them with raw system calls alone, up to the execve: so a start costs the same from a program with a
//! gigabyte resident, and is safe in a program with many threads. What fails there comes back as a [`Failure`].
//!
//! Beside that: [`call`] wraps the system calls the host's half needs, [`lease`] is a thing of the machine that one jail
//! uses at a time, [`helper`] is the small program that waits in and beside a jail.
//!
//! This crate decides nothing: which steps, in which order, is up to the stages. It is where `unsafe` lives, in the
//! modules marked below and in the helper.

#[cfg(test)]
#[path = "../helper/arguments.rs"]
mod arguments;
#[allow(unsafe_code)]
pub mod call;
#[allow(unsafe_code)]
mod clone;
pub mod failure;
pub mod helper;
pub mod ids;
#[allow(unsafe_code)]
mod interpret;
#[allow(unsafe_code)]
mod kernel;
#[allow(unsafe_code)]
pub mod launch;
#[allow(unsafe_code)]
pub mod lease;
mod nearest;
pub mod op;
#[path = "../helper/protocol.rs"]
mod protocol;
#[allow(unsafe_code)]
mod raw;
mod record;
mod script;
mod text;

pub use failure::{Failure, Kind};
pub use ids::IdMap;
pub use nearest::nearest;
pub use text::{printable, short};
