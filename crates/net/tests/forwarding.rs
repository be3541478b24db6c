//! Forwarding on a host of its own: each test is a thread in a new network namespace. Needs root.
#![cfg(test)]
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use jail_net::forwarding::{Change, apply, plan, restore};
use jail_net::model::{Egress, Publish};
use nix::sched::{CloneFlags, unshare};

/// Runs `test` on a machine with a bridge br0, a LAN on eth0 and an interface eth1 that is down, with a directory for
/// records; everything below /proc/sys/net/ipv4 must be the same after it, but for what it answers.
fn on_a_host(test: impl FnOnce(&Path) -> Vec<&'static str> + Send + 'static) {
    let host = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("these tests need root");
        sh("ip link add br0 type bridge; ip addr add 10.10.20.1/24 dev br0; ip link set br0 up;
            ip link add eth0 type veth peer name eth1; ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up");
        let records = tempfile::tempdir().unwrap();
        let before = sysctls();
        let changed = test(records.path());
        let after = sysctls();
        let differ =
            before.iter().filter(|(path, value)| after.get(*path) != Some(value)).map(|(path, _)| path);
        assert_eq!(differ.collect::<Vec<_>>(), changed);
        assert_eq!(fs::read_dir(records.path()).unwrap().count(), 0, "no record is left");
    });
    if let Err(panic) = host.join() {
        std::panic::resume_unwind(panic);
    }
}

fn sh(script: &str) {
    assert!(Command::new("sh").args(["-ec", script]).status().unwrap().success(), "{script}");
}

/// Every IPv4 sysctl of the namespace that can be read, by its path below /proc/sys.
fn sysctls() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![Path::new("/proc/sys/net/ipv4").to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if let Ok(value) = fs::read_to_string(&path) {
                found.insert(path.strip_prefix("/proc/sys").unwrap().display().to_string(), value);
            }
        }
    }
    assert!(found.len() > 100);
    found
}

fn value(path: &str) -> String {
    fs::read_to_string(Path::new("/proc/sys").join(path)).unwrap().trim().to_owned()
}

/// The bridges of a jail in the DMZ.
const DMZ: [&str; 1] = ["br0"];

fn web() -> Vec<Publish> {
    vec!["80".parse().unwrap()]
}

fn paths(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|change| change.path.as_str()).collect()
}

#[test]
fn what_a_publication_needs_is_switched_on_and_put_back() {
    on_a_host(|records| {
        let before = sysctls();
        let first = plan(records, &DMZ, &web(), Egress::Deny).unwrap();
        let wanted = [
            "net/ipv4/conf/br0/forwarding",
            "net/ipv4/conf/eth0/forwarding",
            "net/ipv4/conf/br0/route_localnet",
        ];
        assert_eq!(paths(&first.changes), wanted);
        assert_eq!(first.interfaces, ["br0", "eth0"]);
        apply(records, &first.changes).unwrap();
        let meanwhile = sysctls();
        let differ = before.iter().filter(|(path, value)| meanwhile.get(*path) != Some(value));
        assert_eq!(differ.count(), wanted.len(), "one value each, and no other follows");

        let second = plan(records, &DMZ, &web(), Egress::Allow).unwrap();
        assert!(second.changes.is_empty(), "what is on already needs no change");
        assert_eq!(second.interfaces, first.interfaces, "and still forwards only because of us");

        let mut restored = restore(records).unwrap();
        restored.sort_by(|one, other| one.path.cmp(&other.path));
        assert_eq!(restored.len(), wanted.len());
        assert!(restore(records).unwrap().is_empty());
        vec![]
    });
}

#[test]
fn a_host_that_forwards_already_is_not_changed() {
    on_a_host(|records| {
        sh("echo 1 >/proc/sys/net/ipv4/conf/eth0/forwarding; echo 1 >/proc/sys/net/ipv4/conf/br0/forwarding");
        let plan = plan(records, &DMZ, &[], Egress::Allow).unwrap();
        assert!(plan.changes.is_empty());
        assert!(plan.interfaces.is_empty(), "it forwards without us");
        sh("echo 0 >/proc/sys/net/ipv4/conf/eth0/forwarding; echo 0 >/proc/sys/net/ipv4/conf/br0/forwarding");
        vec![]
    });
}

