//! A backend that goes wrong in every call, each time in another way: what the tests hold the export macro against.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::panic;

use jail_net::plugin::sdk::*;

#[derive(Default)]
struct Panics;

jail_net::export_backend!(Panics);

/// A payload that panics again when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the payload's drop")
    }
}

#[async_trait]
impl Backend for Panics {
    fn describe(&self) -> Description {
        Description {
            name: "panics".into(),
            role: Role::Link,
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "goes wrong in every call".into(),
            options: BTreeMap::new(),
        }
    }

    async fn probe(&self) -> Result<Support, Failure> {
        panic!("no luck today")
    }

    async fn plan(&self, want: &Request) -> Result<Actions, Failure> {
        panic!("no plan for {}", want.name)
    }

    async fn attach(&self, _actions: &Actions, _netns: BorrowedFd<'_>) -> Result<Attached, Failure> {
        panic::panic_any(Bomb)
    }

    async fn check(&self, want: &Request) -> Result<Drift, Failure> {
        let missing = want.attachments.len() + 1;
        Ok(Drift { differences: vec![want.attachments[missing].mac.clone()] })
    }

    async fn detach(&self, _jail: &JailId, _undo: Option<&Undo>, _how: Detach) -> Result<(), Failure> {
        std::thread::spawn(|| panic!("in a thread of its own")).join().map_err(|_panic| {
            Failure::new(Kind::Failed, "network", "detach", "a thread", "a thread of the backend panicked")
        })
    }

    async fn gc(&self, alive: &[JailId]) -> Result<Reaped, Failure> {
        let message = format!("gc was told of {} jails, and does nothing about it", alive.len());
        Err(Failure::new(Kind::Denied, "network", "gc", "jails", message).hint("expect nothing"))
    }
}
