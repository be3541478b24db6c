//! Launching from a program with many threads, under an allocator that kills any process but ours that allocates.
#![cfg(test)]
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::CString;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;

use jail_sys::call::process::{self, Ended};
use jail_sys::launch::launch;
use jail_sys::op::{Fd, Node, Op, Program, Step};
use jail_sys::{Kind, helper};

/// Allocates for the test's own process, and ends any other that shares its memory and tries.
struct Watchful;

/// The test's own process, once it is known.
static OURSELVES: AtomicI32 = AtomicI32::new(0);

const CAUGHT: i32 = 99;

fn watch() {
    // SAFETY: takes no memory.
    let own = unsafe { libc::syscall(libc::SYS_getpid) } as i32;
    match OURSELVES.load(Ordering::Relaxed) {
        0 => OURSELVES.store(own, Ordering::Relaxed),
        ours if ours == own => {}
        // SAFETY: ends the process.
        _ => unsafe {
            libc::syscall(libc::SYS_exit_group, CAUGHT);
        },
    }
}

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Watchful {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        watch();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        watch();
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watchful = Watchful;

fn step(op: Op) -> Step {
    Step::new("command", "the step", op)
}

fn program(ops: impl IntoIterator<Item = Op>) -> Program {
    Program { steps: ops.into_iter().map(step).collect() }
}

fn exec(paths: &[&str], argv: &[&str]) -> Op {
    let strings = |list: &[&str]| list.iter().map(|text| CString::new(*text).unwrap()).collect::<Vec<_>>();
    Op::Exec { paths: strings(paths), argv: strings(argv), envp: vec![c"A=b".into()] }
}

fn shell(script: &str) -> Op {
    exec(&["/bin/sh"], &["sh", "-c", script])
}

fn fork(ops: impl IntoIterator<Item = Op>, sibling: bool) -> Op {
    Op::Fork { program: Box::new(program(ops)), sibling }
}

/// The status of a program that is expected to start.
fn status(ops: impl IntoIterator<Item = Op>) -> Ended {
    let started = launch(program(ops), 0).unwrap().outcome().unwrap();
    process::wait(started.pidfd.as_fd()).unwrap()
}

#[test]
fn the_detector_catches_a_child_that_allocates() {
    // SAFETY: the child only allocates, which ends it.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        drop(std::hint::black_box(vec![1u8; 100]));
        // SAFETY: ends the child.
        unsafe { libc::_exit(0) };
    }
    let pidfd = process::open(pid).unwrap();
    assert_eq!(process::wait(pidfd.as_fd()).unwrap(), Ended(CAUGHT));
}

#[test]
fn a_command_runs_with_its_arguments_and_environment_and_its_status_comes_back() {
    assert_eq!(status([shell("test $A = b && exit 7")]), Ended(7));
    assert_eq!(status([Op::ResetSignals, shell("kill -TERM $$")]), Ended(128 + libc::SIGTERM));
}

#[test]
fn descriptors_are_where_the_program_puts_them_and_nowhere_else() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let ops = [
        Op::Dup { from: Fd::Parent(writer.as_raw_fd()), to: 1 },
        Op::CloseOnExecFrom(3),
        shell("ls /proc/self/fd | tr '\\n' ' '"),
    ];
    let ended = status(ops);
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!((ended, text.as_str()), (Ended(0), "0 1 2 3 ")); // 3 is the directory ls reads
}

#[test]
fn a_descriptor_is_kept_clear_of_the_numbers_that_are_claimed() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let ops = [
        Op::Keep { from: Fd::Parent(writer.as_raw_fd()), into: 3 },
        Op::Dup { from: Fd::Parent(0), to: 40 }, // the report pipe would be in its way
        Op::Dup { from: Fd::Slot(3), to: 1 },
        shell("echo here"),
    ];
    let ended = status(ops);
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!((ended, text.as_str()), (Ended(0), "here\n"));
}

