//! A plan made ready to run: sources opened, everything else encoded as steps for the child.

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;

use jail_sys::call::{fd, mount as call};
use jail_sys::op::{Fd, Node, Op, ROOT, Step};
use jail_sys::{Failure, IdMap, Kind};

use crate::inside::is_below;
use crate::plan::{Entry, Folder, Mount, MountPlan, STAGE, What};
use crate::source::Inode;
use crate::{dev, identity, kernels, proc};

/// The jail's data store, while it is on the workshop.
pub(crate) const DATA: u8 = 1;
/// What the next step needs.
pub(crate) const NEXT: u8 = 2;
/// The first of several that are needed at once.
pub(crate) const FIRST: u8 = 3;

pub(crate) const NOSUID: u64 = libc::MOUNT_ATTR_NOSUID;
pub(crate) const NODEV: u64 = libc::MOUNT_ATTR_NODEV;
pub(crate) const NOEXEC: u64 = libc::MOUNT_ATTR_NOEXEC;
pub(crate) const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY;

/// Whose the files are that a jail sees.
#[derive(Clone, Copy, Debug)]
pub struct Owners<'a> {
    /// The host's numbers of the jail's users.
    pub ids: &'a IdMap,
    /// The user namespace that has that map: grants are id-mapped by it. Without one they have the host's owners.
    pub granted: Option<BorrowedFd<'a>>,
    /// A user namespace whose ids nobody else has: everything else of the host's is id-mapped by it, so that the jail's
    /// root is no owner of it where it has the host's own ids. Not needed where it has not.
    pub shown: Option<BorrowedFd<'a>>,
}

/// Ids that no jail has: what is theirs a jail's root opens neither as its owner nor in spite of the mode.
const NOBODY: (u32, u32) = (u32::MAX - 1, u32::MAX - 1);

/// A plan that is ready to run.
#[derive(Debug)]
pub struct Compiled {
    /// The steps for the child, in a mount namespace of its own and as the host's root, or as root of a user namespace
    /// with one id for [`crate::ViewSpec::by_user`]. They end with [`Op::Pivot`].
    pub steps: Vec<Step>,
    /// The detached trees that the steps attach: to be kept open until the steps have run.
    pub held: Vec<OwnedFd>,
    /// The jail's pseudo-terminals, mounted nowhere yet: a `ptmx` opened here is the jail's `/dev/pts/0`. To be kept
    /// open until the steps have run. `None` where the child mounts them itself, for who is not root.
    pub devpts: Option<OwnedFd>,
}

impl MountPlan {
    /// Opens what the plan shows and encodes the rest.
    ///
    /// `name` is the jail's own, as its /etc/hostname has it.
    ///
    /// # Errors
    /// A source that is gone, has become a symbolic link or is another file than the one planned; a file system that
    /// cannot be id-mapped.
    pub fn compile(&self, name: &str, owners: &Owners<'_>) -> Result<Compiled, Failure> {
        let devpts = if self.by_user { None } else { Some(devpts(owners.ids)?) };
        let host = File::open("/").map_err(|error| Failure::call(STAGE, "open", "/", &error))?;
        let (steps, held) = (Vec::new(), Vec::new());
        let terminals = devpts.as_ref().map(AsRawFd::as_raw_fd);
        let by_user = self.by_user;
        let mut compiler = Compiler { name, owners, by_user, terminals, host, steps, held };
        compiler.root(self)?;
        for mount in &self.mounts {
            compiler.mount(mount, self)?;
        }
        compiler.add(
            "/",
            Op::SetAttr {
                at: ROOT,
                recursive: false,
                set: READ_ONLY | NOSUID | NODEV,
                clear: 0,
                userns: None,
            },
        );
        compiler.add("/", Op::Pivot);
        Ok(Compiled { steps: compiler.steps, held: compiler.held, devpts })
    }
}

/// The pseudo-terminals of a jail with these ids. Without an owner of its own, one that is opened out here would belong to
/// the host's root.
fn devpts(ids: &IdMap) -> Result<OwnedFd, Failure> {
    let (owner, tty) = (ids.to_host(0).to_string(), ids.to_host(dev::TTY).to_string());
    let options = [("ptmxmode", "0666"), ("mode", "0620"), ("uid", &*owner), ("gid", &*tty)];
    call::new_mount("devpts", &options, NOSUID | NOEXEC)
        .map_err(|error| Failure::call(STAGE, "fsmount", "/dev/pts", &error))
}

