//! The operations a child may run between clone and execve: plain data, complete before the clone.
//!
//! A stage compiles what was asked for into [`Step`]s; [`crate::launch`] hands them to the one interpreter in the
//! child. An embedder's own stage emits the same operations. Nothing here runs anything.

use std::ffi::CString;
use std::os::fd::RawFd;

/// A descriptor as an operation names it.
///
/// The child starts with a copy of the parent's descriptor table, so a number of the parent's is good in the child if it
/// is a standard one or one that the program names: all others are closed before anything else is done. What the child opens itself goes into one of [`SLOTS`] numbered slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fd {
    /// A descriptor the parent opened before the clone and keeps open until the command runs.
    Parent(RawFd),
    /// What an earlier operation of the same program stored.
    Slot(u8),
    /// The child's working directory (`AT_FDCWD`).
    Cwd,
}

/// How many slots a program has.
pub const SLOTS: usize = 16;

/// The slot that holds the new root from [`Op::NewRoot`] until [`Op::Pivot`].
pub const ROOT: Fd = Fd::Slot(0);

/// What is created by [`Op::Make`]. A thing of the right type that is already there is accepted and left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Dir,
    /// An empty regular file, as a target for a mount.
    File,
    /// A symbolic link with this content. Mode is ignored.
    Symlink(CString),
    /// A character device.
    CharDev {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
}

/// A directory of [`Op::MakeMany`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Its path, relative to the directory it is made in.
    pub path: CString,
    /// Permission bits, set regardless of the umask.
    pub mode: u32,
    /// Owner, the host's number.
    pub uid: u32,
    /// Group, the host's number.
    pub gid: u32,
}

/// What [`Op::Landlock`] leaves a process. Rights are the kernel's bits: see landlock(7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// `LANDLOCK_ACCESS_FS_*` that only rules give.
    pub fs: u64,
    /// `LANDLOCK_ACCESS_NET_*` that nothing gives.
    pub net: u64,
    /// `LANDLOCK_SCOPE_*`.
    pub scoped: u64,
    /// What may be done to absolute paths as the process sees them, and to all that is below, whatever is mounted there. A
    /// path that it may not reach has no rule.
    pub paths: Vec<(CString, u64)>,
    /// What may be done to the files that are open at these numbers, when they are opened anew. Pipes, sockets and numbers
    /// that nothing is open at need no rule and have none.
    pub files: Vec<(RawFd, u64)>,
}