#[test]
fn the_step_that_failed_is_named() {
    let make = Op::Make {
        root: Fd::Cwd,
        path: c"/no/such/place".into(),
        node: Node::Dir,
        mode: 0o755,
        uid: 0,
        gid: 0,
    };
    let steps = vec![
        step(Op::SetSid),
        Step::new("filesystem", "--bind=/srv", make).hint("make it first"),
        step(shell("true")),
    ];
    let failure = launch(Program { steps }, 0).unwrap().outcome().unwrap_err();
    assert_eq!(failure.to_string(), "--bind=/srv: mkdir: No such file or directory; make it first");
    assert_eq!((failure.stage.as_ref(), failure.errno), ("filesystem", Some(libc::ENOENT)));
}

#[test]
fn a_command_that_is_not_there_differs_from_one_that_may_not_run() {
    let kind = |paths: &[&str]| {
        let failure = launch(program([exec(paths, &["x"])]), 0).unwrap().outcome().unwrap_err();
        (failure.operation.into_owned(), failure.kind)
    };
    let execve = |kind| ("execve".to_owned(), kind);
    assert_eq!(kind(&["/no/x", "/etc/passwd/x"]), execve(Kind::NotFound));
    assert_eq!(kind(&["/no/x", "/etc/passwd", "/no/y"]), execve(Kind::Denied));
    assert_eq!(kind(&[]), execve(Kind::NotFound));
}

#[test]
fn the_next_path_is_tried_when_one_is_not_there() {
    assert_eq!(status([exec(&["/no/sh", "/etc/passwd/sh", "/bin/sh"], &["sh", "-c", "exit 3"])]), Ended(3));
}

#[test]
fn a_forked_command_runs_before_the_launched_program_goes_on() {
    let ops = [fork([shell("exit 5")], false), shell("exit 6")];
    let started = launch(program(ops), 0).unwrap().outcome().unwrap();
    assert!(started.second.is_some_and(|pid| pid > 0));
    assert_eq!(process::wait(started.pidfd.as_fd()).unwrap(), Ended(6));
}

#[test]
fn a_forked_sibling_is_the_callers_child_and_the_launched_one_is_reaped() {
    let ops = [fork([shell("exit 5")], true), Op::Exit(0)];
    let started = launch(program(ops), 0).unwrap().outcome().unwrap();
    let sibling = process::open(started.second.unwrap()).unwrap();
    assert_eq!(process::wait(sibling.as_fd()).unwrap(), Ended(5));
    assert_eq!(process::wait(started.pidfd.as_fd()).unwrap_err().raw_os_error(), Some(libc::ECHILD));
}

/// The program that executes a command by way of the helper.
fn through(helper: &OwnedFd, paths: &[&str], argv: &[&str]) -> [Op; 2] {
    let Op::Exec { paths, argv, envp } = exec(paths, argv) else { unreachable!("it is one") };
    [Op::HoldReport, Op::ExecThrough { helper: Fd::Parent(helper.as_raw_fd()), paths, argv, envp }]
}

#[test]
fn by_way_of_the_helper_a_command_runs_as_it_would_without() {
    let helper = helper::sealed("test").unwrap();
    let found = ["/no/sh", "/etc/passwd/sh", "/bin/sh"];
    // 3 is the directory ls reads: the report is closed by then.
    let script = "test $A = b && test \"$(ls /proc/self/fd | tr -d '\\n')\" = 0123 && exit 7";
    let ops = || [Op::CloseFrom { first: 3, but: vec![Fd::Parent(helper.as_raw_fd())] }];
    let command = || ops().into_iter().chain(through(&helper, &found, &["sh", "-c", script]));
    assert_eq!(status(command()), Ended(7));
    let started = launch(program([fork(command(), true), Op::Exit(0)]), 0).unwrap().outcome().unwrap();
    let forked = process::open(started.second.unwrap()).unwrap();
    assert_eq!(process::wait(forked.as_fd()).unwrap(), Ended(7));
}

