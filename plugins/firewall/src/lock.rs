//! The lock between those who change a backend's rules, held by the program that changes them itself: when whoever
//! started it is killed, it goes on, and may commit what it was given long after. Who removes waits until no such
//! program is left.
//!
//! It is shared or exclusive (flock(2), on an open file that the program inherits). A second file is the gate that all
//! pass one by one on their way to the lock: jails that start without a pause cannot keep a removal waiting.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use jail_net::backend::Failure;
use nix::fcntl::OFlag;

/// Held while it lives, and if its process is killed for as long as the program that was given it runs.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// The lock of this name in `dir` beside others who take it so; waits for who has it alone.
    ///
    /// # Errors
    /// What mkdir(2), open(2) and flock(2) answer.
    pub fn shared(dir: &Path, name: &str) -> Result<Self, Failure> {
        take(dir, name, File::lock_shared)
    }

    /// The lock of this name in `dir` alone: waits for all others, orphans included.
    ///
    /// # Errors
    /// What mkdir(2), open(2) and flock(2) answer.
    pub fn exclusive(dir: &Path, name: &str) -> Result<Self, Failure> {
        take(dir, name, File::lock)
    }

    /// For a program to inherit as a standard descriptor.
    ///
    /// # Errors
    /// What fcntl(2) answers.
    pub fn share(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Drop for Lock {
    /// Gives it up also for a program that has committed and not ended yet, which can take nft 50 ms.
    fn drop(&mut self) {
        // Should it fail, the end of the program does it.
        let _ = self.file.unlock();
    }
}

fn take(dir: &Path, name: &str, lock: fn(&File) -> io::Result<()>) -> Result<Lock, Failure> {
    let path = dir.join(format!("{name}.lock"));
    let take = || {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let gate = open(&dir.join(format!("{name}-gate.lock")))?;
        let file = open(&path)?;
        uninterrupted(|| gate.lock())?;
        uninterrupted(|| lock(&file))?;
        Ok(Lock { file })
    };
    take().map_err(|error| Failure::call("network", "flock", path.display().to_string(), &error))
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
        drop(take(&dir, "nft", File::lock).unwrap());
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&dir.join("nft.lock")), 0o600);
        std::fs::remove_file(dir.join("nft.lock")).unwrap();
        symlink("/dev/null", dir.join("nft.lock")).unwrap();
        assert_eq!(take(&dir, "nft", File::lock).unwrap_err().errno, Some(libc::ELOOP));
    }

    #[test]
    fn who_removes_waits_for_those_who_add_and_not_for_those_who_come_later() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path();
        let (tell, told) = mpsc::channel();
        let first = take(dir, "nft", File::lock_shared).unwrap();
        drop(take(dir, "nft", File::lock_shared).expect("adding is shared"));
        thread::scope(|scope| {
            let start = |who: &'static str, lock: fn(&File) -> io::Result<()>| {
                let tell = tell.clone();
                scope.spawn(move || {
                    let lock = take(dir, "nft", lock).unwrap();
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