/// Steps while they are collected.
pub(crate) struct Compiler<'a> {
    name: &'a str,
    owners: &'a Owners<'a>,
    by_user: bool,
    /// The jail's pseudo-terminals; without them the child makes them.
    terminals: Option<RawFd>,
    host: File,
    steps: Vec<Step>,
    held: Vec<OwnedFd>,
}

impl Compiler<'_> {
    pub(crate) fn add(&mut self, object: &str, op: Op) {
        self.steps.push(Step::new(STAGE, object, op));
    }

    fn add_hinted(&mut self, object: &str, op: Op, hint: &'static str) {
        self.steps.push(Step::new(STAGE, object, op).hint(hint));
    }

    /// The root, the store for data, what hides things, and the links.
    fn root(&mut self, plan: &MountPlan) -> Result<(), Failure> {
        let root = self.host_ids(0, 0);
        let options = self.tmpfs(&plan.limits.root.to_string(), &Folder::top(0o755))?;
        self.add("/", Op::NewRoot { options });
        // from here on the working directory is the host's root, in the child's own namespace
        self.add("/", Op::Chdir(c"/".to_owned()));
        let options = self.tmpfs(&plan.limits.data.to_string(), &Folder { mode: 0o700, ..Folder::top(0) })?;
        self.add("/", Op::NewMount { fs: c"tmpfs".to_owned(), options, attr: NOSUID | NODEV, into: DATA });
        self.add(
            "/",
            Op::Attach { from: Fd::Slot(DATA), root: Fd::Cwd, path: inner(&plan.workshop)?, expected: None },
        );
        self.hiding_places()?;
        for (path, content) in &plan.links {
            self.make_owned(ROOT, path, Node::Symlink(c_string(content)?), 0o777, root)?;
        }
        Ok(())
    }

    /// A directory and a file that nobody in the jail can read, on a read-only mount, so that copies are too.
    fn hiding_places(&mut self) -> Result<(), Failure> {
        let data = Fd::Slot(DATA);
        // a user namespace with one id has no number for another owner
        let nobody = if self.by_user { (0, 0) } else { NOBODY };
        self.make_owned(data, "hidden", Node::Dir, 0, nobody)?;
        self.make_owned(data, "hidden/directory", Node::Dir, 0, nobody)?;
        self.make_owned(data, "hidden/file", Node::File, 0, nobody)?;
        self.add(
            "hidden",
            Op::CloneTree { at: data, path: c"hidden".to_owned(), recursive: false, into: NEXT },
        );
        self.set_attr("hidden", NEXT, false, READ_ONLY | NOEXEC);
        self.attach("hidden", Fd::Slot(NEXT), data, "hidden")
    }

    fn mount(&mut self, mount: &Mount, plan: &MountPlan) -> Result<(), Failure> {
        let asked = mount.asked.as_str();
        for Entry { path, file } in &mount.make {
            let (node, mode) = if *file { (Node::File, 0o644) } else { (Node::Dir, 0o755) };
            self.make_owned(ROOT, path, node, mode, self.host_ids(0, 0))?;
        }
        match &mount.what {
            What::Host { source, granted, deep } => {
                let parted = *deep && !self.by_user && has_kernels(plan, mount);
                let from = self.open(mount, source, *granted, *deep && !parted)?;
                self.attach(asked, from, ROOT, &mount.target)?;
                if parted { self.parts(mount, source, granted.is_some()) } else { Ok(()) }
            }
            What::Fresh { store, top, folders } => self.fresh(mount, *store, top, folders, plan),
            What::Overlay { lower, top, folders } => {
                self.overlay(mount, (lower, &plan.workshop), top, folders)
            }
            What::Tmpfs { size, top } => {
                let options = self.tmpfs(size, top)?;
                self.add(
                    asked,
                    Op::NewMount { fs: c"tmpfs".to_owned(), options, attr: NOSUID | NODEV, into: NEXT },
                );
                self.attach(asked, Fd::Slot(NEXT), ROOT, &mount.target)
            }
            What::Proc { read_only, hidden } => proc::compile(self, mount.writable, read_only, hidden),
            What::Dev => dev::compile(self),
            What::Terminals => match self.terminals {
                Some(devpts) => self.attach(asked, Fd::Parent(devpts), ROOT, &mount.target),
                None => dev::terminals(self),
            },
            What::Hidden { file } => self.hide(asked, *file, ROOT, &mount.target),
            What::Kernels { file, inode, .. } => {
                // who is not root cannot clone the tree without it: then it is there, and must be what is covered
                let expected = self.by_user.then_some((inode.device, inode.number));
                self.cover(asked, *file, (ROOT, &mount.target), expected)
            }
            What::Text { content } => self.text(mount, content),
            What::Hostname => self.text(mount, &format!("{}\n", self.name)),
            What::Hosts { address, others } => {
                self.text(mount, &identity::hosts(self.name, *address, others))
            }
            What::Frozen => self.change(mount, READ_ONLY),
            What::NoExec => self.change(mount, NOEXEC),
        }
    }

    /// The detached tree of the host's, with the mount attributes it will have.
    pub(crate) fn open(
        &mut self,
        mount: &Mount,
        source: &str,
        granted: Option<Inode>,
        deep: bool,
    ) -> Result<Fd, Failure> {
        if self.by_user {
            return self.clone_inside(mount, source, granted, deep);
        }
        let failed = |operation, error| Failure::call(STAGE, operation, &mount.asked, &error);
        let place = fd::open_no_symlinks(self.host.as_fd(), Path::new(inner_text(source)), libc::O_PATH, 0);
        let place = place.map_err(|error| failed("openat2", error))?;
        if let Some(planned) = granted
            && Inode::of(place.as_fd()).map_err(|error| failed("fstat", error))? != planned
        {
            return Err(replaced(mount, source));
        }
        let tree = call::clone_tree_at(place.as_fd(), deep).map_err(|error| failed("open_tree", error))?;
        // sysfs cannot be id-mapped, and what is shown of it is for everybody
        let userns = match granted {
            Some(_) => self.owners.granted,
            None => self.owners.shown.filter(|_| !is_below(&mount.target, "/sys")),
        };
        let access = if mount.writable { 0 } else { READ_ONLY };
        let map = if userns.is_some() { libc::MOUNT_ATTR_IDMAP } else { 0 };
        call::set_attr(tree.as_fd(), deep, NOSUID | NODEV | access | map, 0, userns).map_err(|error| {
            match error.raw_os_error() {
                Some(libc::EINVAL | libc::EPERM) if userns.is_some() => {
                    not_mappable(mount, source, granted.is_some(), &error)
                }
                _ => failed("mount_setattr", error),
            }
        })?;
        let from = Fd::Parent(tree.as_raw_fd());
        self.held.push(tree);
        Ok(from)
    }

    /// What is mounted below a source, each by itself, so that what is the kernel's own is not among it.
    fn parts(&mut self, mount: &Mount, source: &str, granted: bool) -> Result<(), Failure> {
        for (path, inode) in kernels::parts(source)? {
            let from = self.open(mount, &path, granted.then_some(inode), false)?;
            let below = path.strip_prefix(source).unwrap_or_default();
            self.attach(&mount.asked, from, ROOT, &format!("{}{below}", mount.target))?;
        }
        Ok(())
    }

    /// The same, cloned by the child, who owns its mount namespace: one who is not root may clone none out here.
    fn clone_inside(
        &mut self,
        mount: &Mount,
        source: &str,
        granted: Option<Inode>,
        recursive: bool,
    ) -> Result<Fd, Failure> {
        let expected = granted.map(|inode| (inode.device, inode.number));
        let step = Op::CloneHost { path: inner(source)?, recursive, expected, into: NEXT };
        self.add_hinted(
            &mount.asked,
            step,
            "it may have been replaced since it was looked at: start it again",
        );
        let access = if mount.writable { 0 } else { READ_ONLY };
        self.set_attr(&mount.asked, NEXT, recursive, NOSUID | NODEV | access);
        Ok(Fd::Slot(NEXT))
    }

    /// Whether the child makes all mounts, in a user namespace with one id.
    pub(crate) fn by_user(&self) -> bool {
        self.by_user
    }

    /// Whether what is shown of the host's is shown as to a stranger.
    pub(crate) fn estranged(&self) -> bool {
        self.owners.shown.is_some()
    }

    /// A file of ours, out of the jail's sight, and a read-only copy of its mount over the target.
    fn text(&mut self, mount: &Mount, content: &str) -> Result<(), Failure> {
        let asked = mount.asked.as_str();
        let path = c_string(&inner_text(&mount.target).replace('/', "."))?;
        let data = content.as_bytes().to_vec();
        self.add(asked, Op::Write { root: Fd::Slot(DATA), path: path.clone(), data, create: Some(0o644) });
        self.add(asked, Op::CloneTree { at: Fd::Slot(DATA), path, recursive: false, into: NEXT });
        self.set_attr(asked, NEXT, false, READ_ONLY);
        self.attach(asked, Fd::Slot(NEXT), ROOT, &mount.target)
    }

    /// Puts what is at the target there again, with these attributes as well.
    fn change(&mut self, mount: &Mount, attr: u64) -> Result<(), Failure> {
        let asked = mount.asked.as_str();
        if mount.target == "/" {
            let set_attr =
                |recursive, set, clear| Op::SetAttr { at: ROOT, recursive, set, clear, userns: None };
            self.add(asked, set_attr(true, attr, 0));
            self.add(asked, set_attr(false, 0, attr)); // the root itself once all targets are made in it
            return Ok(());
        }
        let path = inner(&mount.target)?;
        self.add(asked, Op::CloneTree { at: ROOT, path, recursive: true, into: NEXT });
        self.set_attr(asked, NEXT, true, attr);
        self.attach(asked, Fd::Slot(NEXT), ROOT, &mount.target)
    }

    /// Puts something unreadable over `path`.
    pub(crate) fn hide(&mut self, asked: &str, file: bool, root: Fd, path: &str) -> Result<(), Failure> {
        self.cover(asked, file, (root, path), None)
    }

    /// The same, if it is the file that is expected there.
    fn cover(
        &mut self,
        asked: &str,
        file: bool,
        (root, path): (Fd, &str),
        expected: Option<(u64, u64)>,
    ) -> Result<(), Failure> {
        let blank = if file { c"hidden/file" } else { c"hidden/directory" };
        let at = Fd::Slot(DATA);
        self.add(asked, Op::CloneTree { at, path: blank.to_owned(), recursive: false, into: NEXT });
        let attach = Op::Attach { from: Fd::Slot(NEXT), root, path: inner(path)?, expected };
        self.add_hinted(asked, attach, "it may have been moved since it was looked at: start it again");
        Ok(())
    }

    pub(crate) fn make_owned(
        &mut self,
        root: Fd,
        path: &str,
        node: Node,
        mode: u32,
        (uid, gid): (u32, u32),
    ) -> Result<(), Failure> {
        self.add(path, Op::Make { root, path: inner(path)?, node, mode, uid, gid });
        Ok(())
    }

    pub(crate) fn set_attr(&mut self, asked: &str, slot: u8, recursive: bool, set: u64) {
        self.add(asked, Op::SetAttr { at: Fd::Slot(slot), recursive, set, clear: 0, userns: None });
    }

    pub(crate) fn attach(&mut self, asked: &str, from: Fd, root: Fd, path: &str) -> Result<(), Failure> {
        self.add(asked, Op::Attach { from, root, path: inner(path)?, expected: None });
        Ok(())
    }

    /// The numbers of owners inside, as the child has to name them: the host's, or in a user namespace with one id that.
    pub(crate) fn host_ids(&self, uid: u32, gid: u32) -> (u32, u32) {
        if self.by_user {
            return (0, 0);
        }
        (self.owners.ids.to_host(uid), self.owners.ids.to_host(gid))
    }
}