#[test]
fn by_way_of_the_helper_a_command_that_cannot_run_is_told_as_without() {
    let helper = helper::sealed("test").unwrap();
    let failure = |ops: Vec<Op>| {
        let failure = launch(program(ops), 0).unwrap().outcome().unwrap_err();
        (failure.operation.into_owned(), failure.kind, failure.message)
    };
    for paths in [&["/no/x", "/etc/passwd/x"][..], &["/no/x", "/etc/passwd", "/no/y"], &["/no/x"], &[]] {
        let plain = failure(vec![exec(paths, &["x"])]);
        assert_eq!(failure(through(&helper, paths, &["x"]).into()), plain);
        for sibling in [false, true] {
            assert_eq!(failure(vec![fork(through(&helper, paths, &["x"]), sibling), shell("true")]), plain);
        }
    }
}

#[test]
fn a_script_finds_the_helper_where_its_interpreter_is_its_own_executable() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script");
    std::fs::write(&script, "#!/proc/self/exe\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = script.to_str().unwrap();
    // The canary: it is this test program, which lists no tests of that name and is content.
    assert_eq!(status([exec(&[path], &["x", "--list"])]), Ended(0));
    let helper = helper::sealed("test").unwrap();
    assert_eq!(status(through(&helper, &[path], &["x", "--list"])), Ended(2));
}

#[test]
fn a_directory_that_the_root_does_not_lead_to_is_none_to_work_in() {
    // SAFETY: takes no memory.
    assert_eq!(unsafe { libc::geteuid() }, 0, "run as root: the test makes a mount namespace");
    let outside = std::fs::File::open("/usr").unwrap();
    let number = outside.as_raw_fd();
    let root = jail_sys::op::ROOT;
    let proc = Op::NewMount { fs: c"proc".into(), options: Vec::new(), attr: 0, into: 2 };
    let directory = Op::Make { root, path: c"proc".into(), node: Node::Dir, mode: 0o755, uid: 0, gid: 0 };
    let ops = [
        Op::NewRoot { options: Vec::new() },
        directory,
        proc,
        Op::Attach { from: Fd::Slot(2), root, path: c"proc".into(), expected: None },
        Op::Pivot,
        Op::Keep { from: Fd::Parent(number), into: 3 },
        Op::Chdir(CString::new(format!("/proc/self/fd/{number}/bin")).unwrap()),
        exec(&["./true"], &["true"]),
    ];
    let failure =
        launch(program(ops), libc::CLONE_NEWNS | libc::CLONE_NEWPID).unwrap().outcome().unwrap_err();
    assert_eq!(failure.message, "the step: it leads out of the jail");
}

#[test]
fn nothing_is_mounted_on_another_file_than_the_one_that_is_expected() {
    // SAFETY: takes no memory.
    assert_eq!(unsafe { libc::geteuid() }, 0, "run as root: the test makes a mount namespace");
    let id = |path: &str| std::fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).unwrap();
    for (expected, errno) in [(id("/usr"), None), (id("/etc"), Some(libc::ESTALE))] {
        let ops = [
            Op::NewRoot { options: Vec::new() },
            Op::Chdir(c"/".into()),
            Op::NewMount { fs: c"tmpfs".into(), options: Vec::new(), attr: 0, into: 2 },
            Op::Attach { from: Fd::Slot(2), root: Fd::Cwd, path: c"usr".into(), expected: Some(expected) },
            Op::Exit(0),
        ];
        let started = launch(program(ops), libc::CLONE_NEWNS).unwrap().outcome();
        assert_eq!(started.err().and_then(|failure| failure.errno), errno);
    }
}

#[test]
fn what_fails_in_the_fork_fails_the_launch_and_leaves_no_process() {
    for sibling in [false, true] {
        let inner = [Op::SetSid, Op::Chdir(c"/no/such".into()), shell("true")];
        let steps = [fork(inner, sibling), shell("true")];
        let failure = launch(program(steps), 0).unwrap().outcome().unwrap_err();
        assert_eq!((failure.operation.as_ref(), failure.errno), ("chdir", Some(libc::ENOENT)));
    }
    let forks_that_fork = fork([fork([shell("true")], false), shell("true")], false);
    assert!(launch(program([forks_that_fork]), 0).is_err());
}

