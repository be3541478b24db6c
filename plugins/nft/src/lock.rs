//! The lock between those who add elements and those who remove them, held by nft itself: when whoever started it is
//! killed, nft goes on, and may commit what it was given long after. Who removes waits until no such nft is left.
//!
//! Adding is shared, removing is exclusive (flock(2), on an open file that nft inherits). A second file is the gate that
//! all pass one by one on their way to the lock: jails that start without a pause cannot keep a removal waiting.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jail_net::backend::Failure;
use nix::fcntl::OFlag;

/// Held while it lives, and if its process is killed for as long as the nft that was given it runs.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// To add: waits for those who remove.
    pub(crate) fn to_add() -> Result<Self, Failure> {
        take(&directory(), File::lock_shared)
    }

    /// To remove: waits for those who add, orphans included.
    pub(crate) fn to_remove() -> Result<Self, Failure> {
        take(&directory(), File::lock)
    }

    /// For nft to inherit as a standard descriptor.
    pub(crate) fn share(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Drop for Lock {
    /// Gives it up also for an nft that has committed and not ended yet, which can take it 50 ms.
    fn drop(&mut self) {
        // Should it fail, the end of nft does it.
        let _ = self.file.unlock();
    }
}

fn take(dir: &Path, lock: fn(&File) -> io::Result<()>) -> Result<Lock, Failure> {
    let take = || {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let gate = open(&dir.join("nft-gate.lock"))?;
        let file = open(&dir.join("nft.lock"))?;
        uninterrupted(|| gate.lock())?;
        uninterrupted(|| lock(&file))?;
        Ok(Lock { file })
    };
    let object = || dir.join("nft.lock").display().to_string();
    take().map_err(|error| Failure::call("network", "flock", object(), &error))
}

fn uninterrupted(mut call: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags.bits())
        .open(path)
}

#[cfg(not(test))]
fn directory() -> PathBuf {
    "/run/jail".into()
}

/// The tests leave the machine's own alone.
#[cfg(test)]
fn directory() -> PathBuf {
    let own = || std::env::current_exe().unwrap().with_file_name("jail-nft-test");
    std::env::var_os("JAIL_NFT_TEST_DIR").map_or_else(own, PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_files_are_for_root_alone_and_no_link_is_followed() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().join("run/jail");
        drop(take(&dir, File::lock).unwrap());
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&dir.join("nft.lock")), 0o600);
        std::fs::remove_file(dir.join("nft.lock")).unwrap();
        symlink("/dev/null", dir.join("nft.lock")).unwrap();
        assert_eq!(take(&dir, File::lock).unwrap_err().errno, Some(libc::ELOOP));
    }

    #[test]
    fn who_removes_waits_for_those_who_add_and_not_for_those_who_come_later() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path();
        let (tell, told) = mpsc::channel();
        let first = take(dir, File::lock_shared).unwrap();
        drop(take(dir, File::lock_shared).expect("adding is shared"));
        thread::scope(|scope| {
            let start = |who: &'static str, lock: fn(&File) -> io::Result<()>| {
                let tell = tell.clone();
                scope.spawn(move || {
                    let lock = take(dir, lock).unwrap();
                    tell.send(who).unwrap();
                    drop(lock);
                });
            };
            start("removes", File::lock);
            let gate = open(&dir.join("nft-gate.lock")).unwrap();
            while gate.try_lock().is_ok() {
                gate.unlock().unwrap();
                thread::yield_now();
            }
            start("adds later", File::lock_shared);
            assert!(told.recv_timeout(Duration::from_millis(300)).is_err());
            drop(first);
        });
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["removes", "adds later"]);
    }
}
