//! The firewall backend `iptables`: publishes ports, and refuses the connections a jail may not open, with
//! iptables-restore(8), whichever variant of it is in PATH.
//!
//! The host gets chains named `JAIL-*` in the tables filter and nat (`chains`), each of the kernel's own chains one jump
//! to one of them. A jail's share is rules of its own there (`host`), known by their comment. The jail's network
//! namespace gets the same policy again (`inner`). What iptables cannot do, nft does for this backend where it is there:
//! checks at a jail's port of a bridge, and on frames that leave it. Where it is not, a bridge must have no other ports.
//!
//! Neither two tables nor two programs make one transaction: a lock keeps jails from each other, filters stand before
//! addresses are rewritten, and what fails is undone. The calls block: a plugin's call runs on a thread of its own.

#![forbid(unsafe_code)]

mod attach;
mod chains;
mod change;
mod check;
mod claim;
mod detach;
mod host;
mod inner;
mod made;
#[cfg(test)]
mod packets;
mod plan;
mod ports;
mod probe;
mod programs;
mod rule;
mod saved;

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::thread::ScopedJoinHandle;

use async_trait::async_trait;
use jail_firewall::Place;
use jail_firewall::nft::{Tables, bridge};
use jail_firewall::plan::read;
use jail_net::backend::{
    Actions, Attached, Backend, Description, Detach, Drift, Failure, Reaped, Request, Role, Support, Undo,
};
use jail_net::model::JailId;
use nftables::types::NfFamily;

/// The name of the backend.
const NAME: &str = "iptables";

/// The name of the table of family bridge: another than the backend nft's, so that each removes its own.
const TABLE: &str = "jail-iptables";

/// The lock of those who change rules, one at a time.
const LOCK: &str = "iptables";

/// The backend; keeps nothing between calls but where it works.
#[derive(Clone, Debug, Default)]
pub struct Iptables(Place);

/// Our table of family bridge.
fn tables(place: &Place) -> Tables<'_> {
    Tables { place, name: TABLE, families: &[NfFamily::Bridge], make: |_| bridge::table(TABLE) }
}

/// Whether the kernel speaks IPv6.
fn has_ipv6() -> bool {
    Path::new("/proc/sys/net/ipv6").exists()
}

/// What a thread answered.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[async_trait]
impl Backend for Iptables {
    fn describe(&self) -> Description {
        Description {
            name: NAME.into(),
            role: Role::Firewall,
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "iptables, in chains of its own".into(),
            options: BTreeMap::new(),
        }
    }

    async fn probe(&self) -> Result<Support, Failure> {
        Ok(probe::probe(&self.0))
    }

    async fn plan(&self, want: &Request) -> Result<Actions, Failure> {
        plan::plan(&self.0, want)
    }

    async fn attach(&self, actions: &Actions, netns: BorrowedFd<'_>) -> Result<Attached, Failure> {
        let work: plan::Work = read(NAME, &actions.data)?;
        if !work.with_nft {
            ports::refuse_foreign(&work.bridges).await?;
        }
        attach::attach(&self.0, &work, netns)?;
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

jail_net::export_backend!(Iptables);