#[test]
fn a_start_that_is_given_up_ends_without_a_word() {
    let (reader, writer) = std::io::pipe().unwrap();
    let wait = [Op::Wait(Fd::Parent(reader.as_raw_fd())), shell("true")];
    let launched = launch(program(wait), 0).unwrap();
    drop(writer);
    let failure = launched.outcome().unwrap_err();
    assert_eq!(failure.kind, Kind::Failed);
    assert!(failure.errno.is_none());
}

#[test]
fn a_child_that_waits_holds_nothing_open_that_its_program_does_not_name() {
    let (reader, writer) = std::io::pipe().unwrap();
    let (mut other, others) = std::io::pipe().unwrap();
    // Also not what programs that are executed inherit, wherever it lies.
    // SAFETY: makes a descriptor, which nobody else knows.
    let far = unsafe { OwnedFd::from_raw_fd(libc::fcntl(others.as_raw_fd(), libc::F_DUPFD, 700)) };
    let ops = [Op::Wait(Fd::Parent(reader.as_raw_fd())), shell("exit 4")];
    let launched = launch(program(ops), 0).unwrap();
    drop((others, far));
    assert_eq!(other.read(&mut [0]).unwrap(), 0, "end of file comes while the child waits");
    std::io::Write::write_all(&mut &writer, b"x").unwrap();
    let started = launched.outcome().unwrap();
    assert_eq!(process::wait(started.pidfd.as_fd()).unwrap(), Ended(4));
}

#[test]
fn a_child_waits_until_it_is_told() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let ops = [Op::Wait(Fd::Parent(reader.as_raw_fd())), shell("exit 4")];
    let launched = launch(program(ops), 0).unwrap();
    std::io::Write::write_all(&mut writer, b"x").unwrap();
    let started = launched.outcome().unwrap();
    assert_eq!(process::wait(started.pidfd.as_fd()).unwrap(), Ended(4));
}

#[test]
fn dropping_a_start_kills_it_and_what_it_forked() {
    let (reader, writer) = std::io::pipe().unwrap();
    for sibling in [false, true] {
        let wait = Op::Wait(Fd::Parent(reader.as_raw_fd()));
        let ops = [fork([wait, shell("true")], sibling), shell("true")];
        let launched = launch(program(ops), 0).unwrap();
        let pidfd = launched.pidfd().try_clone_to_owned().unwrap();
        drop(launched);
        assert_eq!(process::wait(pidfd.as_fd()).unwrap_err().raw_os_error(), Some(libc::ECHILD));
    }
    drop(writer);
}

#[test]
fn hundreds_of_starts_from_eight_threads_under_allocation_load() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let allocate = || {
        let mut kept: Vec<Vec<u8>> = Vec::new();
        let mut round = 0usize;
        while !STOP.load(Ordering::Relaxed) {
            round += 1;
            kept.push(vec![round as u8; round % 5000]);
            if kept.len() > 64 {
                kept.swap_remove(round % 64);
            }
        }
    };
    let load: Vec<_> = (0..5).map(|_| thread::spawn(allocate)).collect();
    let starter = |_| {
        thread::spawn(|| {
            for _ in 0..100 {
                let ops = [Op::ResetSignals, fork([shell("exit 0")], false), shell("wait; exit 9")];
                assert_eq!(status(ops), Ended(9));
            }
        })
    };
    for thread in (0..3).map(starter).collect::<Vec<_>>() {
        thread.join().unwrap();
    }
    STOP.store(true, Ordering::Relaxed);
    for thread in load {
        thread.join().unwrap();
    }
}

#[test]
fn the_thread_that_launched_may_end_before_the_child_does() {
    for _ in 0..50 {
        let (reader, writer) = std::io::pipe().unwrap();
        let wait = Op::Wait(Fd::Parent(reader.as_raw_fd()));
        let launched =
            thread::spawn(move || launch(program([wait, shell("exit 8")]), 0).unwrap()).join().unwrap();
        std::io::Write::write_all(&mut &writer, b"x").unwrap();
        let started = launched.outcome().unwrap();
        assert_eq!(process::wait(started.pidfd.as_fd()).unwrap(), Ended(8));
    }
}