#[test]
fn who_switches_routing_on_meanwhile_keeps_it() {
    on_a_host(|records| {
        let first = plan(records, &DMZ, &web(), Egress::Deny).unwrap();
        apply(records, &first.changes).unwrap();
        sh("echo 1 >/proc/sys/net/ipv4/ip_forward");
        let restored = restore(records).unwrap();
        assert_eq!(paths(&restored), ["net/ipv4/conf/br0/route_localnet"]);
        assert_eq!(value("net/ipv4/conf/eth0/forwarding"), "1");
        sh("echo 0 >/proc/sys/net/ipv4/ip_forward");
        vec![]
    });
}

#[test]
fn an_interface_that_did_not_forward_on_a_host_that_routes_is_put_back() {
    on_a_host(|records| {
        sh("echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/conf/eth0/forwarding");
        let first = plan(records, &DMZ, &web(), Egress::Deny).unwrap();
        apply(records, &first.changes).unwrap();
        restore(records).unwrap();
        assert_eq!(value("net/ipv4/conf/eth0/forwarding"), "0");
        sh("echo 0 >/proc/sys/net/ipv4/ip_forward");
        vec![]
    });
}

#[test]
fn a_jail_that_publishes_nothing_and_may_open_nothing_changes_nothing() {
    on_a_host(|records| {
        assert_eq!(plan(records, &DMZ, &[], Egress::Deny).unwrap(), Default::default());
        vec![]
    });
}

#[test]
fn a_crash_between_record_and_change_loses_nothing() {
    on_a_host(|records| {
        let first = plan(records, &DMZ, &web(), Egress::Deny).unwrap();
        apply(records, &first.changes).unwrap();
        // As a crash leaves it: recorded, but the value not changed yet.
        sh("echo 0 >/proc/sys/net/ipv4/conf/br0/forwarding");
        let again = plan(records, &DMZ, &web(), Egress::Deny).unwrap();
        assert_eq!(paths(&again.changes), ["net/ipv4/conf/br0/forwarding"]);
        apply(records, &again.changes).unwrap();
        restore(records).unwrap();
        vec![]
    });
}

#[test]
fn a_value_somebody_else_changed_and_an_interface_that_went_are_left_alone() {
    on_a_host(|records| {
        sh("echo 0 >/proc/sys/net/ipv4/conf/br0/rp_filter; ip link add tmp0 type bridge; ip addr add 10.9.0.1/24 dev tmp0;
            ip link set tmp0 up");
        let mut first = plan(records, &DMZ, &web(), Egress::Deny).unwrap();
        first.changes.push(Change {
            path: "net/ipv4/conf/br0/rp_filter".into(),
            was: "0".into(),
            want: "1".into(),
            all_was: "0".into(),
        });
        apply(records, &first.changes).unwrap();
        sh("echo 2 >/proc/sys/net/ipv4/conf/br0/rp_filter; ip link del tmp0");
        restore(records).unwrap();
        assert_eq!(value("net/ipv4/conf/br0/rp_filter"), "2");
        vec!["net/ipv4/conf/br0/rp_filter"]
    });
}

#[test]
fn a_record_that_makes_no_sense_is_told_of_once_and_keeps_no_other_from_being_put_back() {
    on_a_host(|records| {
        apply(records, &plan(records, &DMZ, &web(), Egress::Deny).unwrap().changes).unwrap();
        fs::write(records.join("net:ipv4:conf:br9:forwarding"), "{").unwrap();
        let other = fs::read_to_string(records.join("net:ipv4:conf:br0:forwarding")).unwrap();
        fs::write(records.join("net:ipv4:conf:lo:forwarding"), other).unwrap();
        let failure = restore(records).unwrap_err();
        assert!(failure.message.contains("br9:forwarding: not a file jail wrote"), "{failure}");
        assert!(failure.hint.contains("net/ipv4/conf/br9/forwarding"), "{failure}");
        assert_eq!(restore(records).unwrap(), []);
        vec![]
    });
}
