//! Opens a plugin's file, and sees that nobody but its rightful owner could have written it.
#![allow(unsafe_code)]

use std::fs::{self, File, Metadata, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jail_sys::{Failure, Kind};

use super::refuse::{REMEDY, refuse};

/// Where an open descriptor has a name: what is checked and what is loaded are then one file, whatever happens to its
/// path meanwhile.
pub(super) fn by_descriptor(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Opens the library at `path` if its directory and the file itself belong to root, the caller or the owner of this
/// program, and nobody else may write them.
///
/// # Errors
/// What open(2) answers; [`Kind::Denied`] for a wrong owner or mode; [`Kind::Unsupported`] without /proc.
pub(super) fn open(path: &Path) -> Result<File, Failure> {
    if !Path::new("/proc/self/fd").exists() {
        return Err(refuse(Kind::Unsupported, path, "cannot be loaded safely: /proc is not mounted")
            .hint("mount -t proc proc /proc"));
    }
    let called = |error| Failure::call("network", "open", path.display().to_string(), &error);
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or_else(|| refuse(Kind::Invalid, path, "is not a file's path"))?;
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
        .open(parent)
        .map_err(called)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY) // a FIFO or a terminal must not hold us up
        .open(by_descriptor(&directory).join(name))
        .map_err(|error| called(error).hint(REMEDY))?;
    let about = file.metadata().map_err(called)?;
    if !about.is_file() {
        return Err(refuse(Kind::Invalid, path, "is not a regular file"));
    }
    let trusted = trusted_owners();
    check(&directory.metadata().map_err(called)?, parent, &trusted)?;
    check(&about, path, &trusted)?;
    Ok(file)
}

/// Root, the caller, and the owner of this program (an unprivileged user's build tree, run by root).
fn trusted_owners() -> Vec<u32> {
    // SAFETY: geteuid(2) has no preconditions and cannot fail.
    let caller = unsafe { libc::geteuid() };
    let program = fs::metadata("/proc/self/exe").map(|about| about.uid());
    [0, caller].into_iter().chain(program).collect()
}

fn check(about: &Metadata, path: &Path, trusted: &[u32]) -> Result<(), Failure> {
    let shown = path.display();
    if !trusted.contains(&about.uid()) {
        let reason = format!(
            "belongs to uid {}: a plugin runs as part of this program, so it and its directory must be root's, \
             yours or the program's owner's",
            about.uid()
        );
        return Err(refuse(Kind::Denied, path, reason).hint(format!("chown root {shown}")));
    }
    if about.mode() & 0o022 != 0 {
        let who = if about.mode() & 0o002 != 0 { "anybody" } else { "its group" };
        let reason = format!(
            "can be written by {who}: a plugin runs as part of this program, so nobody but its owner may change it"
        );
        return Err(refuse(Kind::Denied, path, reason).hint(format!("chmod go-w {shown}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        directory
    }

    fn library(directory: &tempfile::TempDir, mode: u32) -> PathBuf {
        let path = directory.path().join("libjail_x.so");
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_file_that_only_its_owner_may_write_is_opened() {
        let directory = directory();
        assert!(open(&library(&directory, 0o644)).is_ok());
    }

    #[test]
    fn a_file_that_others_may_write_is_refused() {
        let directory = directory();
        let failure = open(&library(&directory, 0o664)).unwrap_err();
        assert_eq!(failure.kind, Kind::Denied);
        assert!(failure.message.contains("libjail_x.so can be written by its group: "), "{failure}");
        let failure = open(&library(&directory, 0o646)).unwrap_err();
        assert!(failure.message.contains("libjail_x.so can be written by anybody: "), "{failure}");
        assert!(failure.hint.starts_with("chmod go-w /"), "{failure}");
    }

    #[test]
    fn a_file_in_a_directory_that_others_may_write_is_refused() {
        let directory = directory();
        let path = library(&directory, 0o644);
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        let failure = open(&path).unwrap_err();
        assert!(
            failure.message.starts_with(&format!("{} can be written by anybody", directory.path().display()))
        );
    }

    #[test]
    fn a_file_of_a_stranger_is_refused() {
        let directory = directory();
        let path = library(&directory, 0o644);
        if std::os::unix::fs::chown(&path, Some(12_345), None).is_err() {
            return; // only root may give files away
        }
        let failure = open(&path).unwrap_err();
        assert_eq!(failure.kind, Kind::Denied);
        assert!(failure.message.contains("libjail_x.so belongs to uid 12345: "), "{failure}");
    }

    #[test]
    fn what_is_not_a_regular_file_is_refused_without_waiting() {
        let directory = directory();
        let path = directory.path().join("libjail_x.so");
        fs::create_dir(&path).unwrap();
        assert!(open(&path).unwrap_err().message.ends_with("libjail_x.so is not a regular file"));
        let device = directory.path().join("libjail_y.so");
        symlink("/dev/null", &device).unwrap();
        assert!(open(&device).unwrap_err().message.ends_with("libjail_y.so is not a regular file"));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let directory = directory();
        let failure = open(&directory.path().join("libjail_x.so")).unwrap_err();
        assert_eq!(failure.kind, Kind::NotFound);
        let told = format!("libjail_x.so: open: No such file or directory; {REMEDY}");
        assert!(failure.to_string().ends_with(&told), "{failure}");
        assert_eq!(open(Path::new("/nowhere/libjail_x.so")).unwrap_err().kind, Kind::NotFound);
        assert_eq!(open(Path::new("/")).unwrap_err().kind, Kind::Invalid);
    }
}
