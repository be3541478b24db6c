//! The processes of jails, as /proc tells of them: which jail a pid is in, and the tree below a jail.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jail_sys::call::fd::open_no_symlinks;
use jail_sys::{IdMap, printable};

use crate::registry::Registered;
use crate::status::namespace;

/// A process of a jail.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its pid, seen from the host.
    pub pid: i32,
    /// Its user, as the jail's own passwd file names it; a number when it names none.
    pub user: String,
    /// Its command line.
    pub command: String,
    /// How deep below the jail's first process it is, which is 0.
    pub depth: usize,
}

/// The jail that the process `pid` is in.
pub(crate) fn jail_of(pid: i32, jails: Vec<Registered>) -> Option<Registered> {
    let inside = namespace(pid, "pid")?;
    jails.into_iter().find(|jail| jail.pid_namespace() == Some(inside))
}

/// Every process of these jails, each jail's parents before children, in order of pid.
pub fn trees(jails: &[Registered]) -> Vec<Vec<Process>> {
    let spaces: HashMap<u64, usize> =
        jails.iter().enumerate().filter_map(|(index, jail)| Some((jail.pid_namespace()?, index))).collect();
    let mut members: Vec<Vec<(i32, i32)>> = vec![Vec::new(); jails.len()];
    for pid in pids() {
        let space = namespace(pid, "pid").and_then(|space| spaces.get(&space));
        if let (Some(&index), Some(parent)) = (space, parent_of(pid)) {
            members[index].push((pid, parent));
        }
    }
    jails.iter().zip(members).map(|(jail, members)| tree(jail, &members)).collect()
}

/// Orders one jail's (pid, parent) pairs; whose parent is not in the jail stands at the top.
fn tree(jail: &Registered, members: &[(i32, i32)]) -> Vec<Process> {
    let Some(status) = &jail.status else { return Vec::new() };
    let users = users(status.pid);
    let inside = |pid: i32| members.iter().any(|(member, _)| *member == pid);
    let mut roots: Vec<(i32, usize)> =
        members.iter().filter(|(_, parent)| !inside(*parent)).map(|(pid, _)| (*pid, 0)).collect();
    roots.sort_unstable_by_key(|(pid, _)| std::cmp::Reverse((*pid != status.pid, *pid)));
    let mut ordered = Vec::new();
    while let Some((pid, depth)) = roots.pop() {
        let mut children: Vec<_> = members
            .iter()
            .filter(|(_, parent)| *parent == pid)
            .map(|(child, _)| (*child, depth + 1))
            .collect();
        children.sort_unstable_by_key(|(child, _)| std::cmp::Reverse(*child));
        roots.extend(children);
        ordered.extend(describe(pid, depth, &status.ids, &users));
    }
    ordered
}

/// `None` when the process has gone meanwhile.
fn describe(pid: i32, depth: usize, ids: &IdMap, users: &HashMap<u32, String>) -> Option<Process> {
    let owner = fs::metadata(format!("/proc/{pid}")).ok()?.uid();
    let inside = ids.to_jail(owner);
    let user = inside
        .and_then(|uid| users.get(&uid).cloned())
        .unwrap_or_else(|| inside.unwrap_or(owner).to_string());
    Some(Process { pid, user, command: command_of(pid)?, depth })
}

/// The command line, its arguments joined by spaces; the name in brackets for a process that has none any more.
fn command_of(pid: i32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<_> =
        line.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(String::from_utf8_lossy).collect();
    if words.is_empty() {
        let name = fs::read(format!("/proc/{pid}/comm")).ok()?;
        return Some(format!("[{}]", printable(String::from_utf8_lossy(&name).trim_end())));
    }
    Some(printable(&words.join(" ")))
}

/// The users of the jail's own passwd file. Whoever is inside may have written it: it is a plain file of the jail's or
/// nothing, and only so much of it is read.
fn users(init: i32) -> HashMap<u32, String> {
    const ENOUGH: u64 = 1 << 20;
    let mut text = String::new();
    let read =
        open_inside(init, Path::new("etc/passwd"), libc::O_RDONLY | libc::O_NONBLOCK).and_then(|file| {
            let file = File::from(file);
            if file.metadata()?.is_file() { file.take(ENOUGH).read_to_string(&mut text) } else { Ok(0) }
        });
    if read.is_err() {
        return HashMap::new();
    }
    let mut users = HashMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(_), Some(Ok(uid))) =
            (fields.next(), fields.next(), fields.next().map(str::parse))
        {
            users.entry(uid).or_insert_with(|| printable(name));
        }
    }
    users
}

/// Opens a path of a jail's, never one of the host's: no symbolic link of the jail's leads anywhere.
pub(crate) fn open_inside(init: i32, path: &Path, flags: i32) -> io::Result<OwnedFd> {
    let root = File::open(format!("/proc/{init}/root"))?;
    open_no_symlinks(root.as_fd(), path, flags, 0)
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The fourth field of /proc/PID/stat, behind the name, which may hold anything.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
