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
//! What a list says: names, `@group`s, numbers (`165`, `$165`; also of calls that are newer than the table), each with an
//! action of its own if need be (`uname:ENOSYS`, `@mount:kill`, `execve:log`), and in a list of changes `!exceptions`. A
//! call counts more than a group, a group more than one that it is part of, permission more than refusal; two actions for
//! one call are an error. What is logged is done, but for what protects the host.
//!
//! A [`Profile`] is the JSON form of container engines in the place of the default list; changes are made on top of it.
//! Of its answer and of what protects the host the stricter counts, as if both were asked: set-id modes, device nodes, new
//! namespaces in `clone`, terminals, the core limit, personalities and socket families stay as they are, `openat2` and
//! `clone3` answer ENOSYS, io_uring EPERM, foreign ABIs and calls that nobody knows are answered as ever, whatever
//! architectures it names. ALLOW, ERRNO, KILL, TRAP and LOG are done exactly; NOTIFY and TRACE, for which there is nobody
//! to ask, are refused. Rules for other capabilities, architectures and kernels are left out when it is planned, and the
//! plan counts the names that it passes over. A rule without arguments beside another one for the same call, which engines
//! pass over in silence, is an error unless both say the same.
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
//! answers to a probe that is confined with it (`tests/kernel.rs`); the table by asking the kernel that runs
//! (`tests/table.rs`); the parsers by a fuzzer (`fuzz/`) and, with the same properties, by `tests/fuzz.rs`.
#![forbid(unsafe_code)]

mod caps;
mod kept;
mod landlock;
mod plan;
mod rlimits;
mod seccomp;

pub use caps::Caps;
pub use kept::CapsSpec;
pub use landlock::{Enforced, LandlockPlan, LandlockSpec, OpenFile, Writable};
pub use plan::{FilterPlan, FilterSpec, SeccompPlan, plan};
pub use rlimits::{Resource, Rlimit};
pub use seccomp::{Changes, Errno, ErrorAction, Filter, Item, Profile, Protocol, Rules, SeccompSpec, Target};
