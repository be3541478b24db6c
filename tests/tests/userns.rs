//! `--userns`: what still holds when a jail's ids are the host's.

use jail_tests::Host;

const WEAKER: [&str; 2] = ["--userns=identity", "--userns=host"];

#[test]
fn its_ids_are_the_hosts_and_plan_list_and_inspect_say_so() {
    let host = Host::new();
    for (userns, map) in [("identity", "0 0 65536"), ("host", "0 0 4294967295")] {
        let option = format!("--userns={userns}");
        let seen = host.jailed(&option, "cat /proc/self/uid_map");
        assert_eq!(seen.succeeds().split_whitespace().collect::<Vec<_>>().join(" "), map);
        host.jail(&format!("plan {option} -- true")).prints(&option).succeeds();
        let _jail = host.start_jailed(&format!("--name=web {option}"), "sleep inf");
        assert_eq!(host.jail("list --json").json()[0]["userns"], userns);
        assert_eq!(host.jail("inspect web").json()["plan"]["userns"], userns);
        assert_eq!(host.join("web", "id -u; cat /proc/self/uid_map").stdout.lines().next(), Some("0"));
        let pid = host.sh("jail list | cut -d: -f1");
        let owner = host.sh(&format!("stat -c %u /proc/{}", pid.succeeds()));
        assert_eq!(owner.succeeds(), "0");
        host.jail("stop web").succeeds();
    }
}

#[test]
fn its_root_is_a_stranger_to_the_hosts_files_all_the_same() {
    let host = Host::new();
    host.sh("mkdir -p /var/lib/keys; echo secret >/var/lib/keys/key; chmod 600 /var/lib/keys/key").succeeds();
    for path in ["/etc/shadow", "/var/lib/keys/key"] {
        let read = format!("cat {path} >/dev/null");
        host.sh(&read).succeeds();
        // The canary: with the number of the host's root and the right to read what its owner reads, it could.
        host.sh(&format!("setpriv --bounding-set=-all --inh-caps=-all {read}")).succeeds();
        for option in WEAKER {
            host.jailed(option, &read).fails().says("Permission denied");
            host.jailed(option, "cat /etc/passwd /var/lib/dpkg/status >/dev/null").succeeds();
        }
    }
    host.jailed("--userns=host --caps.keep=dac_override", "cat /etc/shadow >/dev/null").succeeds();
}

#[test]
fn a_grant_is_no_way_to_plant_a_set_uid_program() {
    let host = Host::new();
    host.sh("mkdir /srv/shared; cp /bin/true /srv/shared/t; chmod 4755 /srv/shared/t; rm /srv/shared/t")
        .succeeds();
    for option in WEAKER {
        let granted = format!("{option} --grant=/srv/shared:rw");
        host.jailed(&granted, "cp /bin/true /srv/shared/planted").succeeds();
        for script in [
            "chmod 4755 /srv/shared/planted",
            "chmod g+s /srv/shared/planted",
            "setcap cap_net_admin+ep /srv/shared/planted",
        ] {
            host.jailed(&granted, script).fails();
        }
        assert_eq!(host.sh("find /srv/shared -perm /6000; getcap /srv/shared/planted").succeeds(), "");
    }
    host.jailed("--userns=identity --seccomp=none --grant=/srv/shared:rw", "true").exits(125);
}

#[test]
fn it_makes_no_namespace_no_mount_no_node_and_reads_no_kernel_log() {
    let host = Host::new();
    host.dmz();
    for script in ["unshare --user true", "unshare --mount true", "dmesg >/dev/null", "cat /proc/keys"] {
        host.sh(script).succeeds();
    }
    for option in WEAKER {
        for script in [
            "unshare --user true",
            "unshare --mount true",
            "mount -t tmpfs x /tmp",
            "mknod /tmp/node c 1 3",
            "dmesg >/dev/null",
            "hostname x",
            "echo 1 >/proc/sys/kernel/dmesg_restrict",
            "echo h >/proc/sysrq-trigger",
            "ip link set lo down",
            "chroot / true || exit 1",
            "touch /etc/x",
            "head -c 1 /proc/slabinfo",
            "head -c 1 /proc/vmallocinfo",
            "cat /proc/keys",
            "ls /proc/acpi/",
            "kill -0 2147483647",
        ] {
            host.jailed(&format!("{option} --net=br0"), script).fails();
        }
        let seen = host.jailed(option, "ls -d /proc/[0-9]* | wc -l");
        assert!(seen.succeeds().parse::<u32>().unwrap() < 6, "{seen}");
    }
    host.jailed("--userns=identity --seccomp=none", "unshare --user true").fails();
}

#[test]
fn what_would_make_its_root_the_hosts_is_refused() {
    let host = Host::new();
    for options in [
        "--userns=host --net=host",
        "--userns=identity --net=host",
        "--userns=host --seccomp=none",
        "--userns=host --seccomp=!unshare",
        "--userns=host --seccomp.drop=mount",
        "--userns=host --seccomp.keep=@process,mount",
        "--userns=host --seccomp-error-action=log",
    ] {
        let named: Vec<_> = options.split(' ').collect();
        host.jailed(options, "echo it ran").exits(2).says_in_one_sentence(&named);
    }
    host.jailed("--userns=host --caps.keep=setfcap", "true").exits(125).says("setfcap");
}

#[test]
fn a_capability_that_counts_on_the_host_only_takes_the_hosts_user_namespace() {
    let host = Host::new();
    host.dmz();
    let change = "ip link set lo down";
    let refused = host.jailed("--net=br0 --caps.keep=net_admin", change);
    refused.exits(125).says_in_one_sentence(&["--caps.keep=net_admin", "--userns=host"]);
    host.jailed("--net=br0 --userns=host", change).fails();
    host.jailed("--net=br0 --userns=host --caps.keep=net_admin", change).succeeds();
    host.jail("plan --userns=host --caps.keep=net_admin -- true").prints("they count on the host").succeeds();
}
