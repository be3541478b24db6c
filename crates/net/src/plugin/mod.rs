//! Backends as shared libraries: the C ABI, the plugin's half of it and the host's.

pub mod abi;
pub mod export;
mod message;
pub mod sdk;
