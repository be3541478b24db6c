//! What a jail may ask the kernel, as the options about the filter say.

use jail_tests::Host;

#[test]
fn a_list_of_calls_to_drop_refuses_those_and_lets_the_rest_through() {
    let host = Host::new();
    host.jailed("", "uname").succeeds();
    host.jailed("--seccomp.drop=uname", "uname").fails();
    let traced = "strace -o /dev/null true";
    host.jailed("", traced).fails();
    host.jailed("--seccomp.drop=mount", traced).succeeds();
    host.jailed("--seccomp.drop=uname", "touch /tmp/x; chmod u+s /tmp/x").fails();
    host.jail("plan --seccomp.drop=uname -- true").prints("refused, and no others: uname").succeeds();
}

#[test]
fn a_list_of_calls_to_keep_lets_those_through_and_refuses_the_rest() {
    let host = Host::new();
    let groups = "@basic-io,@file-system,@process,@signal,@setuid,@io-event,brk,mprotect,munmap,mmap,getrandom,\
                  set_tid_address,rseq,set_robust_list,prlimit64,arch_prctl,futex,ioctl,getuid,uname";
    host.jailed(&format!("--seccomp.keep={groups}"), "uname").succeeds();
    host.jailed(&format!("--seccomp.keep={}", groups.trim_end_matches(",uname")), "uname").fails();
    host.jailed(&format!("--seccomp.keep={groups}"), "unshare --user true").fails();
}

#[test]
fn a_refused_call_fails_or_ends_the_process_or_is_logged() {
    let host = Host::new();
    let call = "--seccomp=uname";
    host.jailed(call, "uname").exits(1).says("Operation not permitted");
    host.jailed(&format!("{call} --seccomp-error-action=EPERM"), "uname").exits(1);
    host.jailed(&format!("{call} --seccomp-error-action=kill"), "uname").exits(128 + 31);
    host.jailed(&format!("{call} --seccomp-error-action=log"), "uname").succeeds();
    host.jailed("--seccomp-error-action=log", "touch /tmp/x; chmod u+s /tmp/x").fails();
}

#[test]
fn each_call_of_a_list_is_refused_in_its_own_way() {
    let host = Host::new();
    host.jailed("--seccomp=uname:ENOSYS", "uname").exits(1).says("Function not implemented");
    host.jailed("--seccomp-error-action=EACCES --seccomp=uname", "uname").exits(1).says("Permission denied");
    host.jailed("--seccomp-error-action=kill --seccomp=uname:EACCES", "uname")
        .exits(1)
        .says("Permission denied");
    host.jailed("--seccomp=uname:kill,!ptrace", "uname").exits(128 + 31);
    host.jailed("--seccomp.drop=uname:ENOSYS", "uname").exits(1).says("Function not implemented");
    host.jailed("--seccomp=uname:log,execve:log", "uname").succeeds();
    host.jailed("--seccomp=@file-system:log", "touch /tmp/x; chmod u+s /tmp/x").fails();
    let number = if cfg!(target_arch = "x86_64") { 63 } else { 160 };
    host.jailed(&format!("--seccomp={number}"), "uname").exits(1).says("Operation not permitted");
    host.jailed(&format!("'--seccomp=${number}:ENOSYS'"), "uname").exits(1).says("Function not implemented");
    let plan = host.jail(&format!("plan '--seccomp=${number}:kill,@timer:log,!1000' -- true"));
    plan.prints(&format!("refused as well: ${number} (uname):kill"));
    plan.prints("logged: @timer").prints("permitted as well: 1000 (no call that jail knows)");
    plan.prints("set-group-id modes: possible").succeeds();
}

