//! Hosts to test on: each [`Host`] is a machine of its own in namespaces, made by `scripts/host`, with an outside
//! client and a LAN beside it. It is gone when its `Host` is dropped, or when the test's process ends however it
//! ends. The real machine's links, rules, sysctls and files are never touched, and tests run side by side.
//!
//! ```no_run
//! let host = jail_tests::Host::new();
//! host.jail("run -- /bin/true").succeeds();
//! ```
//!
//! Scripts are given to bash, since that is how users give them. Root is needed, and the packages that the
//! `Makefile` installs; the `jail` that is tested stands in the test program's own target directory.
#![forbid(unsafe_code)]

mod dmz;
mod firewall;
mod host;
mod output;
mod running;
mod snapshot;

pub use dmz::{
    ARTICLE, CLIENT, HOST, HOST_ON_DMZ, HOST_ON_LAN, INTERNET, JAIL, LAN, REFUSED, SERVERS, dial, fetch,
    quote,
};
pub use firewall::Firewall;
pub use host::{Host, Place, built, by_user};
pub use output::Output;
pub use running::Running;
pub use snapshot::Snapshot;
