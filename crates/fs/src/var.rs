//! /var: shown live and read-only, except where services write. /var/{log,cache,spool,tmp} are the jail's own and hold
//! the host's directories without a file; /var/lib is an overlay that takes what is written.

use std::fs;
use std::path::Path;

use jail_sys::Failure;

use crate::mountinfo::Mounts;
use crate::plan::{Folder, Mount, MountPlan, STAGE, Store, What};
use crate::scan::{LIMIT, Scan, entered_by_all, folder_of, is_empty, scan};
use crate::shown::text;
use crate::{host, kernels};

const OWN: [(&str, Store); 4] =
    [("cache", Store::Data), ("log", Store::Log), ("spool", Store::Data), ("tmp", Store::Data)];

/// Adds /var and what covers it.
pub(crate) fn add(plan: &mut MountPlan, root: &Path, host: &Mounts) -> Result<(), Failure> {
    let var = root.join("var");
    if !fs::symlink_metadata(&var).is_ok_and(|meta| meta.is_dir()) {
        plan.notes.push("/var is not shown: it is not a directory".to_owned());
        return Ok(());
    }
    // without what is mounted below: a clone of the mounts in /var/lib (containers' roots) would keep them busy; who is
    // not root may not tell them apart
    let what = What::Host { source: text(&var)?, granted: None, deep: plan.by_user };
    plan.mounts.push(Mount::at("/var", what));
    add_live(plan, &var, host)?;
    for (name, store) in OWN {
        add_own(plan, &var.join(name), name, store)?;
    }
    add_lib(plan, &var.join("lib"), host)
}

/// Shows each other directory of /var with everything mounted below it.
fn add_live(plan: &mut MountPlan, var: &Path, on_host: &Mounts) -> Result<(), Failure> {
    let Scan { folders, mounts, left_out } = scan(var, 1)?;
    note(plan, "/var", left_out);
    for folder in folders {
        let name = folder.path.as_str();
        if name == "lib" || OWN.iter().any(|(own, _)| *own == name) || folder.empty {
            continue;
        }
        let source = var.join(name);
        if is_empty(&source) && !mounts.contains(&folder.path) {
            continue;
        }
        if host::is_autofs(&source) {
            plan.notes.push(format!("/var/{name} is not shown: it is mounted by autofs"));
            continue;
        }
        if let Some(why) = kernels::why_not(on_host, &source) {
            plan.notes.push(format!("/var/{name} is not shown: {why}"));
            continue;
        }
        let what = What::Host { source: text(&source)?, granted: None, deep: true };
        plan.mounts.push(Mount { make: Vec::new(), ..Mount::at(&format!("/var/{name}"), what) });
    }
    Ok(())
}

fn add_own(plan: &mut MountPlan, dir: &Path, name: &str, store: Store) -> Result<(), Failure> {
    let Some(top) = top(dir)? else { return Ok(()) };
    let target = format!("/var/{name}");
    let Scan { folders, left_out, .. } = scan(dir, 2)?;
    note(plan, &target, left_out);
    let what = What::Fresh { store, top, folders };
    plan.mounts.push(Mount { make: Vec::new(), writable: true, ..Mount::at(&target, what) });
    Ok(())
}

fn add_lib(plan: &mut MountPlan, dir: &Path, on_host: &Mounts) -> Result<(), Failure> {
    let Some(top) = top(dir)? else { return Ok(()) };
    if !entered_by_all(top.mode) {
        let what = What::Fresh { store: Store::Data, top, folders: Vec::new() };
        plan.mounts.push(Mount { make: Vec::new(), writable: true, ..Mount::at("/var/lib", what) });
        return Ok(());
    }
    if plan.by_user && on_host.below(dir).next().is_some() {
        let why =
            "something is mounted below it, and then only root can lay a directory of the jail's over it";
        plan.notes.push(format!("/var/lib is read-only: {why}; --tmpfs=PATH is one that can be written to"));
        let what = What::Host { source: text(dir)?, granted: None, deep: true };
        plan.mounts.push(Mount { make: Vec::new(), ..Mount::at("/var/lib", what) });
        return Ok(());
    }
    let Scan { folders, mounts, left_out } = scan(dir, 2)?;
    note(plan, "/var/lib", left_out);
    let what = What::Overlay { lower: text(dir)?, top, folders };
    plan.mounts.push(Mount { make: Vec::new(), writable: true, ..Mount::at("/var/lib", what) });
    for name in mounts {
        // an overlay does not reach into what is mounted below its lower directory
        let source = dir.join(&name);
        let target = format!("/var/lib/{name}");
        if let Some(why) = kernels::why_not(on_host, &source) {
            plan.notes.push(format!("{target} is not shown: {why}"));
            continue;
        }
        plan.notes
            .push(format!("{target} is a mount of its own: read-only; --grant={target}:rw to write to it"));
        let what = What::Host { source: text(&source)?, granted: None, deep: true };
        plan.mounts.push(Mount { make: Vec::new(), ..Mount::at(&target, what) });
    }
    Ok(())
}

/// The directory itself, unless it is not there or not a directory: then what the host has in its place is shown.
fn top(dir: &Path) -> Result<Option<Folder>, Failure> {
    match fs::symlink_metadata(dir) {
        Ok(meta) if meta.is_dir() => Ok(Some(folder_of(String::new(), &meta))),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::call(STAGE, "lstat", dir.display().to_string(), &error)),
    }
}

fn note(plan: &mut MountPlan, target: &str, left_out: usize) {
    if left_out > 0 {
        plan.notes.push(format!(
            "{target}: {left_out} directories are left out (more than {LIMIT}, or a name that is not UTF-8)"
        ));
    }
}

/// A directory that cannot be read is an error: what it holds decides what is hidden.
pub(crate) fn unreadable(dir: &Path, operation: &'static str, error: &std::io::Error) -> Failure {
    Failure::call(STAGE, operation, dir.display().to_string(), error)
}
