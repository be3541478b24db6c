//! The network of a jail.

pub mod backend;
pub mod mac;
pub mod model;
pub mod plugin;