/// One operation. Every path is resolved inside the directory it is relative to and through no symbolic link (`openat2`
/// with `RESOLVE_IN_ROOT` and `RESOLVE_NO_SYMLINKS`) unless the operation says otherwise: a link that is met has been put
/// there since the path was decided, perhaps by another jail.
///
/// uid and gid numbers are the host's: they are used before the child enters its user namespace.
#[derive(Debug)]
#[non_exhaustive]
pub enum Op {
    // ---- files ----------------------------------------------------------------------------------------------
    /// Makes every mount of the child's namespace private, mounts a tmpfs over `/` of the child's namespace and
    /// keeps it in [`ROOT`]. The child's root directory and `Fd::Cwd` are still the host's until [`Op::Pivot`].
    NewRoot {
        /// tmpfs options, `key=value`.
        options: Vec<(CString, CString)>,
    },
    /// A new detached mount of a file system: fsopen(2), fsconfig(2), fsmount(2).
    NewMount {
        /// The file system: `tmpfs`, `proc`, `overlay`.
        fs: CString,
        /// String options, in order, set with `FSCONFIG_SET_STRING`. A key with an empty value is set as a flag.
        options: Vec<(CString, CString)>,
        /// `MOUNT_ATTR_*` of the mount.
        attr: u64,
        /// Where the mount's descriptor goes.
        into: u8,
    },
    /// A detached copy of (part of) a mount the *child* made: open_tree(2) with `OPEN_TREE_CLONE`. Trees of the
    /// host are cloned by the parent, before the clone, or by [`Op::CloneHost`].
    CloneTree {
        /// The directory `path` is relative to.
        at: Fd,
        /// Path; empty for `at` itself.
        path: CString,
        /// With everything mounted below it (`AT_RECURSIVE`).
        recursive: bool,
        /// Where the descriptor goes.
        into: u8,
    },
    /// A detached copy of a tree of the host's, out of the child's own copy of the host's mounts, before [`Op::Pivot`]:
    /// for a child in a user namespace of its own, whose parent may clone none. `Fd::Cwd` is the host's root.
    CloneHost {
        /// The path.
        path: CString,
        /// With everything mounted below it, without which a tree with mounts below it is refused.
        recursive: bool,
        /// Which file it must be, by device and inode number: `ESTALE` for any other.
        expected: Option<(u64, u64)>,
        /// Where the descriptor goes.
        into: u8,
    },
    /// mount_setattr(2) on the mount `at` refers to.
    SetAttr {
        /// The mount.
        at: Fd,
        /// With everything mounted below it.
        recursive: bool,
        /// `MOUNT_ATTR_*` bits to set.
        set: u64,
        /// `MOUNT_ATTR_*` bits to clear.
        clear: u64,
        /// The user namespace of an id-mapped mount (`set` then holds `MOUNT_ATTR_IDMAP`).
        userns: Option<Fd>,
    },
    /// Mounts the detached mount `from` on `path` below `root`: openat2(2), move_mount(2).
    Attach {
        /// A detached mount.
        from: Fd,
        /// The directory that stands for `/` while `path` is resolved.
        root: Fd,
        /// The target; it must exist.
        path: CString,
        /// Which file it must be, by device and inode number: `ESTALE` for any other.
        expected: Option<(u64, u64)>,
    },
    /// Opens `path` below `root` with `O_PATH | O_CLOEXEC`, into a slot.
    Open {
        /// The directory that stands for `/` while `path` is resolved.
        root: Fd,
        /// The path.
        path: CString,
        /// Where the descriptor goes.
        into: u8,
    },
    /// Makes a directory entry with exactly this mode and owner. All but the last component of `path` must exist.
    Make {
        /// The directory that stands for `/` while `path` is resolved.
        root: Fd,
        /// The path.
        path: CString,
        /// What to make.
        node: Node,
        /// Permission bits, set regardless of the umask.
        mode: u32,
        /// Owner, the host's number.
        uid: u32,
        /// Group, the host's number.
        gid: u32,
    },
    /// Makes directories below one that this program has made, in order, parents first. Names are not confined to it:
    /// nobody else has been there to leave a symbolic link. As [`Op::Make`] otherwise, with two system calls for each.
    MakeMany {
        /// The directory that stands for `/` while `path` is resolved.
        root: Fd,
        /// The directory; empty for `root` itself.
        path: CString,
        /// What is made in it.
        directories: Vec<Directory>,
    },
    /// setxattr(2) of `trusted.overlay.opaque` = `y` on a directory, so that an overlay hides what is below it.
    Opaque {
        /// The directory that stands for `/` while `path` is resolved.
        root: Fd,
        /// The directory.
        path: CString,
    },
    /// Writes `data` with one write(2) to `path` below `root` (which exists); for files of procfs, and small files
    /// of our own (created when `create` gives a mode).
    Write {
        /// The directory that stands for `/` while `path` is resolved.
        root: Fd,
        /// The file.
        path: CString,
        /// What to write.
        data: Vec<u8>,
        /// Create it with this mode if it is not there.
        create: Option<u32>,
    },
    /// Makes [`ROOT`] the root of the namespace, detaches the host's, and changes to `/`: pivot_root(2), umount2(2).
    Pivot,
    /// Closes a slot.
    Close {
        /// The slot.
        slot: u8,
    },

