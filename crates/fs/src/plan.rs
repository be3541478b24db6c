//! `MountPlan`: every mount of a jail, in the order it is made, with everything decided. Data only.

use std::net::IpAddr;
use std::path::Path;

use jail_sys::Failure;
use serde::{Deserialize, Serialize};

use crate::asked::{self, Host};
use crate::inside::Inside;
use crate::mountinfo::Mounts;
use crate::request::requests;
use crate::source::Inode;
use crate::view::ViewSpec;
use crate::{dev, identity, kernels, owner, proc, shown, tree, var, whitelist};

/// The stage name in every failure and step of this crate.
pub(crate) const STAGE: &str = "filesystem";

/// What a jail will see: printable with [`MountPlan::lines`], made ready to run with [`MountPlan::compile`].
///
/// A plan holds no descriptors. It names what it shows by paths without symbolic links, and compiling it fails when
/// one of them has become a symbolic link since, or what the user named is another file now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountPlan {
    /// How much the jail may write into memory.
    pub(crate) limits: Limits,
    /// [`ViewSpec::by_user`].
    pub(crate) by_user: bool,
    /// A directory of the host on which the child, in its own namespace, puts what it prepares out of the jail's sight.
    pub(crate) workshop: String,
    /// Symbolic links in the root: path and content.
    pub(crate) links: Vec<(String, String)>,
    /// The mounts, in order.
    pub(crate) mounts: Vec<Mount>,
    /// What a reader of the plan should know beside the mounts.
    pub(crate) notes: Vec<String>,
}

/// Bytes that the jail's writable directories hold at most, all of it memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// The root, /run and /dev.
    pub(crate) root: u64,
    /// /tmp, /home, /root, /dev/shm and what is written below /var, all together, but not the logs.
    pub(crate) data: u64,
    /// /var/log, apart, so that endless logs take nothing else down.
    pub(crate) log: u64,
}

impl Limits {
    /// A quarter of the host's memory, at most 4 GiB, for data; a sixteenth, at most 1 GiB, for logs.
    fn of_memory(total: u64) -> Self {
        const GIB: u64 = 1 << 30;
        Limits { root: 32 << 20, data: (total / 4).min(4 * GIB), log: (total / 16).min(GIB) }
    }
}

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mount {
    /// Where: a path of the jail's, without symbolic links.
    pub(crate) target: String,
    /// The user's own option, or the target.
    pub(crate) asked: String,
    /// What is created first, so that the target exists.
    pub(crate) make: Vec<Entry>,
    /// What is mounted.
    pub(crate) what: What,
    /// Can it be written to, where owners and modes allow it?
    pub(crate) writable: bool,
}

/// A directory or an empty file that is created, owned by the jail's root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its path inside.
    pub(crate) path: String,
    /// A file rather than a directory?
    pub(crate) file: bool,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// A path of the host's.
    Host {
        /// The path on the host, without symbolic links.
        source: String,
        /// Which file it is, if the user named it: then its owners are mapped into the jail.
        granted: Option<Inode>,
        /// Does what is mounted below it come along?
        deep: bool,
    },
    /// A directory of the jail's own.
    Fresh {
        /// Whose limit counts.
        store: Store,
        /// The directory itself; its path is empty.
        top: Folder,
        /// What is in it from the start, parents first.
        folders: Vec<Folder>,
    },
    /// A directory of the host's below one of the jail's own that takes all that is written.
    Overlay {
        /// The host's directory.
        lower: String,
        /// The directory itself; its path is empty.
        top: Folder,
        /// Directories of the host's that get the jail's own owners, parents first.
        folders: Vec<Folder>,
    },
    /// A file system in memory with a limit of its own.
    Tmpfs {
        /// The limit, as tmpfs(5) takes it.
        size: String,
        /// The directory itself; its path is empty.
        top: Folder,
    },
    /// The jail's own procfs.
    Proc {
        /// What of it is read-only.
        read_only: Vec<String>,
        /// What of it is hidden.
        hidden: Vec<Entry>,
    },
    /// The devices.
    Dev,
    /// The pseudo-terminals.
    Terminals,
    /// Nothing that anybody can read.
    Hidden {
        /// Is it a file that is hidden?
        file: bool,
    },
    /// Nothing, in the place of a file system of the kernel's own that the host has mounted there.
    Kernels {
        /// Its type.
        fs: String,
        /// Is it a file that is mounted?
        file: bool,
        /// What is hidden: it can have moved since.
        inode: Inode,
    },
    /// A small file of ours.
    Text {
        /// What is in it.
        content: String,
    },
    /// The jail's name, which it is given when it starts.
    Hostname,
    /// The jail's name, the loopback's and what the host calls others.
    Hosts {
        /// The address of the jail's name.
        address: IpAddr,
        /// Entries of the host's, a line each.
        others: Vec<String>,
    },
    /// What is there already, read-only from now on.
    Frozen,
    /// What is there already, none of it to be executed from now on.
    NoExec,
}

