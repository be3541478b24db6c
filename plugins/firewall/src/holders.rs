//! Who holds a lock that was handed to a program as its standard output, as /proc tells it. See proc(5).

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Ends every process that holds the lock and whose parent, who would end it in time, knows nothing of it: one whose
/// starter was killed.
///
/// What the kernel does for it at the moment is done whole or not at all, and the lock is held until then.
pub(crate) fn end_orphans(lock: &File) -> io::Result<()> {
    let lock = lock.metadata()?;
    for pid in processes() {
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
        // Asked after it was opened, so that the answers are about this process and no later one of its number.
        if is_output_of(&lock, pid) && !parent_of(pid).is_some_and(|parent| is_open_in(&lock, parent)) {
            match pidfd_send_signal(&process, Signal::KILL) {
                Ok(()) | Err(Errno::SRCH) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
    Ok(())
}

/// The processes that hold the lock, for a person: `nft (pid 4711)`.
pub(crate) fn words(lock: &File) -> String {
    let Ok(lock) = lock.metadata() else { return "somebody".to_owned() };
    let word = |pid: Pid| {
        let name = fs::read_to_string(of(pid, "comm")).unwrap_or_default();
        format!("{} (pid {pid})", name.trim_end())
    };
    let holders: Vec<_> = processes().filter(|pid| is_output_of(&lock, *pid)).map(word).collect();
    if holders.is_empty() { "somebody".to_owned() } else { holders.join(", ") }
}

fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

fn of(pid: Pid, file: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{file}"))
}

fn is_output_of(lock: &Metadata, pid: Pid) -> bool {
    fs::metadata(of(pid, "fd/1")).is_ok_and(|open| is_same(&open, lock))
}

fn is_open_in(lock: &Metadata, pid: Pid) -> bool {
    let files = fs::read_dir(of(pid, "fd")).into_iter().flatten().flatten();
    files.into_iter().any(|file| fs::metadata(file.path()).is_ok_and(|open| is_same(&open, lock)))
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// `None` for a parent outside our pid namespace. The name before the numbers may hold anything, a parenthesis too.
fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(of(pid, "stat")).ok()?;
    let (_, numbers) = stat.rsplit_once(')')?;
    Pid::from_raw(numbers.split_whitespace().nth(1)?.parse().ok()?)
}