    // ---- namespaces and identity ----------------------------------------------------------------------------
    /// sethostname(2).
    HostName(CString),
    /// Brings up the loopback interface of the network namespace.
    LoopbackUp,
    /// Reads one byte from a pipe; end of file (the parent is gone) ends the child silently.
    Wait(Fd),
    /// A user namespace below the child's own, whose maps are still to be written: unshare(2).
    NewUser,
    /// setns(2) into the user namespace behind this descriptor.
    JoinUser(Fd),
    /// setns(2) into several namespaces at once, of the process behind this pidfd.
    JoinAll {
        /// The pidfd.
        pidfd: Fd,
        /// `CLONE_NEW*` flags.
        flags: i32,
    },
    /// Tries to make a user namespace; success is a failure of this step. Proof that nested ones are off.
    ProveNoUserNamespace,
    /// setgroups(2), setresgid(2), setresuid(2). Numbers as seen inside. Permitted capabilities stay what they are, and
    /// those of another user than root have no effect until [`Op::UsePermitted`].
    SetIds {
        /// uid.
        uid: u32,
        /// gid.
        gid: u32,
        /// Supplementary groups.
        groups: Vec<u32>,
    },
    /// Makes permitted capabilities effective again, after [`Op::SetIds`].
    UsePermitted,
    /// keyctl(2) `KEYCTL_JOIN_SESSION_KEYRING`: an anonymous session keyring, which nobody else has; what is in the one
    /// this process had is out of reach. Nothing to do on a kernel without keys.
    OwnKeyring,
    /// setsid(2).
    SetSid,
    /// Makes descriptor 0 the controlling terminal (`TIOCSCTTY`).
    ControllingTerminal,
    /// chdir(2). Not confined, for the root is the jail's by then; that it did not lead out of that root, by a descriptor
    /// or a process that has another, is checked.
    Chdir(CString),
    /// umask(2).
    Umask(u32),
    /// dup2(2) to this descriptor number.
    Dup {
        /// What to duplicate.
        from: Fd,
        /// Its new number.
        to: RawFd,
    },
    /// Duplicates a descriptor into a slot, at a number that no [`Op::Dup`] of the program overwrites.
    Keep {
        /// What to duplicate.
        from: Fd,
        /// Where the duplicate goes.
        into: u8,
    },
    /// close_range(2) of every descriptor from this number up, but those named and the one that failures are told by.
    /// Every launched program begins with it, above the standard ones and but for what its steps name: what other
    /// threads of the parent had open at the clone must not stay open for as long as a start takes.
    CloseFrom {
        /// The lowest number that is closed.
        first: RawFd,
        /// What stays open; a slot that is not among them is closed, and must not be named again.
        but: Vec<Fd>,
    },
    /// Sets close-on-exec on every descriptor from this number up: close_range(2).
    CloseOnExecFrom(u32),
    /// Every signal's action back to the default and an empty mask, also what the parent had ignored.
    ResetSignals,
    /// Runs `program` in a new child and goes on once that child has called execve, or fails with it.
    /// With `parent` the new child belongs to this child's parent (`CLONE_PARENT`). The new process's pid, as this
    /// child's namespace sees it, is told to the launching process ([`crate::launch::Started::second`]).
    Fork {
        /// What the new child runs. It ends with [`Op::Exec`].
        program: Box<Program>,
        /// Make it a sibling rather than a child.
        sibling: bool,
    },

