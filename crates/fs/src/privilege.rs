//! Programs that carry a privilege (set-user-ID, set-group-ID, file capabilities) where a jail may write.
//!
//! write(2) takes the privilege away; a page that is written through a shared mapping, mmap(2), does not. So the jail's
//! root could put content of its own into such a program, and the host would run that with the program's privilege.

use std::collections::BTreeSet;
use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jail_sys::{Failure, Kind, printable};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Statx};
use rustix::fs::{StatxAttributes, StatxFlags, getxattr, lgetxattr, openat, openat2, statx};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::mountinfo::Mounts;
use crate::plan::STAGE;
use crate::{host, kernels};

/// How many directories deep a tree can be looked through: each is a descriptor while what is below it is looked at.
const DEPTH: usize = 255;

/// How many bytes of a path that is too deep are shown at most.
const SHOWN: usize = 200;

/// The extended attribute that holds a program's capabilities, see capabilities(7).
const CAPABILITY: &CStr = c"security.capability";

const WANTED: StatxFlags = StatxFlags::TYPE.union(StatxFlags::MODE);

/// Looks through `source`, whose path on the host is `path`, and through what is mounted below it and comes along. A mount
/// that is nosuid too: the same files may have their privilege through another mount, of this or another namespace.
///
/// It is a look at this moment, and costs a statx(2) and a getxattr(2) for each file.
///
/// # Errors
/// The first such program; a tree that cannot be looked through to its end.
pub(crate) fn refuse(
    option: &str,
    source: BorrowedFd<'_>,
    path: &Path,
    mounts: &Mounts,
) -> Result<(), Failure> {
    let look = Look { option, mounts: mounts.points_below(path) };
    look.mount(source, path)?;
    // the kernel's own are not shown
    let hidden = kernels::below(mounts, path).kernels;
    let comes = |mount: &&PathBuf| !hidden.iter().any(|found| mount.starts_with(&found.path));
    for mount in look.mounts.iter().filter(comes) {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        match openat2(CWD, mount, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(opened) => look.mount(opened.as_fd(), mount)?,
            Err(error) if is_gone(error) => {}
            // Below what is closed; a directory of the user's own on the way is refused as such.
            Err(Errno::ACCESS) if !geteuid().is_root() => {}
            Err(error) => return Err(look.failed("openat2", mount, error)),
        }
    }
    Ok(())
}

struct Look<'a> {
    option: &'a str,
    /// Where something is mounted below the source.
    mounts: BTreeSet<PathBuf>,
}

