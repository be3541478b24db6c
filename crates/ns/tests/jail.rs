//! Jails of this stage alone: the host's files, no filter. They need root, as namespaces do.
#![cfg(test)]

use std::ffi::CString;
use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::Command;

use jail_ns::join::{self, Join};
use jail_ns::payload::Payload;
use jail_ns::spawn::{self, NAMESPACES, Start};
use jail_ns::{idmap, range};
use jail_sys::call::process::{self, Ended};
use jail_sys::lease::Lease;
use jail_sys::{IdMap, helper, launch};

/// A running jail, its output, and what keeps it alive.
struct Jail {
    init: OwnedFd,
    pid: i32,
    output: PipeReader,
    lifeline: Option<PipeWriter>,
    ids: IdMap,
    lease: Option<Lease>,
    _dir: tempfile::TempDir,
}

fn shell(script: &str, output: &PipeWriter) -> Payload {
    let mut payload = Payload::new(&["sh", "-c", script]).unwrap();
    payload.paths = vec![c"/bin/sh".into()];
    payload.envp = vec![c"PATH=/usr/sbin:/usr/bin:/sbin:/bin".into()];
    payload.stdio = [None, Some(output.as_raw_fd()), Some(output.as_raw_fd())];
    payload
}

impl Jail {
    fn start(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (ids, lease) = range::lease(dir.path(), "test").unwrap();
        let user = idmap::user_namespace(&ids).expect("run as root: the tests make namespaces");
        let init = helper::sealed("jail-init").unwrap();
        let (end, lifeline) = io::pipe().unwrap();
        let (output, writer) = io::pipe().unwrap();
        let program = spawn::program(Start {
            hostname: "web",
            own_network: true,
            files: Vec::new(),
            ready: None,
            user: spawn::UserNamespace::Joined(user.as_raw_fd()),
            confine: Vec::new(),
            payload: shell(script, &writer),
            lifeline: end.as_raw_fd(),
            init: init.as_raw_fd(),
        });
        let started = launch::launch(program, NAMESPACES).unwrap().outcome().unwrap();
        assert_eq!(started.second, Some(2));
        let (init, pid) = (started.pidfd, started.pid);
        Jail { init, pid, output, lifeline: Some(lifeline), ids, lease: Some(lease), _dir: dir }
    }

    /// Runs a command inside; the answer is its status and output.
    fn join(&self, script: &str) -> (Ended, String) {
        let (mut output, writer) = io::pipe().unwrap();
        let program = join::program(Join {
            pidfd: self.init.as_raw_fd(),
            namespaces: NAMESPACES | libc::CLONE_NEWUSER,
            change_ids: true,
            confine: Vec::new(),
            payload: shell(script, &writer),
        });
        let joined = launch::launch(program, 0).unwrap().outcome().unwrap().second.unwrap();
        drop(writer);
        let joined = process::open(joined).unwrap();
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        (process::wait(joined.as_fd()).unwrap(), text)
    }

    fn signal(&self, signal: i32) {
        process::send_signal(self.init.as_fd(), signal).unwrap();
    }

    /// Waits for its end; the answer is its status and all it printed.
    fn end(mut self) -> (Ended, String) {
        let mut text = String::new();
        self.output.read_to_string(&mut text).unwrap();
        let ended = process::wait(self.init.as_fd()).unwrap();
        self.lease.take().unwrap().release().unwrap();
        (ended, text)
    }

    /// Waits until it has printed this line.
    fn expect(&mut self, line: &str) {
        let mut text = vec![0; line.len() + 1];
        self.output.read_exact(&mut text).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), format!("{line}\n"));
    }
}

fn outside(pid: i32, field: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_once('\t').unwrap().1.to_owned()
}

#[test]
fn the_status_of_a_jail_is_its_commands() {
    assert_eq!(Jail::start("echo hello; exit 7").end(), (Ended(7), "hello\n".into()));
    assert_eq!(Jail::start("kill -KILL $$").end().0, Ended(137));
}

#[test]
fn a_jail_lives_until_its_last_process_ends_and_keeps_the_commands_status() {
    // Only the command holds the write end of what the other one reads.
    let jail = Jail::start("exec bash -c 'exec 5> >(cat; echo last); exit 3'");
    assert_eq!(jail.end(), (Ended(3), "last\n".into()));
}

#[test]
fn orphans_are_reaped() {
    // A zombie still takes a signal: the loop ends only when somebody has waited for the orphan.
    let script =
        "orphan=$(sh -c 'true & echo $!'); while kill -0 $orphan 2>/dev/null; do :; done; echo reaped";
    assert_eq!(Jail::start(script).end(), (Ended(0), "reaped\n".into()));
}

#[test]
fn a_term_signal_goes_to_every_process_and_an_interrupt_to_the_commands_group() {
    // Ready is said by a program of its own: between a shell's fork and exec a signal is lost in the shell's handler.
    let script = "trap 'echo int' INT; trap 'echo term; wait $other; exit 5' TERM; \
                  setsid sh -c 'trap \"echo other; exit\" TERM; sh -c \"echo ready; exec sleep 1000\" & wait' & \
                  other=$!; while :; do wait $other; done";
    let mut jail = Jail::start(script);
    jail.expect("ready");
    jail.signal(libc::SIGINT);
    jail.expect("int");
    jail.signal(libc::SIGTERM);
    let (ended, text) = jail.end();
    assert_eq!(ended, Ended(5));
    assert!(text.contains("term\n") && text.contains("other\n"), "{text}");
}

