//! What the user asked for, as mounts on top of the default view.

use std::os::fd::AsFd;
use std::path::Path;

use jail_sys::{Failure, Kind, printable};
use rustix::fs::FileType;

use crate::inside::{Inside, Spot, State, is_below};
use crate::mountinfo::Mounts;
use crate::movable::{Movable, movable, takes_away};
use crate::plan::{Folder, Mount, MountPlan, STAGE, What};
use crate::request::{Request, Wish};
use crate::scan::folder_of;
use crate::shown::text;
use crate::source::{self, Inode};
use crate::{kernels, privilege};

/// Where the sources are.
#[derive(Clone, Copy)]
pub(crate) struct Host<'a> {
    /// Its root directory.
    pub(crate) root: &'a Path,
    /// What is mounted on it.
    pub(crate) mounts: &'a Mounts,
}

/// Adds the mounts of `requests`, from the top of the tree down. Those from `first` on are the user's already.
///
/// # Errors
/// The first option that cannot be had.
pub(crate) fn add(
    plan: &mut MountPlan,
    inside: &mut Inside,
    mut requests: Vec<Request<'_>>,
    host: &Host<'_>,
    first: usize,
) -> Result<(), Failure> {
    requests.sort_by_key(|request| {
        (request.wish.is_last(), request.path.matches('/').count(), request.wish.rank())
    });
    for request in requests {
        let spot = inside
            .resolve(&request.path)
            .map_err(|why| request.refuse(Kind::Invalid, &why, "name a path without symbolic links"))?;
        let Some(mount) = request.mount(spot, inside, host)? else { continue };
        let earlier = plan.mounts.get(first..).unwrap_or_default();
        let same = |other: &&Mount| other.target == mount.target && other.what == mount.what;
        if let Some(other) = earlier.iter().find(same) {
            if other.writable == mount.writable {
                continue;
            }
            let why = format!("and {} contradict each other", other.asked);
            return Err(request.refuse(Kind::Usage, &why, "leave one of them out"));
        }
        if let Some(other) = earlier.iter().find(|other| covers(&mount, other)) {
            let why = format!("and {} are for the same place", other.asked);
            return Err(request.refuse(Kind::Conflict, &why, "leave one of them out"));
        }
        if takes_away(&mount, inside)
            && let Some(movable) = movable(earlier, &mount.target)
        {
            return Err(request.too_deep(&movable));
        }
        let hidden = kernels::hide(host.mounts, &mount)?;
        [&mount].into_iter().chain(&hidden).for_each(|mount| inside.add(mount));
        let mount = make_before_freeze(plan.mounts.get_mut(first..).unwrap_or_default(), mount);
        plan.mounts.push(mount);
        plan.mounts.extend(hidden);
    }
    Ok(())
}

/// Whether `mount` would put something else where `other`, which was made before, has put what it shows.
fn covers(mount: &Mount, other: &Mount) -> bool {
    let shows = |what: &What| !matches!(what, What::Frozen | What::Hidden { .. } | What::Kernels { .. });
    // these put there again what is there
    if matches!(mount.what, What::Frozen | What::NoExec) || matches!(other.what, What::Kernels { .. }) {
        return false;
    }
    let below = is_below(&other.target, &mount.target);
    below && (mount.target != other.target || (shows(&mount.what) && shows(&other.what)))
}

/// What is made in a tree that is frozen earlier is made just before that.
fn make_before_freeze(earlier: &mut [Mount], mut mount: Mount) -> Mount {
    for entry in std::mem::take(&mut mount.make) {
        let mut above = earlier.iter_mut().rev().filter(|other| is_below(&entry.path, &other.target));
        let frozen = std::iter::from_fn(|| above.next().filter(|other| other.what == What::Frozen)).last();
        frozen.map_or(&mut mount.make, |other| &mut other.make).push(entry);
    }
    mount
}