/// A profile as container engines have them: what is not in it is refused, with conditions, a rule for a capability, and
/// names of other architectures.
const PROFILE: &str = r#"{
  "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
  "archMap": [ { "architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] } ],
  "syscalls": [
    { "names": ["_llseek", "access", "alarm", "arch_prctl", "brk", "capget", "capset", "chdir", "chmod", "chown", "clock_gettime",
        "clock_nanosleep", "clone3", "close", "close_range", "dup", "dup2", "dup3", "execve", "execveat", "exit", "exit_group",
        "faccessat", "faccessat2", "fchmod", "fchmodat", "fchown", "fcntl", "fstat", "fstat64", "futex", "getcwd", "getdents64",
        "getegid", "geteuid", "getgid", "getpgrp", "getpid", "getppid", "getrandom", "getuid", "getxattr", "ioctl", "lseek",
        "madvise", "mmap", "mmap2", "mprotect", "mremap", "munmap", "nanosleep", "newfstatat", "open", "openat", "openat2",
        "pipe", "pipe2", "poll", "prctl", "pread64", "prlimit64", "read", "readlink", "readlinkat", "rseq", "rt_sigaction",
        "rt_sigprocmask", "rt_sigreturn", "set_robust_list", "set_tid_address", "setgid", "setuid", "sigaltstack", "stat",
        "statx", "sysinfo", "umask", "uname", "unshare", "vfork", "wait4", "write", "writev", "utimensat", "getgroups",
        "setgroups", "fork", "tgkill", "gettid", "kill", "unlinkat", "ptrace" ],
      "action": "SCMP_ACT_ALLOW" },
    { "names": ["clone"], "action": "SCMP_ACT_ALLOW",
      "args": [ { "index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" } ] },
    { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [ { "index": 0, "value": 40, "op": "SCMP_CMP_NE" } ] },
    { "names": ["chroot"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_CHROOT"] } },
    { "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "comment": "as if the disk were full" }
  ] }"#;

#[test]
fn a_container_engines_profile_takes_the_place_of_the_list_and_what_protects_the_host_stays() {
    let host = Host::new();
    host.write("/srv/p.json", PROFILE);
    let with = |options: &str, script: &str| {
        host.jailed(&format!("--seccomp-profile=/srv/p.json {options}"), script)
    };
    with("", "uname; id -u; ls / | wc -l").succeeds();
    with("", "mkdir /tmp/x").exits(1).says("No space left on device");
    with("", "ln -s a /tmp/x").exits(1).says("Operation not permitted");
    with("", "chroot / true || exit 1").exits(1);
    with("--caps.keep=sys_chroot", "chroot / true || exit 1").succeeds();
    // It allows chmod and socket, and jail still looks at their arguments.
    with("", "cp /bin/true /tmp/x && chmod u+s /tmp/x").exits(1).says("Operation not permitted");
    with("", "ip link").fails();
    host.jailed("", "ln -s a /tmp/x; mkdir /tmp/y").succeeds();
    // Changes are made on top of it.
    with("--seccomp=!symlink,!symlinkat,uname:ENOSYS", "ln -s a /tmp/x; uname")
        .exits(1)
        .says("Function not implemented");
    host.jail("plan --seccomp-profile=/srv/p.json -- true")
        .prints("by the profile /srv/p.json")
        .prints("others EPERM, unknown ones ENOSYS")
        .prints("does not know on this architecture, and passes over: 3")
        .prints("set-user-id and set-group-id modes: refused")
        .succeeds();
}

#[test]
fn who_joins_a_jail_has_its_profile_also_when_the_file_is_another_by_then() {
    let host = Host::new();
    host.write("/srv/p.json", PROFILE);
    host.jail("run -d --name=web --seccomp-profile=/srv/p.json -- sleep inf").succeeds();
    host.sh("rm /srv/p.json").succeeds();
    host.jail("join web -- mkdir /tmp/x").exits(1).says("No space left on device");
    host.jail("join web -- uname").succeeds();
    let seccomp = host.jail("inspect web").json()["plan"]["filter"]["seccomp"].clone();
    assert_eq!(seccomp["rules"]["profile"][0]["file"], "/srv/p.json", "{seccomp}");
    host.jail("stop web").succeeds();
}

#[test]
fn what_an_option_of_the_filter_cannot_mean_is_told_in_a_sentence_and_nothing_runs() {
    let host = Host::new();
    let long = "x".repeat(120_000);
    host.write("/srv/p.json", PROFILE);
    host.write("/srv/broken.json", "{ \"defaultAction\": \"SCMP_ACT_ALLOW\",\n");
    host.write("/srv/field.json", "{ \"defaultAction\": \"SCMP_ACT_ALLOW\",\n  \"syscals\": [] }");
    host.write("/srv/action.json", r#"{ "defaultAction": "SCMP_ACT_PERMIT" }"#);
    host.write("/srv/notify.json", &PROFILE.replacen("SCMP_ACT_ALLOW", "SCMP_ACT_NOTIFY", 1));
    host.write("/srv/deny.json", r#"{ "defaultAction": "SCMP_ACT_ERRNO" }"#);
    host.sh("mkfifo /srv/fifo; head -c 10M /dev/zero >/srv/large; head -c 4096 /dev/urandom >/srv/junk; printf '\\377' >>/srv/junk")
        .succeeds();
    for (options, status, named) in [
        ("--seccomp=no_such_call:EPERM", 2, "no_such_call"),
        ("--seccomp=uname:EPREM", 2, "EPERM"),
        ("--seccomp=uname:", 2, "uname:"),
        ("--seccomp=:kill", 2, "empty name"),
        ("--seccomp=uname,,alarm", 2, "empty name"),
        ("--seccomp=-1", 2, "-1 is not the number of a system call"),
        ("--seccomp=1024", 2, "from 0 to 1023"),
        ("--seccomp=1073741824", 2, "from 0 to 1023"),
        ("'--seccomp=$99999999999999999999'", 2, "from 0 to 1023"),
        ("--seccomp=uname:EPERM,uname:kill", 2, "two things of uname"),
        ("--seccomp=uname,!uname", 2, "refused and permitted"),
        ("--seccomp=uname --seccomp=!uname", 2, "refused and permitted"),
        ("--seccomp=!uname:kill", 2, "!uname:kill"),
        ("--seccomp=openat2:log", 2, "say !openat2"),
        ("--seccomp=execve:kill", 2, "execve cannot be refused"),
        (&format!("--seccomp={long}"), 2, "there is no system call xxx"),
        (&format!("--seccomp={}uname", "uname,".repeat(15_000).replace("uname", "@")), 2, "empty name"),
        ("--seccomp=$'\\x1b[2J\\x01'", 2, "\\u{1b}[2J"),
        ("--seccomp.keep=uname:EPERM", 2, "say uname"),
        ("--seccomp.keep=!uname", 2, "!uname is an exception"),
        ("--seccomp.drop=@no_such_group", 2, "@no_such_group"),
        ("--seccomp.drop=uname:kill,uname", 2, "two things of uname"),
        ("--seccomp-error-action=EPREM", 2, "like EPERM"),
        ("--seccomp-error-action=1", 2, "errno(3)"),
        (&format!("--caps.keep={long}"), 2, "there is no capability xxx"),
        ("--caps.drop=chown,,kill", 2, "empty name"),
        ("--caps.drop=chown,all", 2, "all stands alone"),
        ("--caps.keep=99", 2, "no capability 99"),
        ("--protocol=packet", 2, "not granted"),
        ("--protocol=bluetooth", 2, "not granted"),
        ("--protocol=unix,unix", 2, "unix is there twice"),
        ("--protocol=inet --protocol=inet", 2, "inet is there twice"),
        ("--protocol=unix,", 2, "empty name"),
        ("--protocol=unix --seccomp=!socket", 2, "--seccomp=!socket"),
        ("--rlimit-nofile=99999999999999999999", 2, "is not a number"),
        ("--rlimit-nofile=2:1", 2, "above its ceiling"),
        ("--rlimit-nofile=1 --rlimit-nofile=2", 2, "given twice"),
        ("--seccomp-profile=", 2, "a value missing"),
        ("--seccomp-profile=/srv/p.json --seccomp-profile=/srv/p.json", 2, "given twice"),
        ("--seccomp-profile=/srv/p.json --seccomp=none", 2, "--seccomp=none contradict"),
        ("--seccomp-profile=/srv/p.json --seccomp.keep=read", 2, "--seccomp.keep=read contradict"),
        ("--seccomp-profile=/srv/p.json --seccomp-error-action=kill", 2, "--seccomp-error-action=kill and"),
        ("--seccomp-profile=/srv/p.json --userns=host", 2, "lets ptrace through"),
        ("--seccomp=mount:log --userns=host", 2, "lets mount through"),
        ("--seccomp=!1000 --userns=host", 2, "lets call 1000"),
        ("--seccomp-profile=/srv/none", 125, "No such file"),
        ("--seccomp-profile=/srv", 125, "no regular file"),
        ("--seccomp-profile=/srv/fifo", 125, "no regular file"),
        ("--seccomp-profile=/dev/zero", 125, "no regular file"),
        ("--seccomp-profile=/srv/large", 125, "larger than"),
        ("--seccomp-profile=/srv/junk", 125, "UTF-8"),
        ("--seccomp-profile=/srv/broken.json", 125, "line 2, column 0"),
        ("--seccomp-profile=/srv/field.json", 125, "line 2, column 11: unknown field `syscals`"),
        ("--seccomp-profile=/srv/action.json", 125, "`SCMP_ACT_PERMIT`"),
        ("--seccomp-profile=/srv/notify.json", 125, "SCMP_ACT_NOTIFY"),
        ("--seccomp-profile=/srv/deny.json", 125, "does not let execve through"),
    ] {
        let refused = host.jailed(options, "echo it ran");
        refused.exits(status).says_in_one_sentence(&[named]);
        assert!(refused.stdout.is_empty() && refused.stderr.len() < 1000, "{options:.100}: {refused}");
    }
}

#[test]
fn all_five_sets_of_capabilities_are_what_is_kept() {
    let host = Host::new();
    let shown = |options: &str| {
        let text = host.jailed(options, "grep ^Cap /proc/self/status");
        let sets = text
            .succeeds()
            .lines()
            .map(|line| u64::from_str_radix(line.split('\t').nth(1).unwrap(), 16).unwrap());
        sets.collect::<Vec<_>>()
    };
    // Inheritable, permitted, effective, bounding, ambient.
    assert_eq!(shown(""), [0, 0xeb, 0xeb, 0xeb, 0]);
    assert_eq!(shown("--caps.drop=all"), [0; 5]);
    assert_eq!(shown("--caps.drop=chown,kill"), [0, 0xca, 0xca, 0xca, 0]);
    assert_eq!(shown("--caps.keep=chown,sys_chroot"), [0, 0x40001, 0x40001, 0x40001, 0]);
    assert_eq!(shown("--user=www-data --caps.keep=chown"), [1; 5]);
    assert_eq!(shown("--user=www-data"), [0; 5]);
    host.jailed("--caps.drop=chown", "touch /tmp/x; chown 1 /tmp/x").fails();
    host.jailed("", "touch /tmp/x; chown 1 /tmp/x").succeeds();
}

#[test]
fn who_keeps_chroots_capability_may_change_its_root() {
    let host = Host::new();
    host.jailed("", "chroot / true || exit 1").fails();
    host.jailed("--caps.keep=sys_chroot", "chroot / true || exit 1").succeeds();
    host.jailed("--caps.keep=sys_chroot --seccomp=chroot", "chroot / true || exit 1").fails();
}

#[test]
fn socket_families_are_those_that_are_named() {
    let host = Host::new();
    host.jailed("", "ip link").succeeds();
    host.jailed("--protocol=unix,inet", "ip link").fails().says("Address family not supported");
    host.jailed("--protocol=unix", "nc -l -p 8080").fails();
    host.jailed("--protocol=inet --protocol=unix", "timeout 1 nc -l -p 8080").exits(124);
}

#[test]
fn limits_are_soft_and_hard_and_hold() {
    let host = Host::new();
    let limits = host.jailed("--rlimit-nofile=64:128 --rlimit-fsize=1m", "ulimit -Sn; ulimit -Hn");
    assert_eq!(limits.succeeds(), "64\n128");
    host.jailed("", "head -c 2M /dev/zero >/tmp/x").succeeds();
    host.jailed("--rlimit-fsize=1m", "head -c 2M /dev/zero >/tmp/x").fails();
    host.jailed("--rlimit-nofile=64", "ulimit -n 65").fails();
    host.jailed("--rlimit-nofile=4000000000", "true").exits(125).says_in_one_sentence(&["--rlimit-nofile="]);
    host.jail("plan --rlimit-nproc=7 -- true").prints("limit nproc: 7").succeeds();
}

#[test]
fn a_capability_that_would_do_nothing_or_undo_the_policy_is_refused() {
    let host = Host::new();
    host.dmz();
    for (options, named) in [
        ("--caps.keep=net_admin", "--userns=host"),
        ("--caps.keep=mknod --userns=host", "the filter refuses"),
        ("--caps.keep=net_admin --userns=host --net=eth1 --ip=192.168.7.50", "--net=eth1"),
    ] {
        host.jailed(options, "echo it ran").exits(125).says_in_one_sentence(&["--caps.keep=", named]);
    }
    let bridged = host.jailed("--caps.keep=net_admin --userns=host --net=br0", "ip link set lo mtu 1400");
    bridged.succeeds();
}

#[test]
fn a_core_dump_never_starts_a_program_of_the_hosts() {
    let host = Host::new();
    let dumps = host.jailed("--rlimit-core=unlimited", "ulimit -c");
    match host.sh("cat /proc/sys/kernel/core_pattern").stdout.starts_with('|') {
        true => drop(dumps.exits(125).says_in_one_sentence(&["--rlimit-core"])),
        false => assert_eq!(dumps.succeeds(), "unlimited"),
    }
    assert_ne!(host.jailed("", "ulimit -c").succeeds(), "unlimited");
}
