//! Descriptors: opening inside a root, handing over across execve, sealed memory files.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::process::answer;
use crate::kernel;
use crate::raw::Answer;

/// A descriptor the kernel just made.
pub(crate) fn owned(result: Answer) -> io::Result<OwnedFd> {
    // SAFETY: each caller passes the answer of a call that makes a descriptor, which nobody else knows yet.
    answer(result).map(|number| unsafe { OwnedFd::from_raw_fd(number as RawFd) })
}

/// A path for the kernel.
pub(crate) fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// Opens `path` with `root` standing for `/`, so that no symbolic link leads out of it: openat2(2) with
/// `RESOLVE_IN_ROOT`. `flags` are `O_*`; `O_CLOEXEC` is added.
///
/// # Errors
/// What openat2(2) answers.
pub fn open_in_root(root: BorrowedFd<'_>, path: &Path, flags: i32, mode: u32) -> io::Result<OwnedFd> {
    let flags = flags | libc::O_CLOEXEC;
    owned(kernel::openat2(root.as_raw_fd(), &c_path(path)?, flags, mode, libc::RESOLVE_IN_ROOT))
}

/// Opens `path` below `directory` without following any symbolic link on the way: openat2(2) with
/// `RESOLVE_NO_SYMLINKS`. `flags` are `O_*`; `O_CLOEXEC` is added.
///
/// # Errors
/// What openat2(2) answers; `ELOOP` for a symbolic link.
pub fn open_no_symlinks(
    directory: BorrowedFd<'_>,
    path: &Path,
    flags: i32,
    mode: u32,
) -> io::Result<OwnedFd> {
    let flags = flags | libc::O_CLOEXEC;
    owned(kernel::openat2(directory.as_raw_fd(), &c_path(path)?, flags, mode, libc::RESOLVE_NO_SYMLINKS))
}

/// Sets close-on-exec on everything above the standard descriptors: what a program inherited stays open in it, and
/// reaches none of the programs it runs. See close_range(2).
///
/// # Errors
/// What close_range(2) answers.
pub fn keep_to_ourselves() -> io::Result<()> {
    answer(kernel::close_on_exec_from(3)).map(|_| ())
}

/// A file in memory with this content that nobody can change any more, executable but not readable for others:
/// memfd_create(2), `F_ADD_SEALS`. `name` is what /proc shows.
///
/// # Errors
/// What memfd_create(2), write(2) or fcntl(2) answer; `EACCES` where `vm.memfd_noexec` forbids it.
pub fn sealed_executable(name: &CStr, content: &[u8]) -> io::Result<OwnedFd> {
    use std::io::Write;
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name ends with NUL.
    let create = |flags| match unsafe { libc::memfd_create(name.as_ptr(), flags) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: the kernel just made it.
        number => Ok(unsafe { OwnedFd::from_raw_fd(number) }),
    };
    let file = match create(flags | libc::MFD_EXEC) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => create(flags)?, // before Linux 6.3
        result => result?,
    };
    let mut file = std::fs::File::from(file);
    file.write_all(content)?;
    answer(kernel::fchmod(file.as_raw_fd(), 0o111))?;
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    answer(kernel::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals))?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{ErrorKind, Read, Write};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_symbolic_link_does_not_lead_out_of_the_root() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
        let root = File::open(dir.path()).unwrap();
        let error = open_in_root(root.as_fd(), Path::new("link"), libc::O_RDONLY, 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = open_no_symlinks(root.as_fd(), Path::new("link"), libc::O_RDONLY, 0).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ELOOP));
    }

    #[test]
    fn a_sealed_file_holds_its_content_and_takes_no_other() {
        let mut file = File::from(sealed_executable(c"test", b"content").unwrap());
        assert_eq!(file.write(b"x").unwrap_err().kind(), ErrorKind::PermissionDenied);
        let mut text = String::new();
        std::io::Seek::rewind(&mut file).unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "content");
    }
}
