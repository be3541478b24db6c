//! Starting, supervising and undoing a jail: the namespace, filesystem, filter and network stages in order.
//!
//! A [`Spec`] is what was asked for. [`Plan::make`] decides everything and changes nothing; [`start`] does it, and takes
//! it back when a part of it fails; [`Running`] is waited for, or handed over to a process of a few kilobytes.
//!
//! ```no_run
//! # async fn example() -> Result<(), jail_sys::Failure> {
//! use jail_core::{Place, Plan, Spec, Streams, start};
//!
//! let place = Place::new(None, &[])?;
//! let mut spec = Spec::default();
//! spec.command = vec!["/usr/bin/id".to_owned()];
//! let planned = Plan::make(&spec, &place).await?;
//! let running = start(&planned, &place, Streams::Null, &mut []).await?;
//! let status = running.wait().await?;
//! # let _ = status;
//! # Ok(()) }
//! ```
//!
//! State is a directory per jail, with a lock that is held while the jail lives and a journal of what the host was given:
//! there is no daemon, and whoever comes next undoes what a jail that was killed left ([`gc`]).
//!
//! Who is not root has jails without an interface on the host's networks, see [`Caller`].
//!
//! This crate prints nothing. It is safe in a program with many threads, some of which run programs or start jails
//! themselves; a jail does not depend on the thread that started it. The runtime (tokio, with I/O and time enabled) is
//! the caller's. The program leaves SIGCHLD's action as it is by default and waits for no child but its own (no
//! `waitpid(-1)`): a jail's first process is a child of this one. While a start or a join is under way this process may
//! not be dumpable, see prctl(2). Nobody in a jail gets at its executable, not even by a script whose interpreter is
//! /proc/self/exe.
#![forbid(unsafe_code)]

mod caller;
mod doctor;
mod find;
mod identity;
mod join;
mod journal;
mod keep;
mod launch;
mod listening;
mod machine;
mod names;
pub mod network;
mod ours;
mod place;
mod plan;
mod processes;
mod reap;
mod registry;
pub mod spec;
mod stage;
mod status;
mod stop;
mod streams;
mod supervise;
mod tell;
mod user;
mod userns;

pub use caller::Caller;
pub use doctor::{Finding, State, doctor};
pub use find::find;
pub use jail_sys::{Failure, Kind, printable};
pub use join::{Joined, join};
pub use journal::{Entry, Journal};
pub use keep::KeptFd;
pub use launch::start;
pub use listening::{Listening, listening, unanswered};
pub use place::Place;
pub use plan::{Plan, Planned, Wanted};
pub use processes::{Process, trees};
pub use reap::gc;
pub use registry::{Home, Registered, Registry};
pub use spec::Spec;
pub use stage::{Child, Setup, Stage};
pub use status::Status;
pub use stop::stop;
pub use streams::Streams;
pub use supervise::{Running, finish};
pub use tell::Told;
pub use user::User;
