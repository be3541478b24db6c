//! Uid ranges: which 65,536 ids of the host a jail runs under, leased so that no two jails ever share one.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::ops::Range;
use std::path::Path;

use jail_sys::lease::{Lease, Taken};
use jail_sys::{Failure, IdMap, Kind};

/// The lowest id of the first range: above what systemd-nspawn and `useradd` give away.
const FIRST: u32 = 0x7000_0000;

/// Ids of one range.
const SIZE: u32 = 65536;

/// How many ranges there are; the last ends at 2^31, beyond which some software reads ids as negative.
const COUNT: u32 = 4096;

/// All of them.
const ALL: Range<u64> = FIRST as u64..FIRST as u64 + SIZE as u64 * COUNT as u64;

/// Beside the leases: says that nobody ran under any of these ids before the first lease since boot was taken.
const CLEAN: &str = "clean";

/// Leases a range for `holder` in the directory `dir`, which must exist and be gone after a reboot.
///
/// A range is passed over if /etc/subuid, /etc/subgid, /etc/passwd or /etc/group give away an id of it, if a process ran
/// under one before the first lease was taken, or if its last holder died and left a process that still runs. A holder's
/// name leads to the same range again, if that is free.
///
/// Release the lease only once the jail's first process has been waited for: then nothing runs under its ids any more.
///
/// # Errors
/// What reading those files, /proc or locking answer; a conflict when all ranges are in use.
pub fn lease(dir: &Path, holder: &str) -> Result<(IdMap, Lease), Failure> {
    let mut taken = given_away();
    taken.extend(running_before(dir)?);
    let start = hash(holder) % COUNT;
    for index in (0..COUNT).map(|offset| (start + offset) % COUNT) {
        let map = IdMap { base: FIRST + index * SIZE, size: SIZE };
        if taken.iter().any(|ids| overlap(ids, &ids_of(&map))) {
            continue;
        }
        let path = dir.join(map.base.to_string());
        let (lease, previous) = match Lease::take(&path, holder) {
            Ok(Taken::Ours { lease, previous }) => (lease, previous),
            Ok(Taken::Theirs(_)) => continue,
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => continue, // `collect` tells of it
            Err(error) => return Err(failed(&path, &error)),
        };
        // A holder that died may have left its jail dying. The text we wrote says so to whoever comes next.
        if previous.is_empty() || !is_running(&ids_of(&map))? {
            return Ok((map, lease));
        }
    }
    let message = format!("all {COUNT} uid ranges are in use");
    Err(Failure::new(Kind::Conflict, "namespace", "lease uid range", dir.display().to_string(), message)
        .hint("stop jails that are not needed; `jail gc` frees what dead ones left"))
}

/// Gives back what dead holders left, unless a process still runs under their ids.
///
/// # Errors
/// What reading the directory or /proc, or locking, answers: the first such failure, of which no other lease knows.
pub fn collect(dir: &Path) -> Result<(), Failure> {
    let mut result = Ok(());
    for entry in fs::read_dir(dir).map_err(|error| failed(dir, &error))? {
        let path = entry.map_err(|error| failed(dir, &error))?.path();
        let base = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        if let Some(base) = base {
            result = result.and(collect_one(&path, &IdMap { base, size: SIZE }));
        }
    }
    result
}

fn collect_one(path: &Path, map: &IdMap) -> Result<(), Failure> {
    let failed = |error: io::Error| failed(path, &error);
    // The same text again for a holder whose processes have not all gone yet.
    let before = Lease::holder(path).map_err(failed)?;
    if let Taken::Ours { lease, .. } = Lease::take(path, &before).map_err(failed)?
        && !is_running(&ids_of(map))?
    {
        lease.release().map_err(failed)?;
    }
    Ok(())
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::call("namespace", "lease uid range", path.display().to_string(), error)
}

fn hash(holder: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    holder.hash(&mut hasher);
    hasher.finish() as u32
}

fn ids_of(map: &IdMap) -> Range<u64> {
    u64::from(map.base)..u64::from(map.base) + u64::from(map.size)
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}

/// Ids that this host's databases have given to somebody. A file that is not there gives away nothing.
fn given_away() -> Vec<Range<u64>> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let mut ids = Vec::new();
    for path in ["/etc/subuid", "/etc/subgid"] {
        ids.extend(read(path).lines().filter_map(|line| {
            let (first, count) = (field(line, 1)?, field(line, 2)?);
            Some(first..first + count)
        }));
    }
    for (path, columns) in [("/etc/passwd", 2..=3), ("/etc/group", 2..=2)] {
        let numbers = |line: &str| columns.clone().filter_map(|at| field(line, at)).collect::<Vec<_>>();
        ids.extend(read(path).lines().flat_map(numbers).map(|id| id..id + 1));
    }
    ids.retain(|range| overlap(range, &ALL));
    ids
}

