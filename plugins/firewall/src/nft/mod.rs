//! nftables: rule sets as typed JSON, tables that are the same for 1 or 1,000 jails, and elements that come and go.
//!
//! A jail's share of a table is set and map elements, so that a packet meets the same few rules however many jails run.

pub mod bridge;
pub mod entry;
pub mod foreign;
pub mod listing;
pub mod netlink;
pub mod rule;
pub mod run;
mod tables;
mod udp;

use nftables::types::NfFamily;

pub use tables::{Tables, taken};

/// A family as nft writes it.
pub fn word(family: NfFamily) -> &'static str {
    match family {
        NfFamily::Bridge => "bridge",
        _ => "inet",
    }
}
