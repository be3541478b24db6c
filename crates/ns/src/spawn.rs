//! Starting a jail: the program of its first process, from the clone to init, with the command as its child.

use std::ffi::CString;
use std::os::fd::RawFd;

use jail_sys::helper::{InitArgs, LIFELINE};
use jail_sys::op::{Fd, Op, Program, Step};

use crate::payload::Payload;

/// Every namespace of a jail but the user namespace, which is joined last.
pub const NAMESPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// [`NAMESPACES`], or without the network namespace for a jail that shares the host's.
pub const fn namespaces(own_network: bool) -> i32 {
    if own_network { NAMESPACES } else { NAMESPACES & !libc::CLONE_NEWNET }
}

/// The slots this stage uses of the launched program. `files` must leave them alone.
const IMAGE: u8 = 13;
const NOWHERE: u8 = 14;
const PROC: u8 = 15;

/// The command's pid in the jail: the first that init forks in a new pid namespace.
const PAYLOAD: i32 = 2;

/// What to do when the kernel has no room for the jail's keyring.
pub(crate) const KEYS: &str = "its user has too many keys: see /proc/key-users and /proc/sys/kernel/keys";

/// `CAP_KILL` of capabilities(7).
const CAP_KILL: u64 = 1 << 5;

/// Whose the ids of a jail are, and how it comes to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserNamespace {
    /// The caller's.
    Callers,
    /// The one behind this descriptor, joined last of all namespaces: see [`crate::idmap::user_namespace`].
    Joined(RawFd),
    /// Two of its own, for a caller that is not root. The first is cloned together with the others, so that its root may
    /// make mounts; the second is entered last, so that the jail has every capability over nothing. Root of both is the
    /// caller, whose numbers these are, and nobody else is in them.
    Own {
        /// The caller's effective uid.
        uid: u32,
        /// The caller's effective gid.
        gid: u32,
    },
}

/// Everything a jail's start is made of. Descriptors are the caller's, close-on-exec, and open until the outcome.
#[derive(Debug)]
pub struct Start<'a> {
    /// The jail's host name.
    pub hostname: &'a str,
    /// Whether it has a network namespace of its own: then `lo` is brought up, low ports may be bound and ping works.
    pub own_network: bool,
    /// The file system stage; ends with [`Op::Pivot`]. Empty: the jail sees the host's files.
    pub files: Vec<Step>,
    /// A pipe to wait on before the user namespace is joined: one byte means the network is ready.
    pub ready: Option<RawFd>,
    /// Its user namespace.
    pub user: UserNamespace,
    /// The filter stage, for the command.
    pub confine: Vec<Step>,
    /// The command.
    pub payload: Payload,
    /// Read end of a pipe; the jail ends at its end of file.
    pub lifeline: RawFd,
    /// The helper, see [`jail_sys::helper::sealed`].
    pub init: RawFd,
}