    // ---- what the process may ask the kernel ------------------------------------------------------------------
    /// Drops every capability not in this mask from the bounding set, and clears the ambient and inheritable sets.
    KeepCaps(u64),
    /// capset(2): permitted and effective are exactly this mask, inheritable is empty.
    SetCaps(u64),
    /// Makes these capabilities inheritable and ambient, so that the program of another user than root has them. They
    /// are permitted: after [`Op::SetCaps`].
    AmbientCaps(u64),
    /// prctl(2) `PR_SET_NO_NEW_PRIVS`.
    NoNewPrivs,
    /// prctl(2) `PR_SET_DUMPABLE`, 0.
    NotDumpable,
    /// setrlimit(2).
    Rlimit {
        /// `RLIMIT_*`.
        resource: u32,
        /// Soft limit.
        soft: u64,
        /// Hard limit.
        hard: u64,
    },
    /// landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2). Needs [`Op::NoNewPrivs`] before it.
    Landlock(Ruleset),
    /// seccomp(2) `SECCOMP_SET_MODE_FILTER`. Needs [`Op::NoNewPrivs`] before it.
    Seccomp {
        /// The BPF program, one `sock_filter` per element, in the kernel's layout.
        filter: Vec<u64>,
        /// `SECCOMP_FILTER_FLAG_*`.
        flags: u32,
    },

    // ---- the end ------------------------------------------------------------------------------------------------
    /// execve(2). With more than one path each is tried in turn while the answer is ENOENT, ENOTDIR or EACCES.
    Exec {
        /// Paths to try, in order.
        paths: Vec<CString>,
        /// Arguments.
        argv: Vec<CString>,
        /// Environment.
        envp: Vec<CString>,
    },
    /// execveat(2) of an open file (`AT_EMPTY_PATH`).
    ExecFd {
        /// The file.
        file: Fd,
        /// Arguments.
        argv: Vec<CString>,
        /// Environment.
        envp: Vec<CString>,
    },
    /// The descriptor that failures are told by stays open across the next execve(2): for [`Op::ExecThrough`].
    HoldReport,
    /// As [`Op::Exec`], by way of the helper (see [`crate::helper::sealed`]) and after [`Op::HoldReport`]: what the program
    /// then finds at /proc/self/exe, and may name as its interpreter, is the helper, which nobody can write to, and not
    /// the executable of the process whose memory this one shares.
    ExecThrough {
        /// The helper.
        helper: Fd,
        /// Paths to try, in order.
        paths: Vec<CString>,
        /// Arguments.
        argv: Vec<CString>,
        /// Environment.
        envp: Vec<CString>,
    },
    /// Ends the child with this status, without a failure.
    Exit(i32),
}

impl Op {
    /// The descriptors it names. Without a wildcard: one that a new operation names and this forgets would be closed.
    pub fn named(&self) -> Vec<Fd> {
        match self {
            Op::CloneTree { at, .. } => vec![*at],
            Op::SetAttr { at, userns, .. } => userns.iter().chain([at]).copied().collect(),
            Op::Attach { from, root, .. } => vec![*from, *root],
            Op::Open { root, .. }
            | Op::Make { root, .. }
            | Op::MakeMany { root, .. }
            | Op::Opaque { root, .. }
            | Op::Write { root, .. } => vec![*root],
            Op::Wait(fd) | Op::JoinUser(fd) => vec![*fd],
            Op::JoinAll { pidfd, .. } => vec![*pidfd],
            Op::Dup { from, .. } | Op::Keep { from, .. } => vec![*from],
            Op::CloseFrom { but, .. } => but.clone(),
            Op::ExecFd { file, .. } => vec![*file],
            Op::ExecThrough { helper, .. } => vec![*helper],
            Op::Fork { program, .. } => program.steps.iter().flat_map(|step| step.op.named()).collect(),
            Op::NewRoot { .. }
            | Op::NewMount { .. }
            | Op::CloneHost { .. }
            | Op::NewUser
            | Op::Pivot
            | Op::Close { .. }
            | Op::HostName(_)
            | Op::LoopbackUp
            | Op::ProveNoUserNamespace
            | Op::SetIds { .. }
            | Op::UsePermitted
            | Op::OwnKeyring
            | Op::SetSid
            | Op::ControllingTerminal
            | Op::Chdir(_)
            | Op::Umask(_)
            | Op::CloseOnExecFrom(_)
            | Op::ResetSignals
            | Op::KeepCaps(_)
            | Op::SetCaps(_)
            | Op::AmbientCaps(_)
            | Op::NoNewPrivs
            | Op::NotDumpable
            | Op::Rlimit { .. }
            | Op::Landlock(_)
            | Op::Seccomp { .. }
            | Op::HoldReport
            | Op::Exec { .. }
            | Op::Exit(_) => Vec::new(),
        }
    }

