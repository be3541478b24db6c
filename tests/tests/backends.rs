//! Backends: found, listed, chosen, and why one is not usable.

use jail_tests::{Host, JAIL, Snapshot, dial, fetch};

#[test]
fn the_backends_are_listed_with_role_version_file_and_whether_they_can_be_used() {
    let host = Host::new();
    let list = host.jail("backends");
    let line =
        |name: &str| list.succeeds().lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
    assert!(line("libjail_bridge.so").contains("link"), "{list}");
    assert!(line("libjail_nft.so").contains("firewall"), "{list}");
    assert!(line("libjail_iptables.so").contains("firewall"), "{list}");
    let json = host.jail("--json backends").json();
    let names: Vec<_> =
        json.as_array().unwrap().iter().map(|b| b["name"].as_str().unwrap_or_default()).collect();
    assert!(names.contains(&"bridge") && names.contains(&"nft"), "{json}");
}

#[test]
fn one_that_is_not_a_plugin_is_listed_with_the_reason() {
    let host = Host::new();
    host.write("/srv/plugins/libjail_text.so", "this is no library");
    host.sh("cp /lib/x86_64-linux-gnu/libz.so.1 /srv/plugins/libjail_other.so").succeeds();
    let list = host.jail("--plugin-dir=/srv/plugins backends");
    assert!(
        list.succeeds().contains("libjail_text.so") && list.succeeds().contains("libjail_other.so"),
        "{list}"
    );
    assert!(list.stdout.contains("libjail_nft.so"), "{list}");
    host.jail("--plugin-dir=/srv/none backends").exits(125).says_in_one_sentence(&["make it"]);
    host.dmz();
    let refused = host.sh("jail -q --plugin-dir=/srv/plugins --backend=other run --net=br0 -- echo it ran");
    refused.exits(125).says_in_one_sentence(&["other", "put one that works in its place, or remove it"]);
}

#[test]
fn one_that_others_may_write_is_not_loaded() {
    let host = Host::new();
    host.sh("mkdir /srv/plugins; cp \"$(dirname \"$(command -v jail)\")\"/libjail_nft.so /srv/plugins/libjail_copy.so").succeeds();
    let usable = host.jail("--json --plugin-dir=/srv/plugins backends").json().to_string();
    host.sh("chmod 666 /srv/plugins/libjail_copy.so").succeeds();
    let refused = host.jail("--json --plugin-dir=/srv/plugins backends").json().to_string();
    assert_ne!(usable, refused);
    assert!(refused.contains("writ"), "{refused}");
}

#[test]
fn one_that_is_not_there_is_named() {
    let host = Host::new();
    host.dmz();
    host.jail("-q --backend=none-such run --net=br0 -- true").exits(125).says_in_one_sentence(&["none-such"]);
    host.jail("-q --backend=nft,bridge run --net=br0 -- true").succeeds();
    let twice = host.jail("-q --backend=nft,nft run --net=br0 -- true");
    assert!([2, 125].contains(&twice.status), "{twice}");
}

#[test]
fn where_the_program_was_installed_without_any_the_remedy_is_told() {
    let host = Host::new();
    host.dmz();
    host.sh("mkdir /srv/bin /srv/empty; cp \"$(command -v jail)\" /srv/bin").succeeds();
    for command in ["backends", "run --net=br0 -- echo it ran", "plan --net=br0 -- true", "net rm dmz"] {
        let told = host.sh(&format!("/srv/bin/jail -q {command}"));
        told.exits(125).says_in_one_sentence(&["/usr/lib/jail/plugins", "--plugin-dir=DIR"]);
        assert!(!told.stderr.contains("--backend"), "{told}");
        assert_eq!(told.stdout, "");
    }
    host.sh("/srv/bin/jail --plugin-dir=/srv/empty backends")
        .exits(125)
        .says("/srv/empty, /usr/lib/jail/plugins");
    host.sh("/srv/bin/jail -q run -- true").succeeds();
}