/// The program of the jail's first process, for [`jail_sys::launch::launch`] with [`namespaces`], and `CLONE_NEWUSER` for
/// [`UserNamespace::Own`]. Such starts of one process, and what it lets [join](crate::join::program), come one after the
/// other, each after the outcome of the one before: who writes a map must be dumpable, and who executes a jail's command
/// must not.
pub fn program(start: Start<'_>) -> Program {
    let Start { hostname, own_network, files, ready, user, confine, payload, lifeline, init } = start;
    let own = matches!(user, UserNamespace::Own { .. });
    // The command must not look at the memory that this process shares with the caller until it is init. Changing ids
    // says so to the kernel as well, but in the host's user namespace they do not change.
    let not_dumpable = || step("init", Op::NotDumpable);
    let mut steps: Vec<Step> = (!own).then(not_dumpable).into_iter().collect();
    // Out of the way of the numbers that init places below.
    steps.push(step("init", Op::Keep { from: Fd::Parent(init), into: IMAGE }));
    // A procfs of this pid namespace, mounted nowhere: what the jail sees of /proc/sys is read-only.
    let needs_proc = own_network || user != UserNamespace::Callers;
    if needs_proc {
        steps.push(step("/proc", keep_proc()).hint(hint_of_proc(user)));
    }
    if let UserNamespace::Own { uid, gid } = user {
        steps.extend(map_ids(uid, gid));
    }
    steps.extend(files);
    steps.push(step("--hostname", Op::HostName(host_name(hostname))));
    if own_network {
        steps.extend(network(user));
    }
    steps.extend(ready.map(|pipe| step("network", Op::Wait(Fd::Parent(pipe)))));
    steps.extend(enter_user_namespace(user));
    if needs_proc {
        steps.push(step("/proc", Op::Close { slot: PROC }));
    }
    if user != UserNamespace::Callers {
        steps.push(step("nested user namespaces", Op::ProveNoUserNamespace));
    }
    steps.push(match own {
        // It is root in there already, and may not change its groups; its maps could be written only until now.
        true => not_dumpable(),
        false => step("ids of the jail", Op::SetIds { uid: 0, gid: 0, groups: Vec::new() }),
    });
    steps.push(step("session keyring", Op::OwnKeyring).hint(KEYS));
    let command = Box::new(Program { steps: payload.steps(confine) });
    steps.push(step("command", Op::Fork { program: command, sibling: false }));
    steps.extend(become_init(lifeline));
    Program { steps }
}

fn step(object: &str, op: Op) -> Step {
    Step::new("namespace", object, op)
}

fn keep_proc() -> Op {
    let attr = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV | libc::MOUNT_ATTR_NOEXEC;
    Op::NewMount { fs: c"proc".into(), options: Vec::new(), attr, into: PROC }
}

/// Why a user namespace of one's own may have no procfs.
fn hint_of_proc(user: UserNamespace) -> &'static str {
    match user {
        UserNamespace::Own { .. } => {
            "the host lets users mount nothing (AppArmor: kernel.apparmor_restrict_unprivileged_userns), or hides a part \
             of its own /proc, as containers do: run it as root"
        }
        _ => "",
    }
}

/// Makes the first process root of its user namespace, alone, by the procfs of its own pid namespace. Who is not root
/// writes a map only once it cannot drop groups any more: see user_namespaces(7).
fn map_ids(uid: u32, gid: u32) -> [Step; 3] {
    let write = |file: &str, text: String| {
        let path = CString::new(format!("1/{file}")).unwrap_or_default();
        let data = text.into_bytes();
        step(file, Op::Write { root: Fd::Slot(PROC), path, data, create: None }).hint(
            "a program that may not be read, or has privileges of its own, cannot do this: run it as root",
        )
    };
    [
        write("setgroups", "deny".to_owned()),
        write("uid_map", format!("0 {uid} 1\n")),
        write("gid_map", format!("0 {gid} 1\n")),
    ]
}

/// A host name ends at its first NUL.
fn host_name(name: &str) -> CString {
    CString::new(name.split('\0').next().unwrap_or_default()).unwrap_or_default()
}

/// Sets a sysctl; the path is below /proc/sys.
fn sysctl(path: &str, value: &str) -> Step {
    let name = path.replace('/', ".");
    let path = CString::new(format!("sys/{path}")).unwrap_or_default();
    let data = value.as_bytes().to_vec();
    step(&name, Op::Write { root: Fd::Slot(PROC), path, data, create: None })
}

/// The network namespace is not owned by the jail's user namespace, so CAP_NET_BIND_SERVICE and CAP_NET_RAW of the
/// jail's root count for nothing there. Only the jail's processes are in it, so what is allowed is allowed to all of them.
fn network(user: UserNamespace) -> [Step; 3] {
    let groups = match user {
        UserNamespace::Own { .. } => "0 0",
        _ => "0 2147483647",
    };
    [
        step("lo", Op::LoopbackUp),
        sysctl("net/ipv4/ip_unprivileged_port_start", "0"),
        sysctl("net/ipv4/ping_group_range", groups),
    ]
}

