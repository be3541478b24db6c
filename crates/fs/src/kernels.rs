//! File systems of the kernel's own (proc, sysfs, control groups ..) that are mounted below what is shown: a chroot in /srv
//! has them. They tell of every process of the host's, and are not shown, wherever they are mounted.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use jail_sys::Failure;
use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::fs::{access, fstat, openat2, stat, statx};
use rustix::io::Errno;

use crate::mountinfo::{Mounted, Mounts};
use crate::plan::{Mount, MountPlan, STAGE, What};
use crate::shown::text;
use crate::source::Inode;

/// Their types: what is in them is the kernel's, or a name for what else it has, and nothing that anybody keeps there.
const TYPES: [&str; 24] = [
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "cpuset",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "mqueue",
    "nfsd",
    "nsfs",
    "proc",
    "pstore",
    "resctrl",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "smackfs",
    "sysfs",
    "tracefs",
];

/// The type, if it is one of these.
pub(crate) fn named(fs: &[u8]) -> Option<&'static str> {
    TYPES.into_iter().find(|name| name.as_bytes() == fs)
}

/// What is mounted below a directory and is cloned with it, but what is below one of the kernel's.
#[derive(Debug, Default)]
pub(crate) struct Below {
    /// The kernel's own.
    pub(crate) kernels: Vec<Found>,
    /// All others, parents first.
    pub(crate) others: Vec<PathBuf>,
}

/// One of the kernel's own.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where on the host it has to be hidden.
    pub(crate) path: PathBuf,
    fs: &'static str,
    file: bool,
    inode: Inode,
}

/// What leads to a mount point.
enum Look {
    /// That mount.
    Itself { inode: Inode, file: bool },
    /// Something else, which covers it.
    Covered,
    /// A directory of this user's own, which it may not enter: inside, its root may.
    Closed { path: PathBuf, inode: Inode },
}

/// What is mounted below `top`; nothing is looked at where nothing of the kernel's is.
pub(crate) fn below(mounts: &Mounts, top: &Path) -> Below {
    let mut found = Below::default();
    // the type first: to compare paths takes time, and of others there may be hundreds
    let is_below = |mount: &Mounted| mount.path != top && mount.path.starts_with(top);
    if !mounts.0.iter().any(|mount| mount.kernels.is_some() && is_below(mount)) {
        return found;
    }
    let mut sorted: Vec<&Mounted> = mounts.below(top).collect();
    sorted.sort_by(|one, other| one.path.cmp(&other.path));
    let mut past: Option<PathBuf> = None;
    for mount in sorted {
        if past.as_ref().is_some_and(|past| mount.path.starts_with(past)) {
            continue;
        }
        let (path, inode, file) = match look(mount, top) {
            Look::Covered => continue,
            Look::Itself { inode, file } => (mount.path.clone(), inode, file),
            Look::Closed { path, inode } => (path, inode, false),
        };
        match mount.kernels {
            _ if mount.unbindable => past = Some(path),
            Some(fs) => {
                past = Some(path.clone());
                found.kernels.push(Found { path, fs, file, inode });
            }
            None => found.others.push(path),
        }
    }
    found
}

fn look(mount: &Mounted, top: &Path) -> Look {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let opened = match openat2(CWD, &mount.path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Ok(opened) => opened,
        Err(Errno::ACCESS) => return closed(&mount.path, top),
        Err(_) => return Look::Covered,
    };
    let id =
        statx(opened.as_fd(), c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).map(|found| found.stx_mnt_id);
    match fstat(&opened) {
        Ok(meta) if id == Ok(mount.id) => {
            let file = FileType::from_raw_mode(meta.st_mode) != FileType::Directory;
            Look::Itself { inode: Inode { device: meta.st_dev, number: meta.st_ino }, file }
        }
        _ => Look::Covered,
    }
}

/// What closes the way: the root of a user's jail enters what is its user's own in spite of the mode, and nothing else.
fn closed(path: &Path, top: &Path) -> Look {
    let way: Vec<&Path> = path.ancestors().skip(1).take_while(|part| part.starts_with(top)).collect();
    let first = way.into_iter().rev().find(|part| access(*part, Access::EXEC_OK).is_err());
    match first.map(|part| (part, stat(part))) {
        Some((part, Ok(meta))) if meta.st_uid == rustix::process::getuid().as_raw() => {
            let inode = Inode { device: meta.st_dev, number: meta.st_ino };
            Look::Closed { path: part.to_owned(), inode }
        }
        _ => Look::Covered,
    }
}

/// Which of the kernel's own `path` is on or in; devtmpfs apart, in which programs of the host's have sockets.
pub(crate) fn around<'a>(mounts: &'a Mounts, path: &Path) -> Option<&'a Mounted> {
    let id = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT, StatxFlags::MNT_ID);
    let id = id.ok()?.stx_mnt_id;
    mounts.0.iter().find(|mount| mount.id == id && mount.kernels.is_some_and(|fs| fs != "devtmpfs"))
}

/// Why a directory is not shown that is itself such a mount.
pub(crate) fn why_not(mounts: &Mounts, path: &Path) -> Option<String> {
    let on = mounts.0.iter().filter(|mount| mount.kernels.is_some() && mount.path == path);
    let fs =
        on.filter(|mount| matches!(look(mount, path), Look::Itself { .. })).find_map(|mount| mount.kernels);
    fs.map(|fs| format!("it is the kernel's own ({fs})"))
}

/// What hides the kernel's own below `mount`, to be mounted right after it.
///
/// # Errors
/// A path that cannot be planned with.
pub(crate) fn hide(mounts: &Mounts, mount: &Mount) -> Result<Vec<Mount>, Failure> {
    let What::Host { source, deep: true, .. } = &mount.what else { return Ok(Vec::new()) };
    let hidden = |found: &Found| {
        let path = text(&found.path)?;
        let target = format!("{}{}", mount.target, path.strip_prefix(source.as_str()).unwrap_or_default());
        let what = What::Kernels { fs: found.fs.to_owned(), file: found.file, inode: found.inode };
        let asked = if mount.asked == mount.target { target.clone() } else { mount.asked.clone() };
        Ok(Mount { target, asked, make: Vec::new(), what, writable: false })
    };
    below(mounts, Path::new(source)).kernels.iter().map(hidden).collect()
}

/// The same for all that is in the plan, but what is covered by another of its mounts anyway.
///
/// # Errors
/// As [`hide`].
pub(crate) fn hide_all(plan: &mut MountPlan, mounts: &Mounts) -> Result<(), Failure> {
    let before = std::mem::take(&mut plan.mounts);
    for (order, mount) in before.iter().enumerate() {
        plan.mounts.push(mount.clone());
        let later = before.get(order + 1..).unwrap_or_default();
        let seen = |hidden: &Mount| {
            !later.iter().any(|other| crate::inside::is_below(&hidden.target, &other.target))
        };
        plan.mounts.extend(hide(mounts, mount)?.into_iter().filter(seen));
    }
    Ok(())
}

/// What of the host's to clone by itself for `source`, when it cannot be cloned as one: owners cannot be mapped in what is
/// the kernel's own.
///
/// # Errors
/// What looking it up answers.
pub(crate) fn parts(source: &str) -> Result<Vec<(String, Inode)>, Failure> {
    let part = |path: PathBuf| {
        let path = text(&path)?;
        let found = stat(&path).map_err(|error| Failure::call(STAGE, "stat", &path, &error.into()))?;
        Ok((path, Inode { device: found.st_dev, number: found.st_ino }))
    };
    below(&Mounts::read(false)?, Path::new(source)).others.into_iter().map(part).collect()
}
