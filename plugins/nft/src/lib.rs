//! The firewall backend `nft`: publishes ports, and refuses the connections a jail may not open, with nftables.
//!
//! The host gets two tables named `jail` (`skeleton`), the jail's network namespace one of its own (`inner`), and
//! another for machines on its bridge that are no jails (`foreign`). Each change is one transaction of one nft(8)
//! process; a jail's share of the host's tables is set and map elements. The calls block: a plugin's call runs on a
//! thread of its own. What a killed caller's nft still does is waited for (`lock`).

#![forbid(unsafe_code)]

mod attach;
mod check;
mod detach;
mod elements;
mod entry;
mod foreign;
mod holders;
mod inner;
mod listing;
mod lock;
mod netlink;
#[cfg(test)]
mod packets;
mod plan;
mod rule;
mod run;
mod skeleton;

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use async_trait::async_trait;
use jail_net::backend::{
    Actions, Attached, Backend, Description, Detach, Drift, Failure, Reaped, Request, Role, Support, Undo,
};
use jail_net::model::JailId;

/// The backend; keeps nothing between calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nft;

#[async_trait]
impl Backend for Nft {
    fn describe(&self) -> Description {
        Description {
            name: "nft".into(),
            role: Role::Firewall,
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "nftables, in tables of its own".into(),
            options: BTreeMap::new(),
        }
    }

    async fn probe(&self) -> Result<Support, Failure> {
        Ok(match run::find() {
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
        attach::attach(&plan::Work::read(actions)?, netns)?;
        Ok(Attached::default())
    }

    async fn check(&self, want: &Request) -> Result<Drift, Failure> {
        check::check(want)
    }

    async fn detach(&self, jail: &JailId, undo: Option<&Undo>, how: Detach) -> Result<(), Failure> {
        detach::detach(jail, undo, how)
    }

    async fn gc(&self, alive: &[JailId]) -> Result<Reaped, Failure> {
        detach::gc(alive)
    }
}

jail_net::export_backend!(Nft);