#[test]
fn without_nft_the_reason_is_told() {
    let host = Host::new();
    host.dmz();
    let without = "mount -t tmpfs x /usr/sbin && cp --parents -a /sbin/ip /run 2>/dev/null; jail";
    let told =
        host.sh(&format!("unshare -m sh -c '{without} -q --backend=nft run --net=br0 -p 80 -- echo it ran'"));
    told.exits(125).says_in_one_sentence(&["nft"]);
}

/// The firewall of a jail that runs.
fn firewall_of(host: &Host, jail: &str) -> String {
    let inspected = host.jail(&format!("--json inspect {jail}")).json();
    inspected["firewall"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_firewall_is_the_one_named_else_the_one_in_use_else_nft_else_iptables() {
    let host = Host::new();
    host.dmz();
    host.jail("run -d --name=one --net=br0 -- sleep inf").succeeds();
    assert_eq!(firewall_of(&host, "one"), "nft");
    host.jail("stop one").succeeds();
    host.jail("--backend=iptables run -d --name=two --net=br0 -- sleep inf").succeeds();
    host.jail("run -d --name=three --net=br0 -- sleep inf").succeeds();
    host.jail("--state-dir=/srv/state run -d --name=four --net=br0 -- sleep inf").succeeds();
    assert_eq!(firewall_of(&host, "two"), "iptables");
    assert_eq!(firewall_of(&host, "three"), "iptables", "as the jail that runs");
    host.jail("stop two three").succeeds();
    host.jail("run -d --name=five --net=br0 -- sleep inf").succeeds();
    assert_eq!(firewall_of(&host, "five"), "iptables", "as one of another state directory");
    host.jail("stop five").succeeds();
    host.jail("--state-dir=/srv/state stop four").succeeds();
    host.sh("mount --bind /dev/null /usr/sbin/nft").succeeds();
    host.jail("run -d --name=six --net=br0 -- sleep inf").succeeds();
    assert_eq!(firewall_of(&host, "six"), "iptables", "for there is no nft");
}

#[test]
fn another_firewall_beside_the_one_in_use_is_refused_in_a_sentence() {
    for (used, other) in [("nft", "iptables"), ("iptables", "nft")] {
        let host = Host::new();
        host.dmz();
        host.jail(&format!("--backend={used} run -d --name=web --net=br0 -- sleep inf")).succeeds();
        let before = Snapshot::of(&host);
        let refused = host.jail(&format!("-q --backend={other} run --net=br0 -- echo it ran"));
        refused.exits(125).says_in_one_sentence(&[
            &format!("--backend={other}"),
            "web",
            used,
            "jail stop web",
        ]);
        assert_eq!(refused.stdout, "");
        before.still_holds(&host);
    }
}

#[test]
fn a_dead_jails_firewall_is_in_nobodys_way_and_goes_without_a_trace() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    host.sh(
        "jail --backend=nft run --name=dead --net=br0 -p 80 -- sleep inf >/dev/null 2>&1 & echo $! >/srv/pid",
    )
    .succeeds();
    host.until("jail join dead -- true").succeeds();
    host.sh("kill -KILL $(cat /srv/pid)").succeeds();
    host.until("! kill -0 $(cat /srv/pid) 2>/dev/null").succeeds();
    host.jail("--backend=iptables run -d --name=web --net=br0 -- sleep inf").succeeds();
    host.jail("gc").succeeds();
    host.sh("nft list tables | grep 'inet jail'").fails();
    host.join("web", &dial(jail_tests::HOST_ON_DMZ, 22)).exits(jail_tests::REFUSED);
    host.jail("stop web").succeeds();
    host.jail("gc").succeeds();
    before.still_holds(&host);
}

#[test]
fn without_nft_iptables_keeps_a_bridge_of_jails_and_refuses_one_with_other_machines() {
    let host = Host::new();
    host.sh("mount --bind /dev/null /usr/sbin/nft").succeeds();
    host.dmz();
    host.jail(&format!("--backend=iptables run -d {} {}", jail_tests::ARTICLE, jail_tests::SERVERS))
        .succeeds();
    host.until(&dial(JAIL, 80)).succeeds();
    host.client(&fetch(jail_tests::HOST)).prints("Welcome to nginx").succeeds();
    host.join("web", &dial(jail_tests::LAN, 80)).exits(jail_tests::REFUSED);
    host.foreign_port("vm", "10.10.20.99");
    host.sh("ip link add theirs type bridge; ip address add 10.10.30.1/24 dev theirs; ip link set theirs up")
        .succeeds();
    for (net, other) in [("--net=br0", "vm"), ("--net=theirs", "did not make")] {
        let refused = host.jailed(net, "echo it ran");
        refused.exits(125).says_in_one_sentence(&[net, other, "install nftables"]);
        assert_eq!(refused.stdout, "");
    }
}

#[test]
fn with_neither_nft_nor_iptables_both_are_named() {
    let host = Host::new();
    host.dmz();
    host.sh("mount --bind /dev/null /usr/sbin/nft; rm /etc/alternatives/iptables-restore").succeeds();
    let refused = host.jailed("--net=br0", "echo it ran");
    refused.exits(125).says_in_one_sentence(&["package nftables", "package iptables"]);
    assert_eq!(refused.stdout, "");
}

#[test]
fn why_iptables_is_not_usable_is_told() {
    let host = Host::new();
    let line = || {
        let list = host.jail("backends");
        list.succeeds()
            .lines()
            .find(|line| line.contains("libjail_iptables.so"))
            .unwrap_or_default()
            .to_owned()
    };
    assert!(line().contains("usable: "), "{}", line());
    host.sh("rm /etc/alternatives/ip6tables-restore").succeeds();
    assert!(line().contains("no program ip6tables-restore in PATH"), "{}", line());
    host.dmz();
    let refused = host.jail("-q --backend=iptables run --net=br0 -- echo it ran");
    refused.exits(125).says_in_one_sentence(&["--backend=iptables", "ip6tables-restore", "install"]);
}

/// A library that does this when it is loaded.
fn plugin_that(host: &Host, name: &str, does: &str) {
    let includes = "#include <stdlib.h>\n#include <unistd.h>\n";
    let source = format!("{includes}__attribute__((constructor)) static void f(void) {{ {does}; }}\n");
    host.write(&format!("/srv/plugins/{name}.c"), &source);
    host.sh(&format!("cd /srv/plugins && gcc -shared -fPIC -o libjail_{name}.so {name}.c")).succeeds();
}

#[test]
fn one_that_ends_or_holds_up_who_loads_it_is_told_of_and_hides_no_other() {
    let host = Host::new();
    host.dmz();
    plugin_that(&host, "aborts", "abort()");
    plugin_that(&host, "exits", "_exit(7)");
    plugin_that(&host, "hangs", "for (;;) pause()");
    let jail = "timeout 30 jail -q --plugin-dir=/srv/plugins";
    let hangs = host.start(&format!("exec {jail} --backend=hangs run --net=br0 -- echo it ran"));
    let list = host.sh(&format!("{jail} backends"));
    let line = |name: &str| list.succeeds().lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("aborts").contains("ends the program that loads it (signal 6)"), "{list}");
    assert!(line("exits").contains("ends the program that loads it (exit status 7)"), "{list}");
    assert!(line("hangs").contains("did not finish loading within 10 s"), "{list}");
    assert!(line("nft").contains(" usable") && line("bridge").contains(" usable"), "{list}");
    let refused = hangs.wait();
    refused.exits(125).says_in_one_sentence(&["libjail_hangs.so", "did not finish loading"]);
    assert_eq!(refused.stdout, "");
}

#[test]
fn gc_loads_no_backend_that_no_jail_has_used() {
    let host = Host::new();
    host.dmz();
    plugin_that(&host, "aborts", "abort()");
    host.jail("--plugin-dir=/srv/plugins gc").succeeds();
}
