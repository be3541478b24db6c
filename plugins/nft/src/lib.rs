//! The firewall backend `nft`: publishes ports, and refuses the connections a jail may not open, with nftables.
//!
//! The host gets two tables named `jail` (`inet`, and `jail_firewall::nft::bridge`), the jail's network namespace one of
//! its own (`inner`), and another for machines on its bridge that are no jails (`jail_firewall::nft::foreign`). Each
//! change is one transaction of one nft(8) process; a jail's share of the host's tables is set and map elements. The
//! calls block: a plugin's call runs on a thread of its own. What a killed caller's nft still does is waited for.

#![forbid(unsafe_code)]

mod attach;
mod check;
mod detach;
mod elements;
mod inet;
mod inner;
#[cfg(test)]
mod packets;
mod plan;

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use async_trait::async_trait;
use jail_firewall::Place;
use jail_firewall::nft::rule::Object;
use jail_firewall::nft::{Tables, bridge};
use jail_firewall::plan::read;
use jail_net::backend::{
    Actions, Attached, Backend, Description, Detach, Drift, Failure, Reaped, Request, Role, Support, Undo,
};
use jail_net::model::JailId;
use nftables::types::NfFamily;

/// The name of the backend.
const NAME: &str = "nft";

/// The name of every table of ours.
const TABLE: &str = "jail";

/// The lock between those who add elements, who share it, and those who remove them.
const LOCK: &str = "nft";

/// The backend; keeps nothing between calls but where it works.
#[derive(Clone, Debug, Default)]
pub struct Nft(Place);

/// Our tables on the host.
fn tables(place: &Place) -> Tables<'_> {
    Tables { place, name: TABLE, families: &[NfFamily::INet, NfFamily::Bridge], make: table }
}

fn table(family: NfFamily) -> Vec<Object> {
    match family {
        NfFamily::Bridge => bridge::table(TABLE),
        _ => inet::table(),
    }
}

#[async_trait]
impl Backend for Nft {
    fn describe(&self) -> Description {
        Description {
            name: NAME.into(),
            role: Role::Firewall,
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "nftables, in tables of its own".into(),
            options: BTreeMap::new(),
        }
    }

    async fn probe(&self) -> Result<Support, Failure> {
        Ok(match self.0.find("nft") {
            Some(_) => Support::Yes,
            None => Support::No {
                reason: "no program nft in PATH".into(),
                hint: "install the package nftables".into(),
            },
        })
    }

    async fn plan(&self, want: &Request) -> Result<Actions, Failure> {
        plan::plan(want)
    }

    async fn attach(&self, actions: &Actions, netns: BorrowedFd<'_>) -> Result<Attached, Failure> {
        attach::attach(&self.0, &read(NAME, &actions.data)?, netns)?;
        Ok(Attached::default())
    }

    async fn check(&self, want: &Request) -> Result<Drift, Failure> {
        check::check(&self.0, want)
    }

    async fn detach(&self, jail: &JailId, undo: Option<&Undo>, how: Detach) -> Result<(), Failure> {
        detach::detach(&self.0, jail, undo, how)
    }

    async fn gc(&self, alive: &[JailId]) -> Result<Reaped, Failure> {
        detach::gc(&self.0, alive)
    }
}

jail_net::export_backend!(Nft);
