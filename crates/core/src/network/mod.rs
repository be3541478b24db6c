//! The network stage of a jail: which network `--net` means, which backends render it, and what is attached.

mod backends;
mod free;
mod names;
mod resolve;
mod stage;
mod withdraw;

pub use backends::{PluginRef, backends};
pub use jail_net::backend::Support;
pub use jail_net::model::{Egress, Network, Origin, Publish};
pub use names::{create, list, remove, unreadable};
pub use resolve::NetworkPlan;

pub(crate) use backends::{Backends, refuse_unknown};
pub(crate) use resolve::{files, refuse_addresses, resolve};
pub(crate) use stage::NetworkStage;
pub(crate) use withdraw::{Undoing, sweep};
