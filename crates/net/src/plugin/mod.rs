//! Backends as shared libraries, loaded at run time: the C ABI, the plugin's half of it and the host's.
//!
//! Rust has no stable ABI and each library carries its own std and its own tokio, so only C types and JSON cross:
//! `include/jail_plugin.h` is the contract, [`abi`] the same in Rust. A plugin in Rust is an `impl Backend`, [`sdk`] and
//! [`export_backend!`](crate::export_backend); `examples/null.rs` is a whole one.
//!
//! The host trusts a plugin with its own rights, and believes nothing it says: a wrong file, version or answer, a panic
//! and a call that does not return are one [`Failure`](crate::backend::Failure) each. What no host survives is a plugin
//! that ends the process (abort(3), a segmentation fault); one whose library initialiser does not return keeps glibc's
//! loader locked, and no other can be loaded. Then the jail ends by its lifeline, and the next start or `gc` undoes what
//! the journal names. [`survey`] tries each in a process of its own and outlives them all.
//!
//! A host is linked dynamically: a static one loads a library and crashes at the first call into it.

pub mod abi;
mod apart;
mod elf;
pub mod export;
mod find;
mod host;
mod library;
mod load;
mod message;
mod refuse;
pub mod sdk;
mod trust;

pub use find::{Candidate, Found, INSTALLED, directories, find, open, survey};
pub use host::Plugin;
pub use load::{DEADLINE, load, load_within};
