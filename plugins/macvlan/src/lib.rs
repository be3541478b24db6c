//! The link backend `macvlan`: each interface of a jail shares one of the host's, with a MAC of its own on the same wire.
//!
//! The link is made with rtnetlink(7) inside the jail's network namespace and goes with it: the host never has one, so
//! `detach` and `gc` have nothing to do. Nor do the host's rules see its packets: what it may send is decided inside.

#![forbid(unsafe_code)]

mod attach;
mod parent;
mod plan;

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use async_trait::async_trait;
use jail_net::backend::{
    Actions, Attached, Backend, Description, Detach, Drift, Failure, Reaped, Request, Role, Support, Undo,
};
use jail_net::link::{Wire, support};
use jail_net::model::{JailId, Network};
use rtnetlink::LinkMacVlan;
use rtnetlink::packet_route::link::MacVlanMode;

use crate::plan::{Links, unreadable};

/// The backend; keeps nothing between calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Macvlan;

#[async_trait]
impl Backend for Macvlan {
    fn describe(&self) -> Description {
        Description {
            name: "macvlan".into(),
            role: Role::Link,
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "an interface of the host's, shared".into(),
            options: BTreeMap::new(),
        }
    }

    async fn probe(&self) -> Result<Support, Failure> {
        let ask = |handle, _| async move {
            let link = LinkMacVlan::new(support::NEVER_MADE, 1, MacVlanMode::Bridge);
            support::of(&handle, "macvlan", link).await
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
        Wire::open()?.run(|handle, _| async move { parent::check(&handle, want).await }).await
    }

    async fn detach(&self, _jail: &JailId, _undo: Option<&Undo>, _how: Detach) -> Result<(), Failure> {
        Ok(())
    }

    async fn gc(&self, _alive: &[JailId]) -> Result<Reaped, Failure> {
        Ok(Reaped::default())
    }

    async fn network_up(&self, network: &Network) -> Result<Network, Failure> {
        let there = self.network_of(network.interface()).await?;
        let there = there.ok_or_else(|| parent::missing(network.interface()))?;
        Ok(Network { name: network.name.clone(), ..there })
    }

    async fn network_down(&self, _network: &Network) -> Result<(), Failure> {
        Ok(())
    }

    async fn network_of(&self, interface: &str) -> Result<Option<Network>, Failure> {
        Wire::open()?.run(|handle, _| async move { parent::network_of(&handle, interface).await }).await
    }
}

jail_net::export_backend!(Macvlan);