/// Whether something of the kernel's own is hidden in what a mount shows, or in a later one in its place.
fn has_kernels(plan: &MountPlan, mount: &Mount) -> bool {
    let hidden = |other: &Mount| matches!(other.what, What::Kernels { .. });
    plan.mounts.iter().any(|other| hidden(other) && is_below(&other.target, &mount.target))
}

/// What was looked at is not what would be shown.
fn replaced(mount: &Mount, source: &str) -> Failure {
    let message = format!("{}: {source} has been replaced since it was looked at", mount.asked);
    Failure::new(Kind::Conflict, STAGE, "fstat", &mount.asked, message).hint("start it again")
}

fn not_mappable(mount: &Mount, source: &str, granted: bool, error: &std::io::Error) -> Failure {
    let message = format!(
        "{}: the file system of {source}, or one mounted below it, cannot have its owners mapped into the jail",
        mount.asked
    );
    let mut failure = Failure::new(Kind::Unsupported, STAGE, "mount_setattr", &mount.asked, message);
    failure.errno = error.raw_os_error();
    failure.hint(match granted {
        true => {
            "grant a directory of another file system, or a part of it that has nothing else mounted below"
        }
        false => "without that the jail's root would be its owner: leave --userns out",
    })
}

/// A path without its leading slash.
pub(crate) fn inner_text(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn inner(path: &str) -> Result<CString, Failure> {
    c_string(inner_text(path))
}

pub(crate) fn c_string(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| {
        let message = format!("{text:?} has a zero byte in it");
        Failure::new(Kind::Invalid, STAGE, "plan", text, message)
    })
}
