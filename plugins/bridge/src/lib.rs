//! The link backend `bridge`: each interface of a jail is one end of a veth pair, the other end a port of a bridge.
//!
//! Links, addresses and routes are made with rtnetlink(7); nothing is spawned. The host's end is named after the jail
//! (`j`, its id, the interface's number) and that name is all that `detach` and `gc` need.

#![forbid(unsafe_code)]

mod attach;
mod bridge;
mod check;
mod detach;
mod plan;

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use async_trait::async_trait;
use jail_net::backend::{
    Actions, Attached, Backend, Description, Detach, Drift, Failure, Reaped, Request, Role, Support, Undo,
};
use jail_net::link::{Wire, request as link, support};
use jail_net::model::{JailId, Network};
use rtnetlink::{LinkBridge, LinkVeth};

use crate::plan::{Links, Made, unreadable};

/// The backend; keeps nothing between calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bridge;

#[async_trait]
impl Backend for Bridge {
    fn describe(&self) -> Description {
        Description {
            name: "bridge".into(),
            role: Role::Link,
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "a veth pair on a bridge".into(),
            options: BTreeMap::new(),
        }
    }

    async fn probe(&self) -> Result<Support, Failure> {
        let ask = |handle, _| async move {
            match support::of(&handle, "bridge", LinkBridge::new(support::NEVER_MADE)).await? {
                Support::Yes => {
                    support::of(&handle, "veth", LinkVeth::new(support::NEVER_MADE, "eth0")).await
                }
                no => Ok(no),
            }
        };
        Wire::open()?.run(ask).await
    }

    async fn plan(&self, want: &Request) -> Result<Actions, Failure> {
        Wire::open()?.run(|handle, _| async move { plan::plan(&handle, want).await }).await
    }

    async fn attach(&self, actions: &Actions, netns: BorrowedFd<'_>) -> Result<Attached, Failure> {
        let links: Links =
            serde_json::from_value(actions.data.clone()).map_err(|error| unreadable("attach", &error))?;
        Wire::open()?.run(|handle, _| async move { attach::attach(&handle, &links, netns).await }).await
    }

    async fn check(&self, want: &Request) -> Result<Drift, Failure> {
        Wire::open()?.run(|handle, _| async move { check::check(&handle, want).await }).await
    }

    async fn detach(&self, jail: &JailId, undo: Option<&Undo>, how: Detach) -> Result<(), Failure> {
        let Some(undo) = undo else { return detach::delete(&detach::names_of(jail)).await };
        let made: Made =
            serde_json::from_value(undo.0.clone()).map_err(|error| unreadable("detach", &error))?;
        match how.wait {
            true => detach::wait(&made.links).await,
            false => detach::leave(&made.links).await,
        }
    }

    async fn gc(&self, alive: &[JailId]) -> Result<Reaped, Failure> {
        Wire::open()?.run(|handle, _| async move { detach::gc(&handle, alive).await }).await
    }

    async fn network_up(&self, network: &Network) -> Result<Network, Failure> {
        Wire::open()?.run(|handle, _| async move { bridge::up(&handle, network).await }).await
    }

    async fn network_down(&self, network: &Network) -> Result<(), Failure> {
        Wire::open()?.run(|handle, _| async move { bridge::down(&handle, network).await }).await
    }

    async fn network_of(&self, interface: &str) -> Result<Option<Network>, Failure> {
        let read = |handle, _| async move {
            match link::find(&handle, interface).await?.filter(link::Link::is_bridge) {
                Some(bridge) => bridge::network_of(&handle, &bridge).await.map(Some),
                None => Ok(None),
            }
        };
        Wire::open()?.run(read).await
    }
}

jail_net::export_backend!(Bridge);
