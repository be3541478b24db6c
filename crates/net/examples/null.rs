//! The smallest backend: a firewall that does nothing, and says so. Copy it to begin your own.
//!
//! A plugin's Cargo.toml needs `jail-net` and
//!
//! ```toml
//! [lib]
//! name = "jail_null"          # libjail_null.so: the NAME of `describe`
//! crate-type = ["cdylib"]
//! ```
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use jail_net::plugin::sdk::*;

#[derive(Default)]
struct Null;

jail_net::export_backend!(Null);

#[async_trait]
impl Backend for Null {
    fn describe(&self) -> Description {
        Description {
            name: "null".into(),
            role: Role::Firewall,
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "does nothing".into(),
            options: BTreeMap::new(),
        }
    }

    async fn probe(&self) -> Result<Support, Failure> {
        Ok(Support::Yes)
    }

    async fn plan(&self, want: &Request) -> Result<Actions, Failure> {
        let words = vec![format!("leave {} as it is", want.name)];
        let undo = Undo(serde_json::json!({ "jail": want.jail }));
        Ok(Actions { words, data: serde_json::Value::Null, undo, probes: false })
    }

    async fn attach(&self, _actions: &Actions, _netns: BorrowedFd<'_>) -> Result<Attached, Failure> {
        Ok(Attached::default())
    }

    async fn check(&self, _want: &Request) -> Result<Drift, Failure> {
        Ok(Drift::default())
    }

    async fn detach(&self, _jail: &JailId, _undo: Option<&Undo>, _how: Detach) -> Result<(), Failure> {
        Ok(())
    }

    async fn gc(&self, _alive: &[JailId]) -> Result<Reaped, Failure> {
        Ok(Reaped::default())
    }
}
