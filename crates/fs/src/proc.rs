//! /proc: the jail's own, with what containers usually hide hidden and what they make read-only read-only.
//!
//! The kernel refuses the jail nearly all of this anyway, because its root is not the host's; with `--userns=host`
//! or `identity` this is what refuses it. There all of /proc is read-only, and what it shows to root alone is hidden.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jail_sys::Failure;
use jail_sys::op::{Fd, Op, ROOT};

use crate::compile::{Compiler, FIRST, NODEV, NOEXEC, NOSUID, READ_ONLY, c_string};
use crate::plan::{Entry, Mount, MountPlan, What};

const FROZEN: [&str; 5] = ["bus", "fs", "irq", "sys", "sysrq-trigger"];

const HIDDEN: [&str; 9] =
    ["acpi", "asound", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list", "timer_stats"];

/// Adds /proc. Only what this kernel has is covered: each cover costs every start three system calls.
pub(crate) fn add(plan: &mut MountPlan, root: &Path, hosts_ids: bool) {
    let there = |name: &&&str| fs::symlink_metadata(root.join("proc").join(name)).is_ok();
    let is_file = |name: &str| !root.join("proc").join(name).is_dir();
    let read_only = FROZEN.iter().filter(there).map(ToString::to_string).collect();
    let hidden = HIDDEN.iter().filter(there).map(ToString::to_string);
    let roots = if hosts_ids { roots_own(&root.join("proc")) } else { Vec::new() };
    let roots = roots.into_iter().filter(|name| !HIDDEN.contains(&name.as_str()));
    let entry = |path: String| Entry { file: is_file(&path), path };
    let what = What::Proc { read_only, hidden: hidden.chain(roots).map(entry).collect() };
    plan.mounts.push(Mount { writable: !hosts_ids, ..Mount::at("/proc", what) });
}

/// Files about the whole machine that others may not read.
fn roots_own(proc: &Path) -> Vec<String> {
    let entries = fs::read_dir(proc).into_iter().flatten().flatten();
    let own = entries.filter(|entry| {
        entry.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o004 == 0)
    });
    let mut names: Vec<_> = own.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// The steps. A copy of a read-only mount is read-only, so /proc begins as one and is opened for writing when the
/// copies are made.
pub(crate) fn compile(
    to: &mut Compiler<'_>,
    writable: bool,
    read_only: &[String],
    hidden: &[Entry],
) -> Result<(), Failure> {
    let group = to.host_ids(0, 0).1.to_string();
    let options = vec![
        (c"hidepid".to_owned(), c"2".to_owned()),
        // without root's own group its ps would miss every process of another user
        (c"gid".to_owned(), c_string(&group)?),
    ];
    let attr = READ_ONLY | NOSUID | NODEV | NOEXEC;
    let proc = Fd::Slot(FIRST);
    to.add("/proc", Op::NewMount { fs: c"proc".to_owned(), options, attr, into: FIRST });
    to.attach("/proc", proc, ROOT, "/proc")?;
    let copies = || read_only.iter().zip(FIRST + 1..);
    for (name, into) in copies() {
        to.add("/proc", Op::CloneTree { at: proc, path: c_string(name)?, recursive: false, into });
    }
    if writable {
        to.add("/proc", Op::SetAttr { at: proc, recursive: false, set: 0, clear: READ_ONLY, userns: None });
    }
    for (name, slot) in copies() {
        to.attach("/proc", Fd::Slot(slot), proc, name)?;
    }
    for Entry { path, file } in hidden {
        to.hide("/proc", *file, proc, path)?;
    }
    Ok(())
}
