//! Sockets and FIFOs of the host's that a jail can use because they lie in a tree that it is shown: a read-only mount stops
//! neither connect(2) to the one nor opening the other.

use std::fs::{self, FileType, Metadata};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use jail_sys::printable;
use rustix::fs::{Access, Mode, OFlags, access};

use crate::host;
use crate::inside::is_below;
use crate::plan::{Mount, MountPlan, What};

/// How many are named.
const NAMED: usize = 50;

/// What another wall than the mounts keeps a jail from where it may not write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// Writing to a FIFO.
    pub fifos: bool,
    /// Connecting to a socket.
    pub sockets: bool,
}

impl MountPlan {
    /// The sockets and FIFOs of the host's within the jail's reach, by their paths inside, a line each. An overlay's are
    /// not: there they are the jail's own.
    ///
    /// This looks through all that is shown, which takes about as long as `find /usr`: nothing for a start to wait for. It
    /// is a look at this moment, and for any user but root at what that user may see.
    pub fn doors(&self, closed: Closed) -> Vec<String> {
        let mut doors = Vec::new();
        for (order, mount) in self.mounts.iter().enumerate() {
            let after = self.mounts.get(order + 1..).unwrap_or_default();
            let covers = after.iter().filter(|other| !matches!(other.what, What::Frozen | What::NoExec));
            let What::Host { source, granted, deep } = &mount.what else { continue };
            if covers.clone().any(|other| is_below(&mount.target, &other.target)) {
                continue;
            }
            let covered = |path: &str| covers.clone().any(|other| other.target == path);
            let walk = Walk {
                mount,
                source: Path::new(source),
                all: granted.is_some(),
                by_user: self.by_user,
                deep: *deep,
                covered: &covered,
                closed: if mount.writable { Closed::default() } else { closed },
            };
            walk.find(&mut doors);
        }
        let more = doors.len().saturating_sub(NAMED);
        doors.truncate(NAMED);
        doors.extend((more > 0).then(|| format!("and {more} more")));
        doors
    }
}

/// One mount of the host's.
struct Walk<'a> {
    mount: &'a Mount,
    source: &'a Path,
    /// Whatever the modes say, because the jail's root is the owner.
    all: bool,
    /// The jail's root is who looks.
    by_user: bool,
    /// With what is mounted below it.
    deep: bool,
    /// Whether something else is mounted on a path of the jail's.
    covered: &'a dyn Fn(&str) -> bool,
    closed: Closed,
}

impl Walk<'_> {
    fn find(&self, doors: &mut Vec<String>) {
        let Ok(meta) = fs::symlink_metadata(self.source) else { return };
        let mut todo = vec![(self.source.to_owned(), meta)];
        while let Some((path, meta)) = todo.pop() {
            if meta.is_dir() {
                todo.extend(self.entries(&path, meta.dev()));
            } else if self.is_open(&path, &meta) {
                let kind = if meta.file_type().is_socket() { "socket" } else { "FIFO" };
                doors.push(printable(&format!("{}  {kind}", self.inside(&path))));
            }
        }
    }

    /// The directories to look into, and the sockets and FIFOs, in one.
    fn entries(&self, directory: &Path, device: u64) -> Vec<(PathBuf, Metadata)> {
        let wanted = |kind: FileType| kind.is_dir() || kind.is_socket() || kind.is_fifo();
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let entries = entries.filter(|entry| entry.file_type().is_ok_and(wanted)).map(|entry| entry.path());
        let seen = entries.filter(|path| !(self.covered)(&self.inside(path)));
        let found = seen.filter_map(|path| Some((fs::symlink_metadata(&path).ok()?, path)));
        let within = found.filter(|(meta, path)| {
            let elsewhere = meta.is_dir() && meta.dev() != device;
            let entered = !meta.is_dir() || self.all || self.by_user || meta.mode() & 0o001 != 0;
            entered && !(elsewhere && (!self.deep || starts_mounts(path)))
        });
        within.map(|(meta, path)| (path, meta)).collect()
    }

    /// May the jail use it? A socket is connected to by who may write to it; a FIFO is drained by who may read it.
    fn is_open(&self, path: &Path, meta: &Metadata) -> bool {
        let kind = meta.file_type();
        let Closed { fifos, sockets } = self.closed;
        let (closed, right) = match kind.is_socket() {
            true => (sockets, 0o002),
            false => (false, if fifos { 0o004 } else { 0o006 }),
        };
        (kind.is_socket() || kind.is_fifo())
            && !closed
            && (self.all || meta.mode() & right != 0 || self.may(path))
    }

    /// May who looks write to it, and so the jail, where that is its root?
    fn may(&self, path: &Path) -> bool {
        self.by_user && access(path, Access::WRITE_OK).is_ok()
    }

    /// The jail's path of a path of the host's.
    fn inside(&self, path: &Path) -> String {
        match path.strip_prefix(self.source).map(Path::to_string_lossy) {
            Ok(rest) if !rest.is_empty() => format!("{}/{rest}", self.mount.target),
            _ => self.mount.target.clone(),
        }
    }
}

/// Whether it is an autofs mount; unsure means yes.
fn starts_mounts(path: &Path) -> bool {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_or(true, |file| host::is_autofs_mount(file.as_fd()))
}
