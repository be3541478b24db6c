//! `Lease`: one thing of the machine that one jail uses at a time (a uid range, an address, a name), as a locked file.
//!
//! The lock is the truth, not the file: a lease is held while some process has the open file description, so it ends
//! with its holder however that dies, and survives execve when close-on-exec is cleared. The file's text says who
//! holds it. The lock is an open file description lock and not a flock(2), because it can be asked about without
//! being taken: who only looks never stands in the way of who takes. See fcntl(2).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A lease that is held.
#[derive(Debug)]
pub struct Lease {
    file: File,
    path: PathBuf,
}

/// The answer to [`Lease::take`].
#[derive(Debug)]
pub enum Taken {
    /// It is ours. `previous` is what a holder that died without releasing left in the file; empty when there was none.
    Ours {
        /// The lease.
        lease: Lease,
        /// The dead holder's text.
        previous: String,
    },
    /// Somebody alive holds it; this is the text they wrote (empty if they have not yet).
    Theirs(String),
}

impl Lease {
    /// Takes the lease at `path` without waiting and writes `holder` into it, or says who has it.
    ///
    /// The directory must exist. The file is created with mode 0600.
    ///
    /// # Errors
    /// What open(2), fcntl(2) `F_OFD_SETLK` or write(2) answer.
    pub fn take(path: &Path, holder: &str) -> io::Result<Taken> {
        loop {
            let mut file = open(path)?;
            if !try_lock(&file)? {
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                return Ok(Taken::Theirs(text));
            }
            if !is_at(&file, path)? {
                continue; // the holder before us removed the file between our open and our lock
            }
            let mut previous = String::new();
            file.read_to_string(&mut previous)?;
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(holder.as_bytes())?;
            return Ok(Taken::Ours { lease: Lease { file, path: path.to_owned() }, previous });
        }
    }

    /// Whether somebody alive holds the lease at `path`. Takes nothing.
    ///
    /// # Errors
    /// What open(2) answers, unless there is no file, or fcntl(2) `F_OFD_GETLK`.
    pub fn is_held(path: &Path) -> io::Result<bool> {
        match OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path) {
            Ok(file) => is_locked(&file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The file that stands for the lease.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The locked descriptor alone: the lease is held for as long as it, or a copy of it, is open.
    pub fn into_fd(self) -> OwnedFd {
        self.file.into()
    }

    /// Gives the lease back: removes the file, then drops the lock.
    ///
    /// # Errors
    /// What unlink(2) answers, unless the file is gone already.
    pub fn release(self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl AsFd for Lease {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// A write lock on the whole file, as fcntl(2) takes it.
fn whole_file() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

fn try_lock(file: &File) -> io::Result<bool> {
    let lock = whole_file();
    // SAFETY: the descriptor is open for the length of the call, and fcntl only reads the structure.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) } == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    if error.kind() == io::ErrorKind::WouldBlock { Ok(false) } else { Err(error) }
}

fn is_locked(file: &File) -> io::Result<bool> {
    let mut lock = whole_file();
    // SAFETY: the descriptor is open for the length of the call, and the structure is ours to be written to.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(libc::c_int::from(lock.l_type) != libc::F_UNLCK)
}

/// Whether `path` still names this open file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok(there.dev() == ours.dev() && there.ino() == ours.ino()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(path: &Path, holder: &str) -> Option<(Lease, String)> {
        match Lease::take(path, holder).unwrap() {
            Taken::Ours { lease, previous } => Some((lease, previous)),
            Taken::Theirs(_) => None,
        }
    }

    #[test]
    fn a_lease_has_one_holder_and_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("10.10.20.10");
        let (lease, _) = take(&path, "web").unwrap();
        assert!(Lease::is_held(&path).unwrap());
        assert!(matches!(Lease::take(&path, "db").unwrap(), Taken::Theirs(who) if who == "web"));
        lease.release().unwrap();
        assert!(!path.exists());
        assert!(!Lease::is_held(&path).unwrap());
        assert!(take(&path, "db").is_some());
    }

    #[test]
    fn a_dead_holders_lease_is_taken_and_its_name_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        drop(take(&path, "web").unwrap());
        let (_lease, previous) = take(&path, "db").unwrap();
        assert_eq!(previous, "web");
    }
}
