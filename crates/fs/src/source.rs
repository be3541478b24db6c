//! The paths of the host that the user names, opened so that nothing a jail has left there leads elsewhere.
//!
//! Whoever may write to a tree may leave a symbolic link in it, in an earlier start and with other options, and
//! id-mapping makes that link the host root's: nobody can tell later who made it. So none is followed but those directly
//! in / and /var (/bin, /var/run): whoever may write there has the host anyway. Without links all that can be put in the
//! place of what was named is what its writer could reach already.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, fstat, openat2};
use serde::{Deserialize, Serialize};

/// How many links in / and /var one path may begin with.
const MAX_LINKS: usize = 8;

/// Which file it is: a path can lead to another one a moment later. See stat(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inode {
    pub(crate) device: u64,
    pub(crate) number: u64,
}

impl Inode {
    /// That of an open file.
    ///
    /// # Errors
    /// What fstat(2) answers.
    pub(crate) fn of(file: BorrowedFd<'_>) -> io::Result<Self> {
        let stat = fstat(file)?;
        Ok(Inode { device: stat.st_dev, number: stat.st_ino })
    }
}

/// Opens `path` (absolute, without `..`) of the host whose root is `root`, without reading it (`O_PATH`).
///
/// # Errors
/// What openat2(2) answers: `ELOOP` for a symbolic link, which [`link_on`] names.
pub(crate) fn open(root: &Path, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let top = rustix::fs::open(root, flags | OFlags::DIRECTORY, Mode::empty())?;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
    Ok(openat2(top.as_fd(), without_roots_links(root, path), flags, Mode::empty(), resolve)?)
}

/// The first symbolic link on the way of `path` that is not followed.
pub(crate) fn link_on(root: &Path, path: &Path) -> Option<PathBuf> {
    let path = without_roots_links(root, path);
    let mut parts: Vec<&Path> = path.ancestors().collect();
    parts.reverse();
    parts.into_iter().find(|part| on_host(root, part).is_symlink()).map(Path::to_owned)
}

/// `path` with links directly in / and /var replaced by what they lead to.
fn without_roots_links(root: &Path, path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let starts = [2, 3].map(|length| path.components().take(length).collect::<PathBuf>());
        let content = |start: &PathBuf| {
            let trusted = start.parent().is_some_and(|dir| dir == Path::new("/") || dir == Path::new("/var"));
            trusted.then(|| std::fs::read_link(on_host(root, start)).ok()).flatten()
        };
        let link = starts.iter().find_map(|start| Some((start, content(start)?)));
        let Some((start, content)) = link else { break };
        let rest = path.strip_prefix(start).unwrap_or(Path::new(""));
        path = plain(&start.parent().unwrap_or(start).join(content).join(rest));
    }
    path
}

/// Without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::from("/"), |mut plain, part| {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
        plain
    })
}

fn on_host(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_in_the_root_and_in_var_are_followed_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["data/srv/site", "run/app", "var/lib", "etc"] {
            std::fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        let links = [("data/srv", "srv"), ("../run", "var/run"), ("/etc", "data/srv/up"), ("loop", "loop")];
        links.into_iter().for_each(|(content, link)| symlink(content, dir.path().join(link)).unwrap());
        let lead = |path: &str| without_roots_links(dir.path(), Path::new(path));
        assert_eq!(lead("/srv/site"), Path::new("/data/srv/site"));
        assert_eq!(lead("/var/run/app"), Path::new("/run/app"));
        assert_eq!(lead("/srv/up/shadow"), Path::new("/data/srv/up/shadow"));
        assert!(open(dir.path(), Path::new("/srv/site")).is_ok());
        for (path, link) in
            [("/srv/up/shadow", "/data/srv/up"), ("/srv/up", "/data/srv/up"), ("/loop", "/loop")]
        {
            let error = open(dir.path(), Path::new(path)).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ELOOP), "{path}");
            assert_eq!(link_on(dir.path(), Path::new(path)).unwrap(), Path::new(link));
        }
        assert_eq!(link_on(dir.path(), Path::new("/srv/site")), None);
    }
}