/// The number in a column of a line like those of passwd(5).
fn field(line: &str, column: usize) -> Option<u64> {
    line.split(':').nth(column)?.parse::<u32>().ok().map(u64::from)
}

/// Ids of ours that somebody runs under who never leased them. /proc is read once since boot: after that only holders
/// use these ids, and they give a lease back when their jail is gone.
fn running_before(dir: &Path) -> Result<Vec<Range<u64>>, Failure> {
    let mark = dir.join(CLEAN);
    if mark.exists() {
        return Ok(Vec::new());
    }
    let fail = |error: io::Error| Failure::call("namespace", "read", "/proc", &error);
    let leased = |id: u64| dir.join((id - id % u64::from(SIZE)).to_string()).exists();
    let mut strangers = ids_in_use().map_err(fail)?;
    strangers.retain(|id| ALL.contains(id) && !leased(*id));
    if strangers.is_empty() {
        fs::write(&mark, "")
            .map_err(|error| Failure::call("state", "create", mark.display().to_string(), &error))?;
    }
    Ok(strangers.into_iter().map(|id| id..id + 1).collect())
}

fn is_running(ids: &Range<u64>) -> Result<bool, Failure> {
    let fail = |error: io::Error| Failure::call("namespace", "read", "/proc", &error);
    Ok(ids_in_use().map_err(fail)?.iter().any(|id| ids.contains(id)))
}

/// The uids and gids (real, effective, saved, file system) of every process there is, many times over.
fn ids_in_use() -> io::Result<Vec<u64>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        if !path.file_name().is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit)) {
            continue;
        }
        let Ok(status) = fs::read_to_string(path.join("status")) else { continue }; // it has ended meanwhile
        ids.extend(ids_of_process(&status));
    }
    Ok(ids)
}

/// The numbers in the lines `Uid` and `Gid` of a status file of proc(5). A zombie has none: it runs nothing and holds
/// nothing but its status, which its parent may take long to fetch.
fn ids_of_process(status: &str) -> Vec<u64> {
    let line = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    if line("State:").trim_start().starts_with('Z') && line("Threads:").trim() == "1" {
        return Vec::new();
    }
    let words = line("Uid:").split_whitespace().chain(line("Gid:").split_whitespace());
    words.filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_holders_of_one_name_never_share_a_range() {
        let dir = tempfile::tempdir().unwrap();
        let (first, lease) = lease(dir.path(), "web").unwrap();
        let (second, _other) = super::lease(dir.path(), "web").unwrap();
        assert!(!overlap(&ids_of(&first), &ids_of(&second)));
        lease.release().unwrap();
        assert_eq!(super::lease(dir.path(), "web").unwrap().0, first);
    }

    #[test]
    fn what_a_dead_holder_left_is_collected_and_what_is_held_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (dead, lease) = lease(dir.path(), "dead").unwrap();
        drop(lease);
        let (alive, _held) = super::lease(dir.path(), "alive").unwrap();
        fs::create_dir(dir.path().join("1879048192")).unwrap();
        let failure = collect(dir.path()).unwrap_err();
        assert!(failure.message.ends_with("1879048192: lease uid range: it is no regular file: remove it"));
        assert!(!dir.path().join(dead.base.to_string()).exists());
        assert!(dir.path().join(alive.base.to_string()).exists());
    }

    #[test]
    fn ids_of_processes_are_found() {
        let uid = fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).unwrap();
        assert!(ids_in_use().unwrap().contains(&u64::from(uid)));
    }

    #[test]
    fn a_zombie_uses_no_ids_unless_another_of_its_threads_still_runs() {
        let status = |state, threads| {
            format!("Name:\tx\nState:\t{state}\nUid:\t7\t8\t8\t8\nGid:\t9\t9\t9\t9\nThreads:\t{threads}\n")
        };
        assert_eq!(ids_of_process(&status("S (sleeping)", 1)), [7, 8, 8, 8, 9, 9, 9, 9]);
        assert!(ids_of_process(&status("Z (zombie)", 1)).is_empty());
        assert_eq!(ids_of_process(&status("Z (zombie)", 2)).len(), 8);
    }

    #[test]
    fn columns_of_the_databases_are_numbers_or_nothing() {
        assert_eq!(field("lxd:100000:65536", 1), Some(100_000));
        assert_eq!(field("root:x:0:0:root:/root:/bin/sh", 3), Some(0));
        assert_eq!(field("+::::::", 2), None);
    }
}