#[test]
fn the_callers_signals_neither_stop_a_start_nor_reach_the_child() {
    static ELSEWHERE: AtomicBool = AtomicBool::new(false);
    static CAME: AtomicI32 = AtomicI32::new(0);
    extern "C" fn handle(_: i32) {
        // SAFETY: takes no memory.
        if unsafe { libc::syscall(libc::SYS_getpid) } as i32 != OURSELVES.load(Ordering::Relaxed) {
            ELSEWHERE.store(true, Ordering::Relaxed);
        }
        CAME.fetch_add(1, Ordering::Relaxed);
    }
    let every = |microseconds| {
        let time = libc::timeval { tv_sec: 0, tv_usec: microseconds };
        let timer = libc::itimerval { it_interval: time, it_value: time };
        // SAFETY: a value that lives across the call.
        assert_eq!(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) }, 0);
    };
    // Without SA_RESTART, so that a call that waits is interrupted.
    // SAFETY: plain numbers, for which zero is a value, and a handler that only counts.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handle as *const () as usize;
        assert_eq!(libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut()), 0);
    }
    every(200);
    let mut starts = 0;
    while CAME.load(Ordering::Relaxed) < 200 || starts < 50 {
        let ops = [Op::ResetSignals, fork([shell("exit 0")], false), shell("wait; exit 9")];
        assert_eq!(status(ops), Ended(9));
        starts += 1;
    }
    every(0);
    assert!(!ELSEWHERE.load(Ordering::Relaxed));
}

#[test]
fn capabilities_and_limits_are_what_the_program_says() {
    // SAFETY: takes no memory.
    assert_eq!(unsafe { libc::geteuid() }, 0, "run as root: the test changes capability sets");
    const CHOWN_AND_KILL: u64 = 1 | 1 << 5;
    let check = "grep -q 'CapPrm:.*0021$' /proc/self/status && grep -q 'CapBnd:.*0021$' /proc/self/status && \
                 grep -q 'CapInh:.*0000$' /proc/self/status && grep -q 'NoNewPrivs:.*1' /proc/self/status && \
                 test $(ulimit -c) = 0 && test $(umask) = 0027";
    let ops = [
        Op::Umask(0o027),
        Op::Rlimit { resource: libc::RLIMIT_CORE, soft: 1, hard: 1 },
        Op::KeepCaps(CHOWN_AND_KILL),
        Op::SetCaps(CHOWN_AND_KILL),
        Op::NoNewPrivs,
        shell(check),
    ];
    assert_eq!(status(ops), Ended(0));
}

#[test]
fn another_user_has_the_capabilities_that_are_ambient_and_no_others() {
    // SAFETY: takes no memory.
    assert_eq!(unsafe { libc::geteuid() }, 0, "run as root: the test changes its user");
    let sets = |kept: u64, ambient: bool, expected: &str| {
        let told = "grep ^Cap /proc/self/status | cut -f2 | uniq";
        let check = format!("test $(id -u) = 7 -a \"$(id -G)\" = '8 9' && test \"$({told})\" = {expected}");
        let mut ops = vec![Op::SetIds { uid: 7, gid: 8, groups: vec![9] }, Op::UsePermitted];
        ops.extend([Op::KeepCaps(kept), Op::SetCaps(kept)]);
        ops.extend(ambient.then_some(Op::AmbientCaps(kept)));
        ops.push(shell(&check));
        assert_eq!(status(ops), Ended(0), "{kept:#x} {ambient}");
    };
    sets(0, false, "0000000000000000");
    sets(0x40001, true, "0000000000040001");
}

