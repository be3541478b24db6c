//! What a plugin written in Rust imports: `use jail_net::plugin::sdk::*;`.

pub use std::os::fd::BorrowedFd;

pub use async_trait::async_trait;
pub use serde_json;

pub use crate::backend::{
    Actions, Attached, Backend, Description, Detach, Drift, Failure, Interface, Kind, Reaped, Request, Role,
    Support, Undo,
};
pub use crate::export_backend;
pub use crate::model::{Attachment, Egress, JailId, Network, Origin, PortRange, Protocol, Publish};
