//! What a jail's root may not do, each shown to work for the host's root first.

use jail_tests::{Host, Place, REFUSED, dial};

/// The script works on the host and fails in a jail.
#[track_caller]
fn only_the_host_may(host: &Host, script: &str) {
    host.sh(script).succeeds();
    host.jailed("", script).fails();
}

#[test]
fn it_cannot_write_the_file_system() {
    let host = Host::new();
    for path in ["/etc/x", "/srv/x", "/var/www/html/x"] {
        only_the_host_may(&host, &format!("echo x >{path}"));
    }
    host.jailed("", "echo x >/etc/passwd").fails().says("Read-only file system");
    host.jailed(
        "",
        "for d in / /usr /usr/bin /etc /opt /srv /var /var/www; do touch $d/x && exit 0; done; exit 1",
    )
    .fails();
    host.jailed(
        "",
        "for d in /tmp /root /home /run /dev/shm /var/log /var/lib; do touch $d/x || exit 1; done",
    )
    .succeeds();
}

#[test]
fn it_cannot_read_what_only_the_hosts_root_reads() {
    let host = Host::new();
    host.write("/etc/secret", "secret");
    host.sh("chmod 600 /etc/secret").succeeds();
    only_the_host_may(&host, "cat /etc/secret");
    only_the_host_may(&host, "cat /etc/shadow");
    host.jailed("", "cat /etc/passwd").prints("www-data").succeeds();
}

#[test]
fn it_sees_none_of_the_hosts_own_places() {
    let host = Host::new();
    for place in ["/root", "/home", "/mnt", "/media", "/boot"] {
        host.sh(&format!("mount -t tmpfs x {place} && touch {place}/x")).succeeds();
    }
    host.sh("touch /run/x /var/log/x").succeeds();
    for place in ["/root", "/home", "/mnt", "/media", "/boot", "/run", "/var/log"] {
        only_the_host_may(&host, &format!("test -e {place}/x"));
    }
    let mounts = host.jailed("", "cat /proc/self/mountinfo");
    assert!(!mounts.succeeds().contains("/boot") && !mounts.succeeds().contains("/netns"), "{mounts}");
}

#[test]
fn it_sees_no_process_but_its_own() {
    let host = Host::new();
    host.sh("exec -a of-the-host sleep 1h >/dev/null 2>&1 &").succeeds();
    host.until("ps -e -o args= | grep -q ^of-the-host").succeeds();
    let seen = host.jailed("", "ps -e -o args=; ls -d /proc/[0-9]* | wc -l");
    assert!(!seen.succeeds().contains("of-the-host"), "{seen}");
    assert!(seen.succeeds().lines().count() <= 6, "{seen}");
}

#[test]
fn its_root_is_nobody_on_the_host_and_no_other_jails_root() {
    let host = Host::new();
    let _one = host.start_jailed("--name=one", "sleep inf");
    let _two = host.start_jailed("--name=two", "sleep inf");
    let uids =
        host.sh("for p in $(jail list | cut -d: -f1); do awk '/^Uid/ { print $2 }' /proc/$p/status; done");
    let uids: Vec<u32> = uids.succeeds().lines().map(|uid| uid.parse().unwrap()).collect();
    assert!(uids.len() == 2 && uids[0] != uids[1], "{uids:?}");
    assert!(uids.iter().all(|uid| *uid >= 0x7000_0000 && uid % 65536 == 0), "{uids:?}");
    assert_eq!(host.join("one", "id -u").succeeds(), "0");
}

#[test]
fn it_cannot_change_its_address_or_its_links() {
    let host = Host::new();
    host.dmz();
    let change = "ip address add 10.10.20.77/24 dev lo";
    host.sh(change).succeeds();
    host.jailed("--net=br0", change).fails();
    for change in [
        "ip address flush dev eth0",
        "ip link set eth0 down",
        "ip link set eth0 address 02:00:00:00:00:01",
        "ip route add 192.168.7.0/24 via 10.10.20.1",
        "ip link add x type dummy",
        "nft flush ruleset",
        "echo 1 >/proc/sys/net/ipv4/ip_forward",
    ] {
        host.jailed("--net=br0", change).fails();
    }
}

#[test]
fn it_cannot_mount() {
    let host = Host::new();
    host.sh("mkdir /srv/m").succeeds();
    only_the_host_may(&host, "mount -t tmpfs x /srv/m && umount /srv/m");
    only_the_host_may(&host, "mount --bind /etc /srv/m && umount /srv/m");
    host.jailed("", "mount -t tmpfs x /tmp").fails();
    host.jailed("", "mount -o remount,rw /etc").fails();
    host.jailed("", "umount /proc").fails();
    host.jailed("", "umount -l /tmp").fails();
}

#[test]
fn it_cannot_make_a_namespace_even_without_the_filter() {
    let host = Host::new();
    for kind in
        ["--user", "--mount", "--net", "--pid --fork", "--uts", "--ipc", "--user --map-root-user --net"]
    {
        let script = format!("unshare {kind} true");
        only_the_host_may(&host, &script);
        host.jailed("--seccomp=none", &script).fails();
    }
}

#[test]
fn it_has_no_raw_sockets_no_host_name_no_clock_no_nodes() {
    let host = Host::new();
    only_the_host_may(&host, "hostname x");
    only_the_host_may(&host, "rm -f /run/node; mknod /run/node c 1 3");
    host.jailed("", "mknod /tmp/node c 1 3").fails();
    host.jailed("", "mknod /tmp/node b 254 0").fails();
    host.jailed("", "date -s 2000-01-01").fails();
    only_the_host_may(&host, "dmesg >/dev/null");
    only_the_host_may(&host, "chroot / true || exit 1");
}