    /// The system call an error of this operation is about, as its man page names it.
    pub fn name(&self) -> &'static str {
        match self {
            Op::NewRoot { .. } => "mount new root",
            Op::NewMount { .. } => "fsmount",
            Op::CloneTree { .. } | Op::CloneHost { .. } => "open_tree",
            Op::SetAttr { .. } => "mount_setattr",
            Op::Attach { .. } => "move_mount",
            Op::Open { .. } => "openat2",
            Op::Make { node, .. } => match node {
                Node::Dir => "mkdir",
                Node::File => "open",
                Node::Symlink(_) => "symlink",
                Node::CharDev { .. } => "mknod",
            },
            Op::MakeMany { .. } => "mkdir",
            Op::Opaque { .. } => "setxattr",
            Op::Write { .. } => "write",
            Op::Pivot => "pivot_root",
            Op::Close { .. } => "close",
            Op::HostName(_) => "sethostname",
            Op::LoopbackUp => "ioctl SIOCSIFFLAGS",
            Op::Wait(_) => "read",
            Op::JoinUser(_) | Op::JoinAll { .. } => "setns",
            Op::NewUser | Op::ProveNoUserNamespace => "unshare",
            Op::SetIds { .. } => "setresuid",
            Op::OwnKeyring => "keyctl",
            Op::SetSid => "setsid",
            Op::ControllingTerminal => "ioctl TIOCSCTTY",
            Op::Chdir(_) => "chdir",
            Op::Umask(_) => "umask",
            Op::Dup { .. } => "dup2",
            Op::Keep { .. } => "fcntl F_DUPFD_CLOEXEC",
            Op::CloseOnExecFrom(_) | Op::CloseFrom { .. } => "close_range",
            Op::ResetSignals => "sigaction",
            Op::Fork { .. } => "clone3",
            Op::KeepCaps(_) => "prctl PR_CAPBSET_DROP",
            Op::SetCaps(_) | Op::UsePermitted => "capset",
            Op::AmbientCaps(_) => "prctl PR_CAP_AMBIENT",
            Op::NoNewPrivs => "prctl PR_SET_NO_NEW_PRIVS",
            Op::NotDumpable => "prctl PR_SET_DUMPABLE",
            Op::Rlimit { .. } => "setrlimit",
            Op::Landlock(_) => "landlock_restrict_self",
            Op::Seccomp { .. } => "seccomp",
            Op::HoldReport => "fcntl F_SETFD",
            Op::Exec { .. } | Op::ExecFd { .. } | Op::ExecThrough { .. } => "execve",
            Op::Exit(_) => "exit",
        }
    }
}

/// An operation, and whose it is: what an error of it is reported as.
#[derive(Debug)]
pub struct Step {
    /// What to do.
    pub op: Op,
    /// The stage that emitted it: `namespace`, `filesystem`, `filter`, `network`, `command`.
    pub stage: &'static str,
    /// The user's own option or path: `--grant=/srv/www`, `/proc`.
    pub object: String,
    /// The remedy to tell the user when it fails; may be empty.
    pub hint: &'static str,
}

impl Step {
    /// A step without a remedy.
    pub fn new(stage: &'static str, object: impl Into<String>, op: Op) -> Self {
        Step { op, stage, object: object.into(), hint: "" }
    }

    /// The same step with a remedy.
    #[must_use]
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }
}

/// A list of steps, run in order until one fails or replaces the process.
#[derive(Debug, Default)]
pub struct Program {
    /// The steps.
    pub steps: Vec<Step>,
}
