//! The network of a jail: what it should be, as data, and how a backend makes it so.
//!
//! * [`model`] says what the network should be: networks, interfaces, published ports, egress. It does nothing.
//! * [`backend`] is the trait of those who make it so, each for one role: links or firewall.
//! * [`plugin`] loads backends that are shared libraries, and exports one as such.
//! * [`store`] keeps the named networks; [`lease`] and [`port`] hold an address and a published port for one jail;
//!   [`forwarding`] switches the host's routing on and back.
//! * `link` is for plugins that make links (feature `link`).
//! * `conntrack` forgets UDP flows that lead where they no longer should, and `netlink` is what asks the kernel for it:
//!   for plugins that publish ports (feature `conntrack`).
//! * `conformance` (a feature) holds the tests that every firewall backend must pass.
//!
//! ```no_run
//! # async fn example() -> Result<(), jail_net::backend::Failure> {
//! use jail_net::backend::{Backend, Support};
//! use jail_net::plugin;
//!
//! let firewall = plugin::open("nft", &plugin::directories(&[])?)?;
//! if let Support::No { reason, hint } = firewall.probe().await? {
//!     println!("not here: {reason}; {hint}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What this crate does not do: start a jail or enter its namespaces (`jail-ns`), decide in which order backends are
//! asked and when they undo (`jail-core`), or change a link or a rule itself: that is the backends' work.

pub mod backend;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "conntrack")]
pub mod conntrack;
pub mod forwarding;
pub mod host;
pub mod lease;
#[cfg(feature = "link")]
pub mod link;
pub mod mac;
pub mod model;
#[cfg(feature = "conntrack")]
pub mod netlink;
pub mod plugin;
pub mod port;
mod record;
pub mod store;
