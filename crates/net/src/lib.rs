//! The network of a jail.

pub mod backend;
pub mod forwarding;
pub mod host;
pub mod lease;
pub mod mac;
pub mod model;
pub mod plugin;
pub mod port;
mod record;
pub mod store;