impl Request<'_> {
    fn refuse(&self, kind: Kind, why: &str, hint: &'static str) -> Failure {
        Failure::new(kind, STAGE, "plan", &self.option, format!("{} {why}", self.option)).hint(hint)
    }

    /// The mount for this request, or none if there is nothing to do.
    fn mount(&self, spot: Spot, inside: &Inside, host: &Host<'_>) -> Result<Option<Mount>, Failure> {
        match &self.wish {
            Wish::Own | Wish::Keep => self.there(spot),
            Wish::Freeze => self.change(spot, What::Frozen),
            Wish::NoExec if spot.path == "/" => {
                let why = "would leave nothing to execute";
                Err(self.refuse(Kind::Invalid, why, "name what is below it, like --noexec=/tmp"))
            }
            Wish::NoExec => self.change(spot, What::NoExec),
            Wish::Hide => self.hide(spot, inside),
            Wish::Show { source, writable } => {
                let (source, inode, file) = self.source(Path::new(source), *writable, host)?;
                let what = What::Host { source, granted: Some(inode), deep: true };
                let mount = self.place(spot, inside, file, what)?;
                Ok(Some(Mount { writable: *writable, ..mount }))
            }
            Wish::Tmpfs { size } => {
                let top = match inside.host_path(&spot.path).map(std::fs::symlink_metadata) {
                    Some(Ok(meta)) if meta.is_dir() => folder_of(String::new(), &meta),
                    _ => Folder::top(0o755),
                };
                let what = What::Tmpfs { size: (*size).to_owned(), top };
                let mount = self.place(spot, inside, false, what)?;
                Ok(Some(Mount { writable: true, ..mount }))
            }
            Wish::Text { content } => {
                let what = What::Text { content: (*content).to_owned() };
                self.place(spot, inside, true, what).map(Some)
            }
        }
    }

    /// Nothing to do where the default view has it, and no other option has covered it since.
    fn there(&self, spot: Spot) -> Result<Option<Mount>, Failure> {
        match spot.state {
            State::Hidden(option) => Err(self.hidden(&option)),
            State::Missing { .. } => {
                let why = "cannot be had: another option puts something else above it";
                Err(self.refuse(Kind::Conflict, why, "leave one of them out"))
            }
            _ => Ok(None),
        }
    }

    fn hidden(&self, option: &str) -> Failure {
        let why = format!("is below {option}, which hides it");
        self.refuse(Kind::Conflict, &why, "leave one of them out")
    }

    /// A mount on a spot that exists and fits, or can be made.
    fn place(&self, spot: Spot, inside: &Inside, file: bool, what: What) -> Result<Mount, Failure> {
        let own = ["/proc", "/sys", "/dev"].iter().find(|own| is_below(&spot.path, own));
        if let Some(own) = own.or((spot.path == "/").then_some(&"/")) {
            let why = format!("cannot be had: {own} is the jail's own");
            return Err(self.refuse(Kind::Invalid, &why, ""));
        }
        match &spot.state {
            State::Directory if file => {
                Err(self.refuse(Kind::Invalid, "is a file, its target a directory", ""))
            }
            State::File if !file => Err(self.refuse(Kind::Invalid, "is a directory, its target a file", "")),
            State::Hidden(option) => Err(self.hidden(option)),
            State::Missing { room: false, .. } => {
                let why =
                    format!("cannot be had: there is no {} where the jail sees the host's tree", spot.path);
                Err(self.refuse(Kind::NotFound, &why, "create it on the host"))
            }
            _ => {
                let make = spot.make(inside, file);
                Ok(Mount { target: spot.path, asked: self.option.clone(), make, what, writable: false })
            }
        }
    }

    /// The source's path on the host without symbolic links, which file it is, and whether it is no directory.
    fn source(
        &self,
        source: &Path,
        writable: bool,
        host: &Host<'_>,
    ) -> Result<(String, Inode, bool), Failure> {
        let root = host.root;
        let opened = source::open(root, source);
        let found = opened
            .and_then(|file| Ok((crate::host::path_of(file.as_fd())?, rustix::fs::fstat(&file)?, file)));
        let (path, stat, opened) = found.map_err(|error| match error.raw_os_error() {
            Some(libc::ENOENT) => {
                self.refuse(Kind::NotFound, "names a path that the host does not have", "create it first")
            }
            Some(libc::ELOOP) => self.through_link(source::link_on(root, source).as_deref()),
            _ => Failure::call(STAGE, "openat2", &self.option, &error),
        })?;
        let inside_root = Path::new("/").join(path.strip_prefix(root).unwrap_or(&path));
        if ["/proc", "/sys"].iter().any(|own| inside_root.starts_with(own)) || inside_root == Path::new("/") {
            let why = format!("cannot be had: {} of the host is never shown", inside_root.display());
            return Err(self.refuse(Kind::Invalid, &why, ""));
        }
        if let Some(around) = kernels::around(host.mounts, &path).filter(|around| around.path != path) {
            let why = format!("cannot be had: {} is the kernel's own", around.path.display());
            return Err(self.refuse(Kind::Invalid, &printable(&why), ""));
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::CharacterDevice | FileType::BlockDevice => Err(self.refuse(
                Kind::Unsupported,
                "names a device, and a jail opens no devices but its own",
                "",
            )),
            kind => {
                if writable {
                    privilege::refuse(&self.option, opened.as_fd(), &path, host.mounts)?;
                }
                let inode = Inode { device: stat.st_dev, number: stat.st_ino };
                Ok((text(&path)?, inode, kind != FileType::Directory))
            }
        }
    }

    fn too_deep(&self, movable: &Movable<'_>) -> Failure {
        let why = format!(
            "would not last: {} lets the jail move {} away, with what is in it, and put another in its place",
            movable.option, movable.directory
        );
        let hint = "name that directory itself, or grant for writing only the parts that need it";
        self.refuse(Kind::Conflict, &why, hint)
    }

    fn through_link(&self, link: Option<&Path>) -> Failure {
        let link = link.map_or_else(|| "a symbolic link".to_owned(), |link| link.display().to_string());
        let why =
            format!("leads through the symbolic link {}, which a jail could have made", printable(&link));
        self.refuse(Kind::Denied, &why, "name the path that it should lead to")
    }

    /// What is there, changed.
    fn change(&self, spot: Spot, what: What) -> Result<Option<Mount>, Failure> {
        match spot.state {
            State::Hidden(_) => Ok(None),
            State::Missing { .. } => {
                let why = "names a path that the jail does not see";
                Err(self.refuse(Kind::NotFound, why, "create it first, or leave the option out"))
            }
            _ => Ok(Some(self.over(spot, what))),
        }
    }

    /// A path that is not there is fine where only the jail could create it. Where the host could, it would show up.
    fn hide(&self, spot: Spot, inside: &Inside) -> Result<Option<Mount>, Failure> {
        if spot.path == "/" {
            return Err(self.refuse(Kind::Invalid, "would leave nothing", ""));
        }
        match spot.state {
            State::Hidden(_) | State::Missing { live: false, .. } => Ok(None),
            State::Missing { room: false, .. } => {
                let why =
                    "names a path that the host does not have: what is created there later would be seen";
                Err(self.refuse(Kind::NotFound, why, "create it first, or leave the option out"))
            }
            State::Missing { .. } => {
                let make = spot.make(inside, false);
                Ok(Some(Mount { make, ..self.over(spot, What::Hidden { file: false }) }))
            }
            State::File | State::Special { file: true } => {
                Ok(Some(self.over(spot, What::Hidden { file: true })))
            }
            State::Directory | State::Special { file: false } => {
                Ok(Some(self.over(spot, What::Hidden { file: false })))
            }
        }
    }

    fn over(&self, spot: Spot, what: What) -> Mount {
        Mount { target: spot.path, asked: self.option.clone(), make: Vec::new(), what, writable: false }
    }
}
