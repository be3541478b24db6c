//! The host's half: safe, thin wrappers for system calls that std does not have. Anything may call them at any time,
//! except in the child, which has its own.

#[cfg(feature = "tokio")]
pub mod event;
pub mod fd;
pub mod landlock;
pub mod mount;
pub mod packet;
pub mod process;
pub mod terminal;