#[test]
fn it_cannot_gain_what_a_set_uid_program_gives() {
    let host = Host::new();
    let status = host.jailed("", "grep -e NoNewPrivs -e Seccomp: /proc/self/status");
    assert_eq!(
        status.succeeds().split_whitespace().collect::<Vec<_>>(),
        ["NoNewPrivs:", "1", "Seccomp:", "2"]
    );
    host.jailed("", "cp /bin/true /tmp/t && chmod 4755 /tmp/t").fails();
    host.jailed("", "cp /bin/true /tmp/t && chmod 755 /tmp/t && /tmp/t").succeeds();
}

#[test]
fn a_writable_grant_is_no_way_to_plant_a_set_uid_program_on_the_host() {
    let host = Host::new();
    host.sh("mkdir /srv/shared").succeeds();
    host.jailed("--grant=/srv/shared:rw", "cp /bin/true /srv/shared/planted").succeeds();
    host.sh("test -x /srv/shared/planted -a -O /srv/shared/planted").succeeds();
    for script in [
        "chmod 4755 /srv/shared/planted",
        "chmod u+s /srv/shared/planted",
        "chmod g+s /srv/shared/planted",
        "install -m 4755 /bin/true /srv/shared/other",
        "mkdir -m 2755 /srv/shared/directory",
        "setcap cap_net_admin+ep /srv/shared/planted",
    ] {
        host.jailed("--grant=/srv/shared:rw", script).fails();
    }
    assert_eq!(host.sh("find /srv/shared -perm /6000").succeeds(), "");
    // One that is there already could be rewritten, so that tree is not granted at all.
    host.sh("cp /bin/true /srv/shared/host; chmod 4755 /srv/shared/host; find /srv/shared -perm /6000")
        .prints("/srv/shared/host")
        .succeeds();
    host.jailed("--grant=/srv/shared:rw", "true").says("/srv/shared/host").exits(125);
    host.jailed("--grant=/srv/shared", "true").succeeds();
}

#[test]
fn join_enters_with_the_same_restrictions() {
    let host = Host::new();
    let told = "grep -E '^(Cap|NoNewPrivs|Seccomp)' /proc/self/status; cat /proc/self/uid_map /proc/self/limits; \
                readlink /proc/self/ns/*";
    let _jail = host.start_jailed("--name=web", &format!("{{ {told}; }} >/run/told; sleep inf"));
    host.until("jail join web -- grep -q uts /run/told").succeeds();
    assert_eq!(host.join("web", told).succeeds(), host.join("web", "cat /run/told").succeeds());
    host.join("web", told).prints("NoNewPrivs:\t1").prints("Seccomp:\t2").succeeds();
    host.join("web", "mount -t tmpfs x /tmp").fails();
    host.join("web", "unshare --user true").fails();
    host.join("web", "cat /etc/shadow").fails();
}

#[test]
fn without_a_network_it_has_only_its_own_loopback() {
    let host = Host::new();
    host.serve(Place::Host, 8080, "host");
    host.sh(&dial("127.0.0.1", 8080)).succeeds();
    host.jailed("", &dial("127.0.0.1", 8080)).exits(REFUSED);
    assert_eq!(host.jailed("", "ip -o link | cut -d: -f2 | tr -d ' '").succeeds(), "lo");
}

#[test]
fn with_the_hosts_network_it_uses_it_as_it_is() {
    let host = Host::new();
    host.serve(Place::Host, 8080, "host");
    host.jailed("--net=host", &dial("127.0.0.1", 8080)).exits(0);
    host.jailed("--net=host", "ip address add 10.10.20.77/24 dev lo").fails();
    host.jailed("--net=host", "ip link set eth0 down").fails();
}

#[test]
fn sockets_of_other_families_are_refused() {
    let host = Host::new();
    let netlink = "ss -ltn | grep -q State";
    host.sh(netlink).succeeds();
    host.jailed("", "ip link show lo").succeeds();
    host.jailed("", "nft list ruleset").fails();
    host.jailed("--net=host", "nft list ruleset").fails();
}

#[test]
fn what_jail_itself_believes_or_loads_is_granted_to_nobody_for_writing() {
    let host = Host::new();
    host.sh("mkdir -p /srv/state /srv/plugins /srv/other; mkdir -p /run/again; mount --bind /srv /run/again")
        .succeeds();
    for (options, what) in [
        ("--state-dir=/srv/state run --grant=/srv/state:rw", "the state of jails"),
        ("--state-dir=/srv/state/new/below run --grant=/srv:rw", "the state of jails"),
        ("--state-dir=/srv/state run --bind=/run/again,/mnt/x:rw", "the state of jails"),
        ("--state-dir=/var/lib/jail run --writable-var", "the state of jails"),
        ("run --grant=/run:rw", "the state of jails"),
        ("--plugin-dir=/srv/plugins run --read-write=/srv/plugins", "a plugin"),
        ("run --bind=/run/built,/mnt/x:rw", "jail"),
        ("run --grant=/etc:rw", "networks"),
    ] {
        host.jail(&format!("{options} -- true"))
            .exits(125)
            .says_in_one_sentence(&[what, "who may write there"]);
    }
    host.jail("--state-dir=/srv/state -q run --grant=/srv/other:rw --writable-etc -- true").succeeds();
}
