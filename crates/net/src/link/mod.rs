//! What link backends have in common (feature `link`): rtnetlink(7) in the host's network namespace and in the jail's, an
//! interface set up from the inside, and the question whether somebody uses an address already.
//!
//! For plugins in Rust that make links; `plugins/bridge` and `plugins/macvlan` are written with it.

pub mod arp;
pub mod attachment;
pub mod inside;
pub mod request;
pub mod support;
mod wire;

pub use wire::{Events, Wire, errno, refused, wait_until};
