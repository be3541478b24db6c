//! A user namespace with an id map, and nobody in it: for id-mapped mounts, and for a jail to join.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use jail_sys::op::{Fd, Op, Program, Step};
use jail_sys::{Failure, IdMap, launch};

const NO_PROC: &str = "the host's own /proc must be there: mount -t proc proc /proc";

/// Makes a user namespace with this map for uids and gids. It lives as long as its descriptor, or a process in it.
///
/// A short-lived child holds it while the map is written: see user_namespaces(7).
///
/// # Errors
/// What clone3(2) and writing the map answer; `EPERM` without root.
pub fn user_namespace(map: &IdMap) -> Result<OwnedFd, Failure> {
    let fail = |operation: &'static str, error: &io::Error| {
        Failure::call("namespace", operation, format!("user namespace {}+{}", map.base, map.size), error)
    };
    let (never, _keep_open) = io::pipe().map_err(|error| fail("pipe2", &error))?;
    // The holder waits for a byte that never comes; should we be killed, end of file ends it.
    let wait = Op::Wait(Fd::Parent(never.as_raw_fd()));
    let steps = vec![Step::new("namespace", "user namespace", wait)];
    let holder = launch::launch(Program { steps }, libc::CLONE_NEWUSER)?;
    let proc = format!("/proc/{}", holder.pid());
    let text = format!("0 {} {}\n", map.base, map.size);
    for file in ["uid_map", "gid_map"] {
        fs::write(format!("{proc}/{file}"), &text).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => fail("write id map", &error).hint(NO_PROC),
            _ => fail("write id map", &error),
        })?;
    }
    let namespace = File::open(format!("{proc}/ns/user")).map_err(|error| fail("open ns/user", &error))?;
    Ok(namespace.into())
}
