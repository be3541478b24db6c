//! What the network of a jail should be, as data. No I/O: backends render it, leases fill in its addresses.

mod attachment;
mod egress;
mod network;
mod publish;

pub use attachment::{Attachment, INTERFACES, JailId};
pub use egress::Egress;
pub use network::{Network, Origin, Segment, refuses_bridge, refuses_subnet};
pub use publish::{PortRange, Protocol, Publish};
