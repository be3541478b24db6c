//! The host's trees that every jail is shown, read-only: an allow-list, so that nothing comes along unseen.

use std::fs;
use std::os::fd::AsFd;
use std::path::Path;

use jail_sys::{Failure, Kind};

use crate::mountinfo::Mounts;
use crate::plan::{Entry, Mount, MountPlan, STAGE, What};
use crate::{host, kernels};

/// What of the host's root directory is shown, where it is there. /var is in [`crate::var`].
const TREES: [&str; 12] =
    ["usr", "etc", "opt", "srv", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu"];

/// Adds the trees; a symbolic link in place of one is made again when it leads into another.
pub(crate) fn add(plan: &mut MountPlan, root: &Path, mounts: &Mounts) -> Result<(), Failure> {
    for name in TREES {
        let path = root.join(name);
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        if meta.is_symlink() {
            add_link(plan, root, name);
        } else if meta.is_dir() && host::is_autofs(&path) {
            plan.notes.push(format!("/{name} is not shown: it is mounted by autofs"));
        } else if let Some(why) = kernels::why_not(mounts, &path) {
            plan.notes.push(format!("/{name} is not shown: {why}"));
        } else if meta.is_dir() {
            let what = What::Host { source: text(&path)?, granted: None, deep: true };
            plan.mounts.push(Mount::at(&format!("/{name}"), what));
        }
    }
    Ok(())
}

fn add_link(plan: &mut MountPlan, root: &Path, name: &str) {
    let content = fs::read_link(root.join(name)).ok().and_then(|path| path.to_str().map(str::to_owned));
    let resolved = host::open_inside(root, Path::new(name)).and_then(|file| host::path_of(file.as_fd()));
    let shown = |path: &Path| {
        let first = path.strip_prefix(root).ok().and_then(|rest| rest.components().next());
        first.and_then(|first| first.as_os_str().to_str()).is_some_and(|f| f == "var" || TREES.contains(&f))
    };
    match (content, resolved) {
        (Some(content), Ok(path)) if shown(&path) => plan.links.push((format!("/{name}"), content)),
        _ => plan.notes.push(format!("/{name} is not shown: it is a link to where the jail does not see")),
    }
}

/// Of /sys only what libc reads to count processors.
pub(crate) fn add_cpu(plan: &mut MountPlan, root: &Path) {
    let source = root.join("sys/devices/system/cpu");
    let Some(source) = source.is_dir().then(|| source.to_str()).flatten() else { return };
    let what = What::Host { source: source.to_owned(), granted: None, deep: false };
    let mut mount = Mount::at("/sys", what);
    for path in ["/sys/devices", "/sys/devices/system", "/sys/devices/system/cpu"] {
        mount.make.push(Entry { path: path.to_owned(), file: false });
        mount.target = path.to_owned();
    }
    mount.asked = mount.target.clone();
    plan.mounts.push(mount);
}

/// A path as text; one that is not UTF-8 cannot be planned with.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let shown = path.display().to_string();
        let message = format!("{shown:?} is not UTF-8");
        Failure::new(Kind::Unsupported, STAGE, "plan", shown, message).hint("rename it")
    })
}