impl Look<'_> {
    /// One mount, from `top` down.
    fn mount(&self, top: BorrowedFd<'_>, path: &Path) -> Result<(), Failure> {
        if host::is_autofs_mount(top) {
            return Ok(());
        }
        let found = statx(top, c"", AtFlags::EMPTY_PATH, WANTED);
        let found = found.map_err(|error| self.failed("statx", path, error))?;
        match type_of(&found) {
            FileType::Directory => self.tree(top, path.to_owned()),
            FileType::RegularFile => {
                let capable =
                    getxattr(format!("/proc/self/fd/{}", top.as_raw_fd()), CAPABILITY, &mut [0; 64]);
                self.file(found.stx_mode, capable, path)
            }
            _ => Ok(()),
        }
    }

    /// A directory and all below it on the same mount.
    fn tree(&self, top: BorrowedFd<'_>, mut path: PathBuf) -> Result<(), Failure> {
        let mut open: Vec<Dir> = self.enter(top, &path)?.into_iter().collect();
        while let Some(dir) = open.last_mut() {
            let entry = match dir.read() {
                Some(Ok(entry)) => entry,
                Some(Err(error)) if !is_gone(error) => return Err(self.failed("readdir", &path, error)),
                _ => {
                    open.pop();
                    path.pop();
                    continue;
                }
            };
            let looked_at = [FileType::Directory, FileType::RegularFile, FileType::Unknown];
            let name = entry.file_name();
            if name == c"." || name == c".." || !looked_at.contains(&entry.file_type()) {
                continue;
            }
            let at = dir.fd().map_err(|error| self.failed("dirfd", &path, error))?;
            path.push(OsStr::from_bytes(name.to_bytes()));
            match self.entry(at, name, &path)? {
                Some(_) if open.len() > DEPTH => return Err(self.too_deep(&path)),
                Some(inner) => open.push(inner),
                None => {
                    path.pop();
                }
            }
        }
        Ok(())
    }

    /// What `name` in the directory `at` is. A directory on the same mount is returned, open.
    fn entry(&self, at: BorrowedFd<'_>, name: &CStr, path: &Path) -> Result<Option<Dir>, Failure> {
        let found = match statx(at, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT, WANTED) {
            Ok(found) => found,
            Err(error) if is_gone(error) => return Ok(None),
            Err(error) => return Err(self.failed("statx", path, error)),
        };
        // what has been mounted since the mounts were listed is looked at from here
        if found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) && self.mounts.contains(path) {
            return Ok(None);
        }
        match type_of(&found) {
            FileType::Directory => {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                match openat(at, name, flags, Mode::empty()) {
                    Ok(dir) => self.enter(dir.as_fd(), path),
                    Err(error) if is_gone(error) => Ok(None),
                    Err(error) => Err(self.failed("openat", path, error)),
                }
            }
            FileType::RegularFile => {
                let mut within = format!("/proc/self/fd/{}/", at.as_raw_fd()).into_bytes();
                within.extend(name.to_bytes());
                self.file(found.stx_mode, lgetxattr(within, CAPABILITY, &mut [0; 64]), path)?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// A directory, to be read, unless it is closed.
    fn enter(&self, dir: BorrowedFd<'_>, path: &Path) -> Result<Option<Dir>, Failure> {
        if is_closed(dir).map_err(|error| self.failed("statx", path, error))? {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = openat(dir, c".", flags, Mode::empty()).and_then(Dir::new);
        opened.map(Some).map_err(|error| self.failed("openat", path, error))
    }

    /// Without any right to execute it, too: chmod(2) keeps capabilities, and setting an access control list keeps
    /// set-group-ID, so the jail could add that.
    fn file(&self, mode: u16, capable: Result<usize, Errno>, path: &Path) -> Result<(), Failure> {
        let mode = u32::from(mode);
        let capable = match capable {
            Ok(_) => true,
            Err(Errno::NODATA | Errno::OPNOTSUPP) => false,
            Err(error) if is_gone(error) => false,
            Err(error) => return Err(self.failed("getxattr", path, error)),
        };
        let (what, remedy) = match mode {
            _ if mode & libc::S_ISUID != 0 => ("a set-user-ID", "take the bit away (chmod u-s)"),
            _ if mode & libc::S_ISGID != 0 => ("a set-group-ID", "take the bit away (chmod g-s)"),
            _ if capable => ("a privileged", "take its capabilities away (setcap -r)"),
            _ => return Ok(()),
        };
        let kind = if mode & 0o111 == 0 { "file" } else { "program" };
        let why = format!("is {what} {kind}, which the jail could rewrite");
        let hint =
            format!("{remedy}, show it read-only (:ro), or grant for writing only the parts that need it");
        Err(self.denied(path, &why).hint(hint))
    }

    fn too_deep(&self, path: &Path) -> Failure {
        let mut start = path.to_owned();
        while start.as_os_str().len() > SHOWN && start.pop() {}
        let why = format!(
            "has directories more than {DEPTH} deep below it, too deep to look for set-user-ID programs"
        );
        self.denied(&start, &why).hint("remove them, or grant for writing only the parts that need it")
    }

    fn denied(&self, path: &Path, why: &str) -> Failure {
        let message = format!("{} {why}", self.object(path));
        Failure::new(Kind::Denied, STAGE, "plan", self.option, message)
    }

    fn failed(&self, operation: &'static str, path: &Path, error: Errno) -> Failure {
        let failure = Failure::call(STAGE, operation, self.object(path), &error.into());
        match failure.kind {
            Kind::Denied => failure.hint("make it readable for you, or run as root"),
            _ => failure,
        }
    }

    /// The option and the path, which somebody else may have named.
    fn object(&self, path: &Path) -> String {
        format!("{}: {}", self.option, printable(&path.to_string_lossy()))
    }
}

/// Whether a directory is somebody else's who lets the user who starts the jail not into it: the jail has no right but
/// that user's, so it does not get in either. One that may only not be listed is not closed, nor one of the user's own,
/// whose mode the jail could change. For root none is.
fn is_closed(dir: BorrowedFd<'_>) -> Result<bool, Errno> {
    let user = geteuid();
    if user.is_root() {
        return Ok(false);
    }
    let owner = statx(dir, c"", AtFlags::EMPTY_PATH, StatxFlags::UID)?.stx_uid;
    let searched = openat(dir, c".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    Ok(owner != user.as_raw() && searched.err() == Some(Errno::ACCESS))
}

fn type_of(found: &Statx) -> FileType {
    FileType::from_raw_mode(found.stx_mode.into())
}

/// Whether it, or what it was, has gone away since its name was read.
fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}