#[test]
fn a_seccomp_filter_holds_for_the_command() {
    // Everything is allowed but getppid and uname answer EPERM: { load nr; jeq uname -> errno; allow }.
    let instruction = |code: u64, jt: u64, jf: u64, k: u64| code | jt << 16 | jf << 24 | k << 32;
    let errno = 0x0005_0000 | libc::EPERM as u64;
    let filter = vec![
        instruction(0x20, 0, 0, 0),
        instruction(0x15, 0, 1, libc::SYS_uname as u64),
        instruction(0x06, 0, 0, errno),
        instruction(0x06, 0, 0, 0x7fff_0000),
    ];
    let ops = [Op::NoNewPrivs, Op::Seccomp { filter, flags: 0 }, shell("! uname 2>/dev/null")];
    assert_eq!(status(ops), Ended(0));
}

#[test]
fn mounts_are_made_attached_and_become_the_root() {
    // SAFETY: takes no memory.
    assert_eq!(unsafe { libc::geteuid() }, 0, "run as root: the test makes a mount namespace");
    let usr = jail_sys::call::mount::clone_tree("/".as_ref(), true).unwrap();
    let root = jail_sys::op::ROOT;
    let directory = |path: &str, mode| Op::Make {
        root,
        path: CString::new(path).unwrap(),
        node: Node::Dir,
        mode,
        uid: 7,
        gid: 8,
    };
    let link = Op::Make {
        root,
        path: c"bin".into(),
        node: Node::Symlink(c"host/bin".into()),
        mode: 0,
        uid: 0,
        gid: 0,
    };
    let null = Op::Make {
        root,
        path: c"null".into(),
        node: Node::CharDev { major: 1, minor: 3 },
        mode: 0o666,
        uid: 0,
        gid: 0,
    };
    let (set, host) = (libc::MOUNT_ATTR_RDONLY, Fd::Parent(usr.as_raw_fd()));
    let tmpfs = vec![(c"size".into(), c"1m".into()), (c"mode".into(), c"0711".into())];
    let check = "test $(stat -c %a:%u:%g /dir) = 1777:7:8 && test $(stat -c %a /fresh) = 711 && test -c /null && \
                 test $(cat /note) = hello && test $(stat -c %a /note) = 640 && ! touch /host/tmp/x 2>/null && \
                 test $(pwd) = / && test $(cat /proc/self/mountinfo 2>/null | wc -l) = 0";
    let ops = [
        Op::NewRoot { options: vec![(c"mode".into(), c"0755".into())] },
        directory("dir", 0o1777),
        directory("dir", 0o700),
        directory("host", 0o755),
        directory("fresh", 0o755),
        link,
        Op::Make {
            root,
            path: c"lib64".into(),
            node: Node::Symlink(c"host/lib64".into()),
            mode: 0,
            uid: 0,
            gid: 0,
        },
        Op::Make {
            root,
            path: c"lib".into(),
            node: Node::Symlink(c"host/lib".into()),
            mode: 0,
            uid: 0,
            gid: 0,
        },
        Op::Make {
            root,
            path: c"usr".into(),
            node: Node::Symlink(c"host/usr".into()),
            mode: 0,
            uid: 0,
            gid: 0,
        },
        null,
        Op::SetAttr { at: host, recursive: true, set, clear: 0, userns: None },
        Op::Attach { from: host, root, path: c"/host".into(), expected: None },
        Op::NewMount { fs: c"tmpfs".into(), options: tmpfs, attr: 0, into: 2 },
        Op::Attach { from: Fd::Slot(2), root, path: c"/fresh".into(), expected: None },
        Op::Open { root, path: c"/dir".into(), into: 3 },
        Op::Close { slot: 3 },
        Op::Write { root, path: c"note".into(), data: b"hello".to_vec(), create: Some(0o640) },
        Op::Pivot,
        exec(&["/bin/sh"], &["sh", "-c", check]),
    ];
    let started = launch(program(ops), libc::CLONE_NEWNS | libc::CLONE_NEWPID).unwrap().outcome().unwrap();
    assert_eq!(process::wait(started.pidfd.as_fd()).unwrap(), Ended(0));
}
