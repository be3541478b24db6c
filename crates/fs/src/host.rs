//! Looking things up on the host, for the plan. Nothing here changes anything.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

/// Opens `path` below `root` without reading it (`O_PATH`), with every symbolic link resolved inside `root`.
///
/// # Errors
/// What openat2(2) answers.
pub(crate) fn open_inside(root: &Path, path: &Path) -> io::Result<OwnedFd> {
    let top = rustix::fs::open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    Ok(openat2(&top, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve)?)
}

/// The path an open file has now, without symbolic links.
///
/// # Errors
/// What readlink(2) of `/proc/self/fd` answers.
pub(crate) fn path_of(file: BorrowedFd<'_>) -> io::Result<PathBuf> {
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    let path = rustix::fs::readlink(link, Vec::new())?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(path.into_bytes())))
}

const AUTOFS_SUPER_MAGIC: rustix::fs::FsWord = 0x0187;

/// Whether `path` is an autofs mount: looking into one starts mounts of the host's.
pub(crate) fn is_autofs(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|stat| stat.f_type == AUTOFS_SUPER_MAGIC)
}

/// The same for an open file.
pub(crate) fn is_autofs_mount(file: BorrowedFd<'_>) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|stat| stat.f_type == AUTOFS_SUPER_MAGIC)
}
