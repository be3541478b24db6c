//! What a jail sees of the file system, as one mount plan.
//!
//! [`plan`] turns a [`ViewSpec`] into a [`MountPlan`]: every mount in order, with sources, targets and owners resolved,
//! printable and serializable. [`MountPlan::compile`] opens the sources and encodes the plan as the [`Step`]s that a
//! child runs in its own mount namespace, as the host's root, before it joins the jail's user namespace.
//!
//! # The default view
//!
//! | path | what |
//! |---|---|
//! | /usr /etc /opt /srv, /bin /sbin /lib\* /nix /gnu | the host's, live, read-only; the jail's root sees in them what *anyone* on the host may see |
//! | /var | the same, except: |
//! | /var/cache /var/log /var/spool /var/tmp | the jail's own, with the host's directories and without its files |
//! | /var/lib | the host's under a layer of the jail's own that takes what is written |
//! | /tmp /run /root /home /dev/shm | the jail's own, empty |
//! | /proc /dev /dev/pts | the jail's own |
//! | /sys | only devices/system/cpu |
//!
//! Nothing else of the host is there. What is the kernel's own (proc, sysfs, control groups ..) is hidden wherever the host
//! has it mounted below that, or below what is granted or bound, unless that very mount is named.
//!
//! On top come grants (the host's paths with their owners mapped into the jail),
//! binds, directories in memory, hidden, frozen and not executable paths, and small generated files: with [`ViewSpec::address`] the jail
//! has a `/etc/hostname` and a `/etc/hosts` of its own, with what the host's says of other machines.
//!
//! # Limits of memory
//!
//! What the jail writes to its own directories is memory. /run and /dev hold 32 MiB; /var/log a sixteenth of the
//! host's memory, at most 1 GiB; all others together a quarter, at most 4 GiB.
//!
//! # What may not be written to
//!
//! write(2) takes set-user-ID, set-group-ID and capabilities from a program; a shared mapping, mmap(2), does not. A grant
//! or bind that can be written to is therefore refused where there is such a program below it, on a nosuid mount too: the
//! same file may have its privilege through another mount. It is a look at the moment of planning: what the host puts
//! there later is not seen. It costs a statx(2) and a getxattr(2) per file.
//!
//! # What a jail may have changed
//!
//! Who may write to a tree may leave symbolic links in it and move its directories, and another start, or another jail's,
//! meets them. So the source of a grant or bind is opened through no link but those directly in / and /var, what is
//! mounted must be the very file that was planned with, and no target leads through a link in a tree that the jail may
//! write to. What takes away (`read_only`, `blacklist`, a tmpfs, a read-only grant) is refused below a directory that the
//! jail could move: it must lie directly in the writable grant.
//!
//! # What it does not do
//!
//! It makes no namespaces and runs nothing: that is `jail-sys` and `jail-ns`. A read-only mount does not stop connect(2)
//! to a socket that everybody may write to, nor writing to such a FIFO, in the trees that are shown: Landlock does, as
//! far as a kernel has it, and [`MountPlan::writable`] is what it has to let through. [`MountPlan::doors`] names the rest.
//!
//! [`Step`]: jail_sys::op::Step
#![forbid(unsafe_code)]

mod asked;
mod compile;
mod dev;
mod doors;
mod host;
mod identity;
mod inside;
mod kernels;
mod lines;
mod mountinfo;
mod movable;
mod own;
mod owner;
mod plan;
mod privilege;
mod proc;
mod request;
mod scan;
mod shown;
mod size;
mod source;
mod tree;
mod var;
mod view;
mod whitelist;
mod writable;

pub use compile::{Compiled, Owners};
pub use doors::Closed;
pub use plan::{MountPlan, plan, plan_at};
pub use view::{Bind, Grant, Owner, Tmpfs, ViewSpec, WritableSource};
pub use writable::Writable;