/// Which limit a directory of the jail's own counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Store {
    /// [`Limits::root`].
    Root,
    /// [`Limits::data`].
    Data,
    /// [`Limits::log`].
    Log,
}

/// A directory with its mode and, as the jail numbers them, its owners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Folder {
    /// Relative to the mount it is in.
    pub(crate) path: String,
    /// Permission bits, never set-id.
    pub(crate) mode: u32,
    /// Owner.
    pub(crate) uid: u32,
    /// Group.
    pub(crate) gid: u32,
    /// Does it hide what the host has in it?
    pub(crate) empty: bool,
}

impl Folder {
    /// The top of a mount, owned by the jail's root.
    pub(crate) fn top(mode: u32) -> Self {
        Folder { path: String::new(), mode, uid: 0, gid: 0, empty: false }
    }
}

/// Decides what the jail will see of this host. Reads, changes nothing.
///
/// # Errors
/// What was asked for and cannot be had, in the user's own words.
pub fn plan(spec: &ViewSpec) -> Result<MountPlan, Failure> {
    plan_at(spec, Path::new("/"))
}

/// The same for a tree that stands for the host's root; for tests, and for looking at another system's tree.
///
/// # Errors
/// As [`plan`].
pub fn plan_at(spec: &ViewSpec, root: &Path) -> Result<MountPlan, Failure> {
    let memory = rustix::system::sysinfo();
    let total = u64::from(memory.mem_unit) * memory.totalram;
    let mut plan = MountPlan {
        limits: Limits::of_memory(total),
        by_user: spec.by_user,
        workshop: String::new(),
        links: Vec::new(),
        mounts: Vec::new(),
        notes: Vec::new(),
    };
    let tree = tree::of(spec, root)?;
    let mounts = Mounts::read(spec.by_user)?;
    shown::add(&mut plan, &tree, &mounts)?;
    proc::add(&mut plan, root, spec.hosts_ids);
    dev::add(&mut plan);
    shown::add_cpu(&mut plan, root);
    plan.mounts.push(fresh("/tmp", Store::Data, 0o1777, Vec::new()));
    owner::add(&mut plan, spec)?;
    let requests = requests(spec, root, &tree)?;
    var::add(&mut plan, &tree, &mounts)?;
    kernels::hide_all(&mut plan, &mounts)?;
    plan.workshop = workshop(&tree);
    let mut inside = Inside::new(root, &plan);
    for (asked, path, what) in [
        (
            spec.writable_etc,
            "/etc",
            "who runs what on the host is written there: the jail can take over the host",
        ),
        (spec.writable_var, "/var", "the jail can change what every service of the host keeps there"),
    ] {
        let note = || format!("{path} is the host's own and can be written to: {what}");
        plan.notes.extend(asked.then(note));
    }
    let own = plan.mounts.len();
    whitelist::add(&mut plan, &mut inside, spec, root)?;
    let asked = plan.mounts.len();
    asked::add(&mut plan, &mut inside, requests, &Host { root, mounts: &mounts }, own)?;
    if let Some(address) = spec.address {
        identity::add(&mut plan, &inside, asked, address);
    }
    Ok(plan)
}

impl MountPlan {
    /// What a small file of the host's says that the jail sees at this path; `None` where it sees no such file.
    ///
    /// # Errors
    /// What reading it answers.
    pub fn read(&self, path: &str) -> Result<Option<String>, Failure> {
        let read = Inside::new(Path::new("/"), self).read(path);
        read.map_err(|error| Failure::call(STAGE, "read", path, &error))
    }
}

/// A directory of the jail's own, owned by its root.
pub(crate) fn fresh(target: &str, store: Store, mode: u32, folders: Vec<Folder>) -> Mount {
    Mount {
        what: What::Fresh { store, top: Folder::top(mode), folders },
        writable: true,
        ..Mount::at(target, What::Frozen)
    }
}

impl Mount {
    /// A read-only mount of the default view on a directory that is made for it.
    pub(crate) fn at(target: &str, what: What) -> Self {
        let make = vec![Entry { path: target.to_owned(), file: false }];
        Mount { target: target.to_owned(), asked: target.to_owned(), make, what, writable: false }
    }
}

/// The first directory of this process's own root that can be covered in the child's namespace, because nothing that
/// the child still needs before it leaves the host's root is below it.
fn workshop(root: &Path) -> String {
    let free = |path: &&&str| {
        std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir()) && !root.starts_with(path)
    };
    ["/tmp", "/mnt", "/media", "/home", "/root"].iter().find(free).unwrap_or(&"/dev").to_string()
}
