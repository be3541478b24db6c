//! The host's directories below one of its own, with their owners and modes, a bounded number of levels deep.

use std::fs::Metadata;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jail_sys::Failure;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, StatxAttributes, StatxFlags, openat, statx};

use crate::plan::Folder;
use crate::var::unreadable;

/// How many directories one scan finds at most, so that a host with a hundred thousand does not delay a start.
pub(crate) const LIMIT: usize = 1000;

const WANTED: StatxFlags =
    StatxFlags::MODE.union(StatxFlags::UID).union(StatxFlags::GID).union(StatxFlags::NLINK);

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Directories, parents first, by name.
    pub(crate) folders: Vec<Folder>,
    /// Directories on which something is mounted and which everybody may enter.
    pub(crate) mounts: Vec<String>,
    /// How many directories were found beyond the limit or have a name that is not UTF-8.
    pub(crate) left_out: usize,
}

/// Whether others than owner and group may list and enter a directory of this mode.
pub(crate) fn entered_by_all(mode: u32) -> bool {
    mode & 0o005 == 0o005
}

/// A directory as a folder of the jail's: set-id bits are dropped, the sticky bit is kept.
pub(crate) fn folder_of(path: String, meta: &Metadata) -> Folder {
    folder(path, meta.mode(), meta.uid(), meta.gid())
}

fn folder(path: String, mode: u32, uid: u32, gid: u32) -> Folder {
    Folder { path, mode: mode & 0o1777, uid, gid, empty: !entered_by_all(mode) }
}

/// Looks `levels` deep below `dir`. What others may not enter is found but not entered; symbolic links are not
/// followed; a directory that goes away meanwhile is passed over.
pub(crate) fn scan(dir: &Path, levels: usize) -> Result<Scan, Failure> {
    let mut scan = Scan::default();
    let opened = open(CWD, dir).map_err(|error| unreadable(dir, "open", &error))?;
    scan.below(opened, "", levels).map_err(|error| unreadable(dir, "readdir", &error))?;
    scan.folders.sort_by(|a, b| a.path.cmp(&b.path));
    scan.mounts.sort();
    Ok(scan)
}

impl Scan {
    fn below(&mut self, dir: OwnedFd, prefix: &str, levels: usize) -> io::Result<()> {
        let mut dir = Dir::new(dir)?;
        while let Some(entry) = dir.read() {
            let entry = entry?;
            let name = entry.file_name();
            if !matches!(entry.file_type(), FileType::Directory | FileType::Unknown)
                || is_dots(name.to_bytes())
            {
                continue;
            }
            let Some(name) = name.to_str().ok().filter(|_| self.folders.len() < LIMIT) else {
                self.left_out += 1;
                continue;
            };
            self.found(dir.fd()?, name, prefix, levels)?;
        }
        Ok(())
    }

    fn found(&mut self, dir: BorrowedFd<'_>, name: &str, prefix: &str, levels: usize) -> io::Result<()> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        let meta = match statx(dir, name, flags, WANTED) {
            Ok(meta) => meta,
            Err(rustix::io::Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if FileType::from_raw_mode(meta.stx_mode.into()) != FileType::Directory {
            return Ok(());
        }
        let path = format!("{prefix}{name}");
        let folder = folder(path.clone(), meta.stx_mode.into(), meta.stx_uid, meta.stx_gid);
        // a directory's links are its name, its own '.', and the '..' of each directory in it
        let leaf = meta.stx_nlink == 2;
        let mounted = meta.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
        if mounted && !folder.empty {
            self.mounts.push(path.clone());
        }
        let enter = levels > 1 && !leaf && !mounted && !folder.empty;
        self.folders.push(folder);
        if enter {
            match open(dir, Path::new(name)) {
                Ok(inner) => self.below(inner, &format!("{path}/"), levels - 1)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn open(at: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(at, path, flags, Mode::empty())?)
}

/// Whether a directory has nothing in it, so that nothing can be mounted below it either. Unsure means no.
pub(crate) fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}

fn is_dots(name: &[u8]) -> bool {
    name == b"." || name == b".."
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn make(root: &Path, path: &str, mode: u32) {
        fs::create_dir(root.join(path)).unwrap();
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn paths(scan: &Scan) -> Vec<&str> {
        scan.folders.iter().map(|folder| folder.path.as_str()).collect()
    }

    #[test]
    fn two_levels_are_found_parents_first_and_files_and_links_are_not() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["b", "a", "a/x", "a/x/deep"] {
            make(dir.path(), path, 0o755);
        }
        fs::write(dir.path().join("a/file"), "").unwrap();
        std::os::unix::fs::symlink("/usr", dir.path().join("README")).unwrap();
        assert_eq!(paths(&scan(dir.path(), 2).unwrap()), ["a", "a/x", "b"]);
    }

    #[test]
    fn what_others_may_not_enter_is_not_entered_and_set_id_bits_are_dropped() {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), "private", 0o755);
        make(dir.path(), "private/secret", 0o755);
        fs::set_permissions(dir.path().join("private"), fs::Permissions::from_mode(0o2711)).unwrap();
        let found = scan(dir.path(), 2).unwrap();
        assert_eq!(paths(&found), ["private"]);
        assert_eq!(found.folders[0].mode, 0o711);
        assert!(found.folders[0].empty);
    }

    #[test]
    fn a_scan_is_bounded_and_says_what_it_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..LIMIT + 7 {
            make(dir.path(), &number.to_string(), 0o755);
        }
        let found = scan(dir.path(), 2).unwrap();
        assert_eq!((found.folders.len(), found.left_out), (LIMIT, 7));
    }

    #[test]
    fn a_name_that_is_not_utf8_is_left_out() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(std::ffi::OsStr::from_bytes(b"\xff"))).unwrap();
        let found = scan(dir.path(), 1).unwrap();
        assert_eq!((found.folders.len(), found.left_out), (0, 1));
    }
}
