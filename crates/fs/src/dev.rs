//! /dev: a directory of the jail's own with the devices that every program expects, and its own terminals.

use jail_sys::Failure;
use jail_sys::op::{Fd, Node, Op, ROOT};

use crate::compile::{Compiler, NEXT, NOEXEC, NOSUID, c_string};
use crate::plan::{Entry, Folder, Mount, MountPlan, Store, What, fresh};

/// Name, major and minor number of each device, as Documentation/admin-guide/devices.txt of the kernel has them.
pub(crate) const NODES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// Symbolic links and what they lead to.
pub(crate) const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// The jail's number of the group `tty`, to which terminals belong.
pub(crate) const TTY: u32 = 5;

/// Adds /dev, /dev/pts and /dev/shm.
pub(crate) fn add(plan: &mut MountPlan) {
    let mut dev = Mount { writable: true, ..Mount::at("/dev", What::Dev) };
    for path in ["/dev/pts", "/dev/shm"] {
        dev.make.push(Entry { path: path.to_owned(), file: false });
    }
    plan.mounts.push(dev);
    plan.mounts.push(Mount { make: Vec::new(), writable: true, ..Mount::at("/dev/pts", What::Terminals) });
    let shm = Folder::top(0o1777);
    plan.mounts.push(Mount { make: Vec::new(), ..fresh("/dev/shm", Store::Data, shm.mode, Vec::new()) });
}

/// The steps of /dev itself. The directory is the jail's root's: rsyslogd makes /dev/log in it.
pub(crate) fn compile(to: &mut Compiler<'_>) -> Result<(), Failure> {
    let owner = to.host_ids(0, 0);
    for (name, major, minor) in NODES {
        let node = if to.by_user() { Node::File } else { Node::CharDev { major, minor } };
        to.make_owned(ROOT, &format!("dev/{name}"), node, 0o666, owner)?;
    }
    for (name, content) in LINKS {
        to.make_owned(ROOT, &format!("dev/{name}"), Node::Symlink(c_string(content)?), 0o777, owner)?;
    }
    to.add("/dev", Op::CloneTree { at: ROOT, path: c"dev".to_owned(), recursive: false, into: NEXT });
    to.set_attr("/dev", NEXT, false, NOSUID | NOEXEC);
    to.attach("/dev", Fd::Slot(NEXT), ROOT, "dev")?;
    match to.by_user() {
        true => NODES.iter().try_for_each(|(name, ..)| to.hosts_device(name)),
        false => Ok(()),
    }
}

/// The terminals, mounted by the child: all of them its root's, which is the only id there.
pub(crate) fn terminals(to: &mut Compiler<'_>) -> Result<(), Failure> {
    let options = [(c"ptmxmode", c"0666"), (c"mode", c"0620")];
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    to.add("/dev/pts", Op::NewMount { fs: c"devpts".to_owned(), options, attr: NOSUID | NOEXEC, into: NEXT });
    to.attach("/dev/pts", Fd::Slot(NEXT), ROOT, "dev/pts")
}

impl Compiler<'_> {
    /// The host's own device over a file: who is not root makes none.
    fn hosts_device(&mut self, name: &str) -> Result<(), Failure> {
        let path = format!("dev/{name}");
        let from = Op::CloneHost { path: c_string(&path)?, recursive: false, expected: None, into: NEXT };
        self.add(&format!("/{path}"), from);
        self.set_attr(&format!("/{path}"), NEXT, false, NOSUID | NOEXEC);
        self.attach(&format!("/{path}"), Fd::Slot(NEXT), ROOT, &path)
    }
}
