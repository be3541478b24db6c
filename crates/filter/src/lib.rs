//! What a jail may ask the kernel: system calls, capabilities, limits, and which files it may change.
//!
//! A [`FilterSpec`] says what is wanted; its default is what servers (nginx, rsyslogd, sshd, databases, shells) need
//! and no more. [`plan`] decides everything and changes nothing; [`FilterPlan::steps`] are operations for a child that
//! [`jail_sys::launch`] starts, the last ones before its exec.
//!
//! ```
//! use jail_filter::{FilterSpec, plan};
//!
//! let spec = FilterSpec { seccomp: "@timer,!personality".parse()?, ..FilterSpec::default() };
//! let plan = plan(&spec)?;
//! assert!(plan.lines()[1].ends_with("refused as well: @timer"));
//! assert!(plan.refuses_set_id());
//! # Ok::<(), jail_sys::Failure>(())
//! ```
//!
//! What the filter answers: a call that is on the list runs; one the kernel has but the list has not gets EPERM; one
//! nobody knows gets ENOSYS, so that programs try the older one; another ABI's (i386, x32) ends the process. Some are
//! decided by their arguments: no new namespaces, no set-id modes, only the granted socket families (EAFNOSUPPORT), no
//! typing on somebody else's terminal.
//!
//! [`FilterPlan::with_landlock`] says as well where files are written to, at most: behind the mounts of a jail, or alone. A
//! kernel may have less of that, and [`LandlockPlan::enforced`] says how much.
//!
//! What it does not do: look behind pointers (paths, socket addresses, `clone3`, `openat2`: these two answer ENOSYS), or
//! replace the user namespace: it stands behind it.
//!
//! `examples/confined.rs` confines a program with it and nothing else.
//!
//! Tested by running the compiled program in a small interpreter over every system call, and by the kernel's own
//! answers to a probe that is confined with it (`tests/kernel.rs`).
#![forbid(unsafe_code)]

mod caps;
mod kept;
mod landlock;
mod plan;
mod rlimits;
mod seccomp;

pub use caps::Caps;
pub use kept::CapsSpec;
pub use landlock::{Enforced, LandlockPlan, LandlockSpec, Writable};
pub use plan::{FilterPlan, FilterSpec, SeccompPlan, plan};
pub use rlimits::{Resource, Rlimit};
pub use seccomp::{Changes, Errno, ErrorAction, Filter, Item, Profile, Protocol, Rules, SeccompSpec, Target};
