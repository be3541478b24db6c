//! Detached mounts: making, copying, changing and attaching them.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;

use super::fd::{c_path, owned};
use super::process::answer;
use crate::kernel;

/// A detached copy of the mount tree at `path`: open_tree(2) with `OPEN_TREE_CLONE`.
///
/// # Errors
/// What open_tree(2) answers.
pub fn clone_tree(path: &Path, recursive: bool) -> io::Result<OwnedFd> {
    owned(kernel::clone_tree(libc::AT_FDCWD, &c_path(path)?, recursive))
}

/// A detached copy of the mount tree at what `place` refers to: open_tree(2) with `OPEN_TREE_CLONE`.
///
/// # Errors
/// What open_tree(2) answers.
pub fn clone_tree_at(place: BorrowedFd<'_>, recursive: bool) -> io::Result<OwnedFd> {
    owned(kernel::clone_tree(place.as_raw_fd(), c"", recursive))
}

/// Sets and clears `MOUNT_ATTR_*` of a mount: mount_setattr(2). `userns` belongs to `MOUNT_ATTR_IDMAP`.
///
/// # Errors
/// What mount_setattr(2) answers.
pub fn set_attr(
    mount: BorrowedFd<'_>,
    recursive: bool,
    set: u64,
    clear: u64,
    userns: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let userns = userns.map(|namespace| namespace.as_raw_fd());
    answer(kernel::mount_setattr(mount.as_raw_fd(), recursive, set, clear, userns)).map(|_| ())
}

/// A new detached mount: fsopen(2), fsconfig(2), fsmount(2). An option with an empty value is set as a flag; `attr` holds
/// `MOUNT_ATTR_*`.
///
/// # Errors
/// What those calls answer.
pub fn new_mount(fs: &str, options: &[(&str, &str)], attr: u64) -> io::Result<OwnedFd> {
    let context = owned(kernel::fsopen(&CString::new(fs)?))?;
    let number: RawFd = context.as_raw_fd();
    for (key, value) in options {
        answer(kernel::fsconfig(number, &CString::new(*key)?, &CString::new(*value)?))?;
    }
    answer(kernel::fscreate(number))?;
    owned(kernel::fsmount(number, attr))
}

/// Mounts a detached mount on what `target` refers to: move_mount(2).
///
/// # Errors
/// What move_mount(2) answers.
pub fn attach(mount: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
    answer(kernel::attach(mount.as_raw_fd(), target.as_raw_fd())).map(|_| ())
}
