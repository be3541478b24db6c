//! A made-up host: a small tree that stands for the host's root, and in [`on_a_host`] a mount namespace in which it
//! has the real programs and a jail's view of it can be run.

use std::ffi::CString;
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jail_fs::{MountPlan, Owners, ViewSpec};
use jail_sys::op::{Op, Program, Step};
use jail_sys::{IdMap, call, launch};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

pub(crate) const IDS: IdMap = IdMap { base: 0x7000_0000, size: 65536 };

/// The host's and the jail's number of the user that services run as.
pub(crate) const WWW: u32 = 33;

pub(crate) struct Host {
    dir: tempfile::TempDir,
}

impl Host {
    /// Directories and links as Debian has them, and no mounts.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let host = Host { dir };
        for path in [
            "etc",
            "usr/bin",
            "usr/lib",
            "usr/lib64",
            "srv/site",
            "opt",
            "home/alice",
            "run",
            "root",
            "mnt",
            "proc",
            "sys",
        ] {
            host.dir(path, 0o755);
        }
        for path in ["www", "log/nginx", "cache/nginx/proxy", "spool", "lib/app/state", "lib/nginx"] {
            host.dir(&format!("var/{path}"), 0o755);
        }
        host.dir("var/tmp", 0o1777);
        host.dir("var/lib/secret", 0o700);
        for (path, content) in [("bin", "usr/bin"), ("lib", "usr/lib"), ("lib64", "usr/lib64")] {
            symlink(content, host.path(path)).unwrap();
        }
        symlink("/run", host.path("var/run")).unwrap();
        symlink("../run/resolve/stub.conf", host.path("etc/resolv.conf")).unwrap();
        host.file("etc/hosts", "127.0.0.1 localhost\n", 0o644);
        host.file("etc/shadow", "root:secret\n", 0o640);
        host.file("var/lib/secret/key", "secret", 0o644);
        host.file("var/lib/app/data", "the host's", 0o644);
        host.file("var/log/nginx/error.log", "the host's", 0o640);
        host.file("srv/site/index.html", "page", 0o600);
        host
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(crate) fn dir(&self, path: &str, mode: u32) {
        fs::create_dir_all(self.path(path)).unwrap();
        fs::set_permissions(self.path(path), Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn file(&self, path: &str, content: &str, mode: u32) {
        fs::write(self.path(path), content).unwrap();
        fs::set_permissions(self.path(path), Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn plan(&self, spec: &ViewSpec) -> MountPlan {
        jail_fs::plan_at(spec, self.root()).unwrap()
    }

    /// The sentence that refuses `spec`.
    pub(crate) fn refusal(&self, spec: &ViewSpec) -> String {
        jail_fs::plan_at(spec, self.root()).unwrap_err().to_string()
    }

    /// The line of the plan for this target.
    pub(crate) fn line(&self, spec: &ViewSpec, target: &str) -> Option<String> {
        let start = format!("{target}  ");
        self.plan(spec).lines().into_iter().rev().find(|line| line.starts_with(&start))
    }

    /// What `script`, run by sh as the jail's root with this view, writes to its standard output and error.
    pub(crate) fn see(&self, spec: &ViewSpec, script: &str) -> String {
        run(&self.plan(spec), None, 0, script)
    }
}

/// Runs `script` with the view of `plan` as the jail's `user`.
pub(crate) fn run(plan: &MountPlan, userns: Option<BorrowedFd<'_>>, user: u32, script: &str) -> String {
    let compiled = plan.compile("web", &Owners { ids: &IDS, granted: userns, shown: None }).unwrap();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut steps = compiled.steps;
    let mut add = |op| steps.push(Step::new("command", "test", op));
    [1, 2].into_iter().for_each(|to| add(Op::Dup { from: jail_sys::op::Fd::Parent(writer.as_raw_fd()), to }));
    let user = match userns {
        Some(namespace) => {
            add(Op::JoinUser(jail_sys::op::Fd::Parent(namespace.as_raw_fd())));
            user
        }
        None => IDS.to_host(user),
    };
    add(Op::SetIds { uid: user, gid: user, groups: Vec::new() });
    add(Op::Exec {
        paths: vec![c"/bin/sh".to_owned()],
        argv: vec![c"sh".to_owned(), c"-c".to_owned(), CString::new(script).unwrap()],
        envp: vec![c"PATH=/usr/sbin:/usr/bin:/bin".to_owned()],
    });
    let namespaces = libc::CLONE_NEWNS | libc::CLONE_NEWPID;
    let started = launch::launch(Program { steps }, namespaces).unwrap().outcome().unwrap();
    drop(writer);
    let mut output = String::new();
    reader.read_to_string(&mut output).unwrap();
    call::process::wait(started.pidfd.as_fd()).unwrap();
    output
}

/// Runs `test` on a thread whose mount namespace is its own, on a host that has the real /usr, /proc and /sys.
pub(crate) fn on_a_host(test: impl FnOnce(&Host) + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_FS).expect("run as root: the test mounts");
            let nothing = None::<&str>;
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(nothing, "/", nothing, private, nothing).unwrap();
            let host = Host::new();
            bind(host.root(), host.root());
            for name in ["usr", "proc", "sys"] {
                bind(&Path::new("/").join(name), &host.path(name));
            }
            chown(host.path("var/lib/app"), Some(WWW), Some(WWW)).unwrap();
            test(&host);
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

pub(crate) fn bind(source: &Path, target: &Path) {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(source), target, None::<&str>, flags, None::<&str>).unwrap();
}

/// A user namespace with the map of [`IDS`], and the process that holds it until it is dropped.
pub(crate) struct Holder(Child);

impl Holder {
    pub(crate) fn new() -> (Holder, OwnedFd) {
        let mut command = Command::new("unshare");
        let child =
            command.args(["--user", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut holder = Holder(child);
        // cat answers once unshare has made the namespace and become it
        holder.0.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        holder.0.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let pid = holder.0.id();
        for map in ["uid_map", "gid_map"] {
            fs::write(format!("/proc/{pid}/{map}"), format!("0 {} {}\n", IDS.base, IDS.size)).unwrap();
        }
        let namespace = File::open(format!("/proc/{pid}/ns/user")).unwrap();
        (holder, namespace.into())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