#[test]
fn the_jail_ends_with_its_lifeline() {
    let mut jail = Jail::start("trap '' TERM HUP; echo up; while :; do sleep 100; done");
    jail.expect("up");
    drop(jail.lifeline.take());
    assert_eq!(jail.end().0, Ended(137));
}

#[test]
fn the_jails_root_is_nobody_on_the_host_and_has_no_say_over_its_namespaces() {
    let script = "id -u; hostname; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; \
                  hostname evil 2>/dev/null && echo bad; mount -t tmpfs x /mnt 2>/dev/null && echo bad; \
                  ip link set lo down 2>/dev/null && echo bad; unshare -U true 2>/dev/null && echo bad; \
                  cat /etc/shadow 2>/dev/null && echo bad; kill -9 1 2>/dev/null; echo done; sleep 1000";
    let mut jail = Jail::start(script);
    for line in ["0", "web", "0", "done"] {
        jail.expect(line);
    }
    let base = jail.ids.base;
    let uids = outside(jail.pid, "Uid:");
    assert_eq!(uids, format!("{base}\t{base}\t{base}\t{base}"));
    jail.signal(libc::SIGTERM);
    jail.end();
}

#[test]
fn nested_user_namespaces_are_possible_without_the_limit() {
    // The canary of the test above: it is the limit that stops them, and not this machine.
    let status = Command::new("unshare").args(["-Ur", "unshare", "-Ur", "true"]).status().unwrap();
    assert!(status.success());
}

#[test]
fn init_holds_one_capability_a_filter_and_nothing_of_ours() {
    let mut jail = Jail::start("trap 'echo passed on' USR1; echo up; while :; do sleep 1000 & wait; done");
    jail.expect("up");
    // It passes signals on once it has set itself up.
    jail.signal(libc::SIGUSR1);
    jail.expect("passed on");
    let look = format!("readlink /proc/{0}/exe || ls /proc/{0}/fd || echo hidden", jail.pid);
    assert!(jail.join(&look).1.ends_with("hidden\n"));
    for (field, value) in [
        ("CapPrm:", "0000000000000020"),
        ("CapBnd:", "0000000000000020"),
        ("NoNewPrivs:", "1"),
        ("Seccomp:", "2"),
    ] {
        assert_eq!(outside(jail.pid, field), value, "{field}");
    }
    let targets: Vec<_> = fs::read_dir(format!("/proc/{}/fd", jail.pid))
        .unwrap()
        .map(|entry| fs::read_link(entry.unwrap().path()).unwrap().display().to_string())
        .collect();
    for target in &targets {
        assert!(
            target == "/" || target.starts_with("pipe:") || target == "anon_inode:[signalfd]",
            "{targets:?}"
        );
    }
    assert_eq!(targets.iter().filter(|target| target.starts_with("pipe:")).count(), 1, "{targets:?}");
    jail.signal(libc::SIGTERM);
    jail.end();
}

#[test]
fn a_joined_command_is_our_child_and_among_the_jails_processes() {
    let mut jail = Jail::start("echo up; sleep 1000");
    jail.expect("up");
    let same = "for n in mnt pid net ipc uts cgroup user; do readlink /proc/thread-self/ns/$n; done";
    let (ended, inside) = jail.join("hostname; id -u; kill -0 2 && echo sees; exit 6");
    assert_eq!((ended, inside.as_str()), (Ended(6), "web\n0\nsees\n"));
    let (_, joined) = jail.join(same);
    let names = ["mnt", "pid", "net", "ipc", "uts", "cgroup", "user"];
    let jails = names
        .map(|name| fs::read_link(format!("/proc/{}/ns/{name}", jail.pid)).unwrap().display().to_string());
    assert_eq!(joined.lines().collect::<Vec<_>>(), jails);
    jail.signal(libc::SIGTERM);
    jail.end();
}

#[test]
fn joining_a_jail_that_is_gone_is_an_error() {
    let jail = Jail::start("true");
    let init = jail.init.try_clone().unwrap();
    jail.end();
    let payload = Payload::new(&["/bin/true"]).unwrap();
    let namespaces = NAMESPACES | libc::CLONE_NEWUSER;
    let join = Join { pidfd: init.as_raw_fd(), namespaces, change_ids: true, confine: Vec::new(), payload };
    let failure = launch::launch(join::program(join), 0).unwrap().outcome().unwrap_err();
    assert_eq!((failure.operation.as_ref(), failure.errno), ("setns", Some(libc::ESRCH)));
}

#[test]
fn a_working_directory_that_is_not_there_is_an_error() {
    let (end, _lifeline) = io::pipe().unwrap();
    let init = helper::sealed("jail-init").unwrap();
    let mut payload = Payload::new(&["/bin/true"]).unwrap();
    payload.cwd = CString::new("/no/such").unwrap();
    let program = spawn::program(Start {
        hostname: "web",
        own_network: true,
        files: Vec::new(),
        ready: None,
        user: spawn::UserNamespace::Callers,
        confine: Vec::new(),
        payload,
        lifeline: end.as_raw_fd(),
        init: init.as_raw_fd(),
    });
    let failure = launch::launch(program, NAMESPACES).unwrap().outcome().unwrap_err();
    assert_eq!(
        failure.to_string(),
        "--cwd=/no/such: chdir: No such file or directory; name a directory that the jail sees and its user may enter"
    );
}
