//! Namespaces of a jail: starting its first process, entering it, and the ids it runs under.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::os::fd::{AsFd, AsRawFd};
//! use jail_ns::{idmap, payload::Payload, range, spawn};
//! use jail_sys::{call::process, helper, launch};
//!
//! let (ids, lease) = range::lease("/run/jail/uid".as_ref(), "web")?;
//! let user = idmap::user_namespace(&ids)?;
//! let init = helper::sealed("jail-init")?;
//! let (lifeline, _keep_open) = std::io::pipe()?;
//! let program = spawn::program(spawn::Start {
//!     hostname: "web",
//!     own_network: true,
//!     files: Vec::new(),
//!     ready: None,
//!     user: spawn::UserNamespace::Joined(user.as_raw_fd()),
//!     confine: Vec::new(),
//!     payload: Payload::new(&["/usr/bin/id"])?,
//!     lifeline: lifeline.as_raw_fd(),
//!     init: init.as_raw_fd(),
//! });
//! let started = launch::launch(program, spawn::NAMESPACES)?.outcome()?;
//! let ended = process::wait(started.pidfd.as_fd())?;
//! lease.release()?;
//! # Ok(()) }
//! ```
//!
//! **What it does.** The jail's mount, pid, network, ipc, uts and cgroup namespaces belong to the host's user namespace;
//! the jail's own user namespace is entered last, so its root holds every capability over nothing. Its first process is
//! a small init that reaps, passes signals on, and ends the jail when its supervisor is gone. Nested user namespaces are
//! switched off, and that is proved by trying. Who is not root starts one as well: [`spawn::UserNamespace::Own`].
//!
//! **What it does not do.** It shows the jail the host's files as they are and filters nothing: other stages' steps go in
//! [`spawn::Start::files`] and [`spawn::Start::confine`]. It knows nothing of networks beyond `lo`.
//!
//! See namespaces(7), user_namespaces(7), pid_namespaces(7).
#![forbid(unsafe_code)]

pub mod idmap;
pub mod join;
pub mod payload;
pub mod range;
pub mod spawn;
