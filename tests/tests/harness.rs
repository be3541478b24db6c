//! The hosts the other tests stand on: that they are machines of their own, and gone when the test is.

use jail_tests::{CLIENT, HOST, HOST_ON_LAN, Host, LAN, Place, Snapshot, fetch};

#[test]
fn a_host_reaches_its_neighbours_and_they_reach_it() {
    let host = Host::new();
    host.serve(Place::Client, 80, "client");
    host.serve(Place::Lan, 80, "lan");
    host.serve(Place::Host, 80, "host");
    assert_eq!(host.sh(&fetch(CLIENT)).succeeds(), "client");
    assert_eq!(host.sh(&fetch(LAN)).succeeds(), "lan");
    assert_eq!(host.client(&fetch(HOST)).succeeds(), "host");
    assert_eq!(host.lan(&fetch(HOST_ON_LAN)).succeeds(), "host");
}

#[test]
fn what_a_host_writes_is_its_own() {
    let (one, other) = (Host::new(), Host::new());
    for path in ["/run/jail/x", "/etc/jail/x", "/srv/x", "/var/www/html/x", "/var/log/x"] {
        one.write(path, "text");
        assert_eq!(one.sh(&format!("cat {path}")).succeeds(), "text");
        other.sh(&format!("cat {path}")).fails();
        assert!(!std::path::Path::new(path).exists(), "{path} is on the real machine");
    }
}

#[test]
fn a_snapshot_sees_a_link_an_address_a_rule_a_sysctl_a_file_a_mount_and_a_process() {
    let host = Host::new();
    let before = Snapshot::of(&host);
    before.still_holds(&host);
    for (make, undo) in [
        ("ip link add br7 type bridge", "ip link del br7"),
        ("ip address add 10.9.9.9/32 dev lo", "ip address del 10.9.9.9/32 dev lo"),
        ("ip route add 10.9.9.0/24 dev eth0", "ip route del 10.9.9.0/24"),
        ("nft add table inet x", "nft delete table inet x"),
        ("echo 1 >/proc/sys/net/ipv4/ip_forward", "echo 0 >/proc/sys/net/ipv4/ip_forward"),
        ("mkdir /run/jail; echo >/run/jail/x", "rm -r /run/jail"),
        ("mount -t tmpfs x /mnt", "umount /mnt"),
        ("sleep 1h >/dev/null 2>&1 & echo $! >/run/pid", "kill $(cat /run/pid)"),
    ] {
        host.sh(make).succeeds();
        assert_ne!(Snapshot::of(&host), before, "not seen: {make}");
        host.sh(undo).succeeds();
    }
    before.still_holds(&host);
}

#[test]
fn a_host_is_gone_with_all_that_ran_on_it_once_dropped() {
    let host = Host::new();
    host.sh("exec -a left-behind-by-a-test sleep 1h >/dev/null 2>&1 </dev/null &").succeeds();
    host.until("ps -e -o args= | grep -q '^left-behind-by-a-test'").succeeds();
    let seen = || {
        let lines = std::process::Command::new("ps").args(["-e", "-o", "args="]).output().unwrap().stdout;
        String::from_utf8_lossy(&lines).lines().any(|line| line.starts_with("left-behind-by-a-test"))
    };
    assert!(seen());
    drop(host);
    assert!(!seen());
}
