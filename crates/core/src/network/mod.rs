//! The network stage of a jail: which network `--net` means, which backends render it, and what is attached.

mod backends;
mod claims;
mod free;
mod interface;
mod names;
mod others;
mod plan;
mod preview;
mod resolve;
mod stage;
mod withdraw;
mod work;

pub use backends::{PluginRef, backends};
pub use jail_net::backend::Support;
pub use jail_net::mac::Mac;
pub use jail_net::model::{Egress, Network, Origin, Publish, Segment};
pub use names::{create, list, remove, unreadable};
pub use plan::{AttachmentPlan, NetworkPlan};

pub(crate) use backends::{Backends, refuse_unknown};
pub(crate) use preview::Preview;
pub(crate) use resolve::{files, refuse_addresses, resolve};
pub(crate) use stage::NetworkStage;
pub(crate) use withdraw::{Undoing, sweep};