/// The limit counts for the user namespace of whoever writes it, hence after joining; by then the jail's own /proc/sys
/// would not let us.
fn enter_user_namespace(user: UserNamespace) -> Vec<Step> {
    let mut steps = match user {
        UserNamespace::Callers => return Vec::new(),
        UserNamespace::Joined(namespace) => vec![step("--userns", Op::JoinUser(Fd::Parent(namespace)))],
        UserNamespace::Own { .. } => {
            let hint = "it takes two user namespaces, one in the other: raise user.max_user_namespaces";
            let mut steps = vec![step("user namespace", Op::NewUser).hint(hint)];
            steps.extend(map_ids(0, 0));
            steps
        }
    };
    steps.push(sysctl("user/max_user_namespaces", "0"));
    steps
}

/// From the process that set up the jail to the helper: nothing of the caller's stays open, one capability is left.
fn become_init(lifeline: RawFd) -> Vec<Step> {
    // Init reads and writes nothing, and must not hold the user's pipes open: `/` opened for nothing is always there.
    let nowhere = |to| Op::Dup { from: Fd::Slot(NOWHERE), to };
    let exec =
        Op::ExecFd { file: Fd::Slot(IMAGE), argv: InitArgs { payload: PAYLOAD }.argv(), envp: Vec::new() };
    let ops = [
        Op::Chdir(c"/".into()),
        Op::Open { root: Fd::Cwd, path: c"/".into(), into: NOWHERE },
        nowhere(0),
        nowhere(1),
        nowhere(2),
        Op::Dup { from: Fd::Parent(lifeline), to: LIFELINE },
        Op::CloseOnExecFrom(LIFELINE as u32 + 1),
        Op::KeepCaps(CAP_KILL),
        Op::SetCaps(CAP_KILL),
        Op::NoNewPrivs,
        exec,
    ];
    ops.into_iter().map(|op| step("init", op)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(own_network: bool, user: UserNamespace) -> Vec<&'static str> {
        let payload = Payload::new(&["true"]).unwrap();
        let program = program(Start {
            hostname: "web",
            own_network,
            files: vec![Step::new("filesystem", "/", Op::Pivot)],
            ready: Some(5),
            user,
            confine: Vec::new(),
            payload,
            lifeline: 8,
            init: 9,
        });
        program.steps.iter().map(|step| step.op.name()).collect()
    }

    fn position(names: &[&str], name: &str) -> usize {
        names.iter().position(|each| *each == name).unwrap()
    }

    #[test]
    fn the_user_namespace_is_joined_after_everything_that_needs_the_host() {
        let names = start(true, UserNamespace::Joined(6));
        let join = position(&names, "setns");
        for before in ["pivot_root", "sethostname", "ioctl SIOCSIFFLAGS", "read"] {
            assert!(position(&names, before) < join, "{before}");
        }
        for after in ["unshare", "setresuid", "clone3", "execve"] {
            assert!(position(&names, after) > join, "{after}");
        }
    }

    #[test]
    fn the_command_never_finds_a_first_process_that_it_may_look_at() {
        let own = UserNamespace::Own { uid: 1000, gid: 1000 };
        for user in [UserNamespace::Callers, UserNamespace::Joined(6), own] {
            let names = start(false, user);
            assert!(position(&names, "prctl PR_SET_DUMPABLE") < position(&names, "clone3"));
        }
    }

    #[test]
    fn a_jail_in_the_hosts_user_namespace_leaves_the_hosts_limits_alone() {
        let names = start(false, UserNamespace::Callers);
        assert!(!names.contains(&"write") && !names.contains(&"setns") && !names.contains(&"unshare"));
    }
}
