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
