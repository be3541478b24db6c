//! What the firewall backends share: running their programs, the lock that outlives a killed caller, and what only
//! nftables can do for both of them ([`nft`]): checks at a jail's port of a bridge, and on frames that leave a jail.
//!
//! What this crate does not do: decide who may talk to whom once a packet is routed. That is each backend's own.

#![forbid(unsafe_code)]

mod holders;
mod lock;
pub mod nft;
mod place;
pub mod plan;
pub mod process;
pub mod reach;

pub use lock::Lock;
pub use place::Place;
