//! `Status`: what a running jail is, as the host sees it. Written once, when its command runs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use jail_net::backend::{Interface, Request};
use jail_sys::IdMap;
use serde::{Deserialize, Serialize};

/// A running jail as the host sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The jail's first process (its init), seen from the host.
    pub pid: i32,
    /// When the command began, RFC 3339 in UTC.
    pub started: String,
    /// The process that supervises it.
    pub supervisor: u32,
    /// When that process began, in clock ticks since boot: with its number that is it and no other.
    pub supervisor_since: Option<u64>,
    /// Inode numbers of its namespaces: mnt, pid, net, ipc, uts, cgroup, user.
    pub namespaces: BTreeMap<String, u64>,
    /// Which ids of the host its ids are.
    pub ids: IdMap,
    /// Its network as it was asked of the backends, addresses and all.
    pub request: Option<Request>,
    /// Its interfaces as they are.
    pub interfaces: Vec<Interface>,
}

/// The kinds of namespaces, as /proc/PID/ns names them.
const KINDS: [&str; 7] = ["mnt", "pid", "net", "ipc", "uts", "cgroup", "user"];

impl Status {
    /// The status of a jail whose init is `pid`, now.
    pub(crate) fn of(pid: i32, ids: IdMap, request: Option<Request>, interfaces: Vec<Interface>) -> Self {
        let namespaces =
            KINDS.iter().filter_map(|kind| Some(((*kind).to_owned(), namespace(pid, kind)?))).collect();
        let started = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
        let supervisor = std::process::id();
        let supervisor_since = since(supervisor);
        Status { pid, started, supervisor, supervisor_since, namespaces, ids, request, interfaces }
    }
}

/// When a process began: the 22nd field of /proc/PID/stat, counted behind the name, which may hold anything.
pub(crate) fn since(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// The inode number of a namespace of a process; `None` when the process is gone. See namespaces(7).
pub(crate) fn namespace(pid: i32, kind: &str) -> Option<u64> {
    fs::metadata(format!("/proc/{pid}/ns/{kind}")).ok().map(|entry| entry.ino())
}
