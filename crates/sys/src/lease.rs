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

/// No link is followed, and a FIFO holds nobody up.
const FLAGS: libc::c_int = libc::O_NOFOLLOW | libc::O_NONBLOCK;

/// The longest text of a holder, in bytes.
const LONGEST: u64 = 65536;

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
    /// What open(2), fcntl(2) `F_OFD_SETLK` or write(2) answer: then a file that was not there is not there.
    /// [`io::ErrorKind::InvalidInput`] for what is no regular file.
    pub fn take(path: &Path, holder: &str) -> io::Result<Taken> {
        loop {
            let file = regular(open(path))?;
            if !try_lock(&file)? {
                return Ok(Taken::Theirs(text(&file)?));
            }
            if !is_at(&file, path)? {
                continue; // the holder before us removed the file between our open and our lock
            }
            let previous = text(&file)?;
            let lease = Lease { file, path: path.to_owned() };
            if let Err(error) = lease.write(holder) {
                if previous.is_empty() {
                    let _ = lease.release(); // why it could not be written is the one to tell
                }
                return Err(error);
            }
            return Ok(Taken::Ours { lease, previous });
        }
    }

    /// Over what a dead holder wrote, which takes no room that is not there: on a full disk its text stays.
    fn write(&self, holder: &str) -> io::Result<()> {
        let mut file = &self.file;
        file.rewind()?;
        file.write_all(holder.as_bytes())?;
        file.set_len(holder.len() as u64)
    }

    /// Whether somebody alive holds the lease at `path`. Takes nothing.
    ///
    /// # Errors
    /// What open(2) answers, unless there is no such file, or fcntl(2) `F_OFD_GETLK`.
    pub fn is_held(path: &Path) -> io::Result<bool> {
        look(path).and_then(|file| file.map_or(Ok(false), |file| is_locked(&file)))
    }

    /// What the holder of the lease at `path`, alive or dead, wrote into it; empty without one. Takes nothing.
    ///
    /// # Errors
    /// What open(2), unless there is no such file, or read(2) answer.
    pub fn holder(path: &Path) -> io::Result<String> {
        look(path).and_then(|file| file.map_or(Ok(String::new()), |file| text(&file)))
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
        .custom_flags(FLAGS)
        .open(path)
}

/// The file, for looking; `None` when there is none, or something that cannot be a lease.
fn look(path: &Path) -> io::Result<Option<File>> {
    match regular(OpenOptions::new().read(true).custom_flags(FLAGS).open(path)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => {
            Ok(None)
        }
        file => file.map(Some),
    }
}

fn regular(file: io::Result<File>) -> io::Result<File> {
    let strange = || io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file: remove it");
    match file {
        Ok(file) => {
            if file.metadata()?.is_file() {
                Ok(file)
            } else {
                Err(strange())
            }
        }
        Err(error) if matches!(error.raw_os_error(), Some(libc::EISDIR | libc::ELOOP | libc::ENXIO)) => {
            Err(strange())
        }
        Err(error) => Err(error),
    }
}

/// What a holder wrote. Somebody else's bytes may be no text, and many.
fn text(file: &File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
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
    fn what_is_no_regular_file_is_nobodys_and_cannot_be_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("dir")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", path("link")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path("fifo")).status().unwrap().success());
        for name in ["dir", "link", "fifo"] {
            assert_eq!(Lease::take(&path(name), "web").unwrap_err().kind(), io::ErrorKind::InvalidInput);
            assert!(!Lease::is_held(&path(name)).unwrap());
            assert_eq!(Lease::holder(&path(name)).unwrap(), "");
        }
        fs::write(path("bytes"), [0xff; 100_000]).unwrap();
        assert!(take(&path("bytes"), "web").is_some());
        assert_eq!(Lease::holder(&path("bytes")).unwrap(), "web");
    }

    #[test]
    fn a_lease_that_cannot_be_written_leaves_no_file_and_a_dead_holders_text() {
        if let Some(dir) = std::env::var_os("LEASE_TEST_DIR") {
            let refused = |name| Lease::take(&Path::new(&dir).join(name), "db").is_err();
            assert!(refused("new") && refused("dead"));
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let (new, dead) = (dir.path().join("new"), dir.path().join("dead"));
        fs::write(&dead, "web").unwrap();
        // Again in a process that may write no file: see setrlimit(2), RLIMIT_FSIZE.
        let test = "lease::tests::a_lease_that_cannot_be_written_leaves_no_file_and_a_dead_holders_text";
        let run = format!("trap '' XFSZ; ulimit -f 0; exec \"$0\" --exact {test}");
        let mut again = std::process::Command::new("bash");
        again.args(["-c", &run]).arg(std::env::current_exe().unwrap()).env("LEASE_TEST_DIR", dir.path());
        let again = again.output().unwrap();
        assert!(again.status.success(), "{again:?}");
        assert!(!new.exists());
        assert_eq!(fs::read_to_string(dead).unwrap(), "web");
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
