//! The lock between those who change a backend's rules, held by the program that changes them itself: when whoever
//! started it is killed, it goes on, and may commit what it was given long after. Who removes waits until no such
//! program is left.
//!
//! It is shared or exclusive (flock(2), on an open file that the program inherits). A second file is the gate that all
//! pass one by one on their way to the lock: jails that start without a pause cannot keep a removal waiting.
//!
//! Who starts a program gives it a deadline. One whose starter is killed has none any more: who waits for it ends it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use jail_net::backend::{Failure, Kind};
use nix::fcntl::OFlag;

use crate::{holders, process};

/// How long a program without its starter may go on. It has a few milliseconds of work.
const PATIENCE: Duration = Duration::from_secs(1);

/// Held while it lives, and if its process is killed for as long as the program that was given it runs.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// The lock of this name in `dir` beside others who take it so; waits for who has it alone.
    ///
    /// # Errors
    /// What mkdir(2), open(2) and flock(2) answer; that somebody holds it and does not let go.
    pub fn shared(dir: &Path, name: &str) -> Result<Self, Failure> {
        take(dir, name, How::Shared)
    }

    /// The lock of this name in `dir` alone: waits for all others, orphans included.
    ///
    /// # Errors
    /// As [`Lock::shared`].
    pub fn exclusive(dir: &Path, name: &str) -> Result<Self, Failure> {
        take(dir, name, How::Exclusive)
    }

    /// The same for who only removes: it is to be had also where there is no room for the lock's files.
    ///
    /// # Errors
    /// As [`Lock::shared`].
    pub fn removing(dir: &Path, name: &str) -> Result<Self, Failure> {
        take(dir, name, How::Removing)
    }

    /// For a program to inherit as its standard output.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Shared,
    Exclusive,
    Removing,
}

fn take(dir: &Path, name: &str, how: How) -> Result<Lock, Failure> {
    let path = dir.join(format!("{name}.lock"));
    let failed = |error: io::Error| Failure::call("network", "flock", path.display().to_string(), &error);
    let pass_the_gate = || -> io::Result<(Option<File>, File)> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let gate = open(&dir.join(format!("{name}-gate.lock")))?;
        let file = open(&path)?;
        uninterrupted(|| gate.lock())?;
        Ok((Some(gate), file))
    };
    let (_gate, file) = match pass_the_gate() {
        Err(error) if how == How::Removing && is_full(&error) => (None, in_place(dir).map_err(failed)?),
        other => other.map_err(failed)?,
    };
    let at_once = match how {
        How::Shared => file.try_lock_shared(),
        How::Exclusive | How::Removing => file.try_lock(),
    };
    if at_once.is_err() {
        let waited = wait(&file, how).map_err(failed)?;
        waited.then_some(()).ok_or_else(|| still_held(&file, &path))?;
    }
    Ok(Lock { file })
}

/// Whether there was no room to make a file.
fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT))
}

/// The directory itself, in the place of a file that there is no room for; it has no gate.
///
/// Only a file that is not there takes room: so nobody holds it, and nobody who adds gets it before there is room. There
/// may be rules all the same, where somebody has removed the directory's files under living jails, so who removes goes on
/// and looks for them. Should there be room meanwhile, somebody may add a jail's rules beside this removal: it is of
/// another jail's, in transactions of their own, and what all jails share goes only under jail's lock of the network.
fn in_place(dir: &Path) -> io::Result<File> {
    File::open(dir)
}

/// Waits for as long as a living holder may take; whether it was worth it. Then the lock comes to a thread that lets go
/// of it.
fn wait(file: &File, how: How) -> io::Result<bool> {
    let (tell, told) = mpsc::channel();
    let waiting = file.try_clone()?;
    let lock = move || {
        let lock = match how {
            How::Shared => File::lock_shared,
            How::Exclusive | How::Removing => File::lock,
        };
        let _nobody_waits = tell.send(uninterrupted(|| lock(&waiting)));
    };
    thread::Builder::new().name("lock".into()).spawn(lock)?;
    let end = Instant::now() + process::DEADLINE;
    while Instant::now() < end {
        match told.recv_timeout(PATIENCE) {
            Ok(locked) => return locked.map(|()| true),
            Err(_) => holders::end_orphans(file)?,
        }
    }
    Ok(false)
}

fn still_held(file: &File, path: &Path) -> Failure {
    let object = path.display().to_string();
    let holders = holders::words(file);
    let message = format!("{object}: no rules can be changed while it is held by {holders}");
    Failure::new(Kind::Failed, "network", "flock", object, message).hint("see what holds that up, or end it")
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
        drop(take(&dir, "nft", How::Exclusive).unwrap());
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&dir.join("nft.lock")), 0o600);
        std::fs::remove_file(dir.join("nft.lock")).unwrap();
        symlink("/dev/null", dir.join("nft.lock")).unwrap();
        assert_eq!(take(&dir, "nft", How::Exclusive).unwrap_err().errno, Some(libc::ELOOP));
    }

    #[test]
    fn who_removes_needs_no_room_for_a_file() {
        let temporary = tempfile::tempdir().unwrap();
        let full = || io::Error::from_raw_os_error(libc::ENOSPC);
        assert!(is_full(&full()) && !is_full(&io::Error::from_raw_os_error(libc::EROFS)));
        let [one, other] = [(); 2].map(|()| in_place(temporary.path()).unwrap());
        one.try_lock().unwrap();
        assert!(other.try_lock().is_err());
        assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_holder_that_does_not_let_go_is_named() {
        let temporary = tempfile::tempdir().unwrap();
        let lock = take(temporary.path(), "nft", How::Exclusive).unwrap();
        let mut holder =
            std::process::Command::new("sleep").arg("1000").stdout(lock.share().unwrap()).spawn().unwrap();
        let path = temporary.path().join("nft.lock");
        let said = still_held(&lock.file, &path).message;
        holder.kill().unwrap();
        holder.wait().unwrap();
        let holders = format!("sleep (pid {})", holder.id());
        let path = path.display();
        assert_eq!(said, format!("{path}: no rules can be changed while it is held by {holders}"));
        assert_eq!(holders::words(&lock.file), "somebody");
    }

    #[test]
    fn who_removes_waits_for_those_who_add_and_not_for_those_who_come_later() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path();
        let (tell, told) = mpsc::channel();
        let first = take(dir, "nft", How::Shared).unwrap();
        drop(take(dir, "nft", How::Shared).expect("adding is shared"));
        thread::scope(|scope| {
            let start = |who: &'static str, how| {
                let tell = tell.clone();
                scope.spawn(move || {
                    let lock = take(dir, "nft", how).unwrap();
                    tell.send(who).unwrap();
                    drop(lock);
                });
            };
            start("removes", How::Exclusive);
            let gate = open(&dir.join("nft-gate.lock")).unwrap();
            while gate.try_lock().is_ok() {
                gate.unlock().unwrap();
                thread::yield_now();
            }
            start("adds later", How::Shared);
            assert!(told.recv_timeout(Duration::from_millis(300)).is_err());
            drop(first);
        });
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["removes", "adds later"]);
    }
}
