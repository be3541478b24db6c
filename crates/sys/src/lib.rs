//! Raw system calls for starting a jail.

pub mod failure;
pub mod ids;
#[allow(unsafe_code)]
pub mod lease;
pub mod op;

pub use failure::{Failure, Kind};
pub use ids::IdMap;
