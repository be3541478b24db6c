//! Several interfaces, each with options of its own: addresses, MACs, MTUs, gateways, and what makes no sense.

use jail_tests::{HOST, HOST_ON_LAN, Host, JAIL, LAN, Place, REFUSED, SERVERS, Snapshot, dial, fetch, quote};

/// A second network, on br1.
const OTHER: &str = "net create other --subnet=10.10.30.0/24 --bridge=br1";

#[test]
fn a_service_is_reached_by_two_networks_at_once_and_published() {
    let host = Host::new();
    host.dmz();
    host.jail(OTHER).succeeds();
    let before = Snapshot::of(&host);
    let options = "--name=web --net=dmz --ip=10.10.20.10 --net=br1 --ip=10.10.30.10 --publish=80";
    host.jail(&format!("run -d {options} {SERVERS}")).succeeds();
    for address in [JAIL, "10.10.30.10", "127.0.0.1"] {
        host.until(&dial(address, 80)).succeeds();
    }
    host.client(&dial(HOST, 80)).exits(0);
    host.lan(&dial(HOST_ON_LAN, 80)).exits(0);
    let neighbour = |net: &str| host.jailed(&format!("--net={net} --egress=allow"), &dial(HOST, 80));
    neighbour("dmz").exits(0);
    neighbour("other").exits(0);
    host.jail("stop web").succeeds();
    before.still_holds(&host);
}

#[test]
fn a_neighbour_reaches_it_on_either_network_and_it_reaches_neither_host_nor_beyond() {
    let host = Host::new();
    host.dmz();
    host.jail(OTHER).succeeds();
    host.serve(Place::Host, 8080, "host");
    let serve = |name: &str, options: &str| {
        host.jail(&format!("run -d --name={name} {options} {SERVERS}")).succeeds();
    };
    serve("web", "--net=dmz --ip=10.10.20.10 --net=other --ip=10.10.30.10");
    serve("db", "--net=other --ip=10.10.30.11");
    host.until(&dial("10.10.30.11", 80)).succeeds();
    host.until(&dial(JAIL, 80)).succeeds();
    host.join("web", &dial("10.10.30.11", 80)).exits(0);
    host.join("db", &dial("10.10.30.10", 80)).exits(0);
    host.join("db", &dial(JAIL, 80)).exits(REFUSED);
    for address in ["10.10.20.1", "10.10.30.1", HOST, HOST_ON_LAN] {
        host.sh(&dial(address, 8080)).succeeds();
        host.join("web", &dial(address, 8080)).exits(REFUSED);
    }
}

#[test]
fn answers_leave_by_the_interface_that_was_asked_wherever_the_default_route_leads() {
    let host = Host::new();
    host.dmz();
    host.jail(OTHER).succeeds();
    let options = "--net=dmz --ip=10.10.20.10 --net=other --ip=10.10.30.10 --defaultgw=10.10.30.1 -p 80";
    host.jail(&format!("run -d --name=web {options} {SERVERS}")).succeeds();
    host.join("web", "ip route").prints("default via 10.10.30.1 dev eth1").succeeds();
    host.until(&dial(JAIL, 80)).succeeds();
    host.client(&dial(HOST, 80)).exits(0);
    host.lan(&dial(HOST_ON_LAN, 80)).exits(0);
}

#[test]
fn each_option_belongs_to_the_last_net_before_it() {
    let host = Host::new();
    host.dmz();
    host.jail(OTHER).succeeds();
    let options = "--mtu=1400 --net=dmz --ip=10.10.20.10 --net=other --mac=02:00:00:00:00:05 --mtu=1300";
    let start = format!("run -d --name=web {options} -- sleep inf");
    let table = host.jail(&start);
    table.says("02:6a:0a:0a:14:0a  10.10.20.10").says("02:00:00:00:00:05  10.10.30.").succeeds();
    assert_eq!(table.stderr.matches("Default gateway").count(), 1, "{table}");
    let list = host.jail("--json list").json();
    let network = &list[0]["network"];
    for (index, mac, mtu) in [(0, "02:6a:0a:0a:14:0a", 1400), (1, "02:00:00:00:00:05", 1300)] {
        assert_eq!(network[index]["interface"], format!("eth{index}"));
        assert_eq!(network[index]["mac"], mac);
        assert_eq!(network[index]["mtu"], mtu);
        let link = host.join("web", &format!("ip -o link show eth{index}"));
        link.prints(&format!("mtu {mtu}")).prints(&format!("ether {mac}")).succeeds();
    }
    assert!(network[2].is_null());
    host.sh("ip -o link show br0").prints("mtu 1500").succeeds();
    let plan = host.jail(&format!("plan {options} -- true"));
    plan.prints("eth0 on br0").prints("eth1 on br1").prints("MTU 1300").succeeds();
}

#[test]
fn a_jail_with_another_mac_than_before_is_found_at_once() {
    let host = Host::new();
    host.foreign_bridge();
    for mac in ["02:00:00:00:00:05", "02:00:00:00:00:06"] {
        host.jail(&format!("run -d --name=web --net=br0 --ip={JAIL} --mac={mac} {SERVERS}")).succeeds();
        host.until(&dial(JAIL, 80)).succeeds();
        host.sh(&format!("ip netns exec admin {}", fetch(JAIL))).succeeds();
        host.sh(&format!("ip neighbour show {JAIL}")).prints(mac).succeeds();
        host.jail("stop web").succeeds();
    }
}

#[test]
fn an_interface_without_an_address_is_there_and_says_nothing() {
    let host = Host::new();
    host.sh("ip link add br0 type bridge && ip link set br0 up").succeeds();
    host.serve(Place::Host, 8080, "host");
    let shown = host.jailed("--net=br0 --ip=none", "ip -o address; ip route; ip -o link show eth0");
    shown.prints("eth0@if").prints(",UP").succeeds();
    assert!(!shown.stdout.contains("eth0    inet") && !shown.stdout.contains("default via"), "{shown}");
    host.jailed("--net=br0 --ip=none", &dial(HOST, 8080)).fails();
    host.jail("run -d --name=web --net=br0 --ip=none -- sleep inf").says("none").succeeds();
    assert_eq!(host.jail("--json list").json()[0]["network"][0]["addresses"], serde_json::json!([]));
}

#[test]
fn a_network_it_has_no_address_on_is_none_of_its_own() {
    let host = Host::new();
    host.dmz();
    host.jail(OTHER).succeeds();
    let options = "--net=dmz --ip=none --net=other --ip=10.10.30.10";
    let plan = host.jail(&format!("plan {options} -p 80 -- true"));
    plan.prints("net.ipv4.conf.br1.route_localnet = 1").succeeds();
    assert!(!plan.stdout.contains("br0.route_localnet"), "{plan}");
    host.jail(&format!("run -d --name=web --net=dmz --ip={JAIL} {SERVERS}")).succeeds();
    host.until(&dial(JAIL, 80)).succeeds();
    host.jail(&format!("run -d --name=other {options} --egress=allow -- sleep inf")).succeeds();
    host.sh("nft flush ruleset").succeeds();
    host.join("other", &dial(JAIL, 80)).exits(REFUSED);
}

#[test]
fn a_jail_on_two_networks_is_no_router_between_them() {
    let host = Host::new();
    host.foreign_bridge();
    host.lan("nc -k -u -l 5353 >/run/heard 2>/dev/null </dev/null &").succeeds();
    host.until_at(Place::Lan, "ss -Huln | grep -q :5353").succeeds();
    let options = format!("--name=web --net=br0 --ip={JAIL} --net=eth1 --ip=192.168.7.50");
    host.jail(&format!("run -d {options} -- sleep inf")).succeeds();
    host.sh(&format!("ip -netns admin route add {LAN} via {JAIL}")).succeeds();
    let say = |what: &str| {
        host.sh(&format!("echo {what} | ip netns exec admin nc -u -q 0 -w 1 {LAN} 5353")).succeeds();
    };
    say("through-the-jail");
    // The canary: it does as soon as it forwards.
    let pid = host.jail("--json list").json()[0]["pid"].clone();
    let on = "echo 1 | tee /proc/sys/net/ipv4/conf/*/forwarding >/dev/null";
    host.sh(&format!("nsenter -n -t {pid} sh -c {}", quote(on))).succeeds();
    say("once-it-forwards");
    host.until("grep -q once-it-forwards /run/heard").succeeds();
    host.sh("grep through-the-jail /run/heard").fails();
}

#[test]
fn none_and_host_stand_alone_and_an_option_is_given_once() {
    let host = Host::new();
    host.dmz();
    for (options, words) in [
        ("--net=none --net=none", ["--net=none", "twice"]),
        ("--net=br0 --defaultgw=10.10.20.1 --net=br1 --defaultgw=10.10.30.1", ["10.10.20.1", "10.10.30.1"]),
        ("--net=host --egress=deny", ["--egress=deny", "network of the jail's own"]),
        ("--net=host --egress=allow", ["--egress=allow", "network of the jail's own"]),
        ("--net=none --egress=deny", ["--egress=deny", "network of the jail's own"]),
        ("--net=none --egress=allow", ["--egress=allow", "network of the jail's own"]),
        ("--net=none --net=br0", ["--net=none", "--net=br0"]),
        ("--net=br0 --net=host", ["--net=br0", "--net=host"]),
        ("--net=none --net=host", ["--net=none", "--net=host"]),
        ("--net=br0 --ip=10.10.20.5 --ip=none", ["--ip=10.10.20.5", "--ip=none"]),
        ("--net=br0 --mtu=1400 --mtu=1300", ["--mtu=1400", "--mtu=1300"]),
        ("--net=br0 --defaultgw=10.10.20.1 --ip=none", ["--defaultgw=10.10.20.1", "--ip=none"]),
        ("--net=br0 --net=br1 --net=br2 --net=br3 --net=br4", ["--net=br4", "at most 4"]),
        ("--net=none --mac=02:00:00:00:00:05", ["--mac=02:00:00:00:00:05", "network of the jail's own"]),
        ("--ip=10.10.20.5", ["--ip=10.10.20.5", "network of the jail's own"]),
    ] {
        let refused = host.jailed(options, "echo it ran");
        refused.exits(2).says_in_one_sentence(&words);
        assert_eq!(refused.stdout, "");
    }
    for options in
        ["--mac=01:00:00:00:00:05", "--mac=02:00:00:00:00", "--mtu=67", "--mtu=none", "--ip=10.0.0.0.1"]
    {
        host.jailed(&format!("--net=br0 {options}"), "echo it ran").exits(2);
    }
}

#[test]
fn what_an_interface_cannot_have_is_refused_in_a_sentence() {
    let host = Host::new();
    host.dmz();
    host.jail(OTHER).succeeds();
    host.sh(
        "ip link add inner address 02:00:00:00:00:aa type bridge; ip address add 10.10.20.130/25 dev inner",
    )
    .succeeds();
    host.jail("run -d --name=one --net=br0 --mac=02:00:00:00:00:09 -- sleep inf").succeeds();
    let before = Snapshot::of(&host);
    for (options, words) in [
        ("--net=br0 --mac=02:00:00:00:00:09", "is used by the jail one"),
        ("--net=br0 --mac=02:6a:0a:0a:14:0b", "begins as those that jail makes"),
        ("--net=br0 --mac=02:00:00:00:00:aa", "the MAC of the host's inner"),
        ("--net=br0 --mtu=1501", "br0 carries at most 1500"),
        ("--net=br0 --net=dmz", "--net=dmz: eth0 is on br0 already"),
        ("--net=br0 --net=inner", "its subnet 10.10.20.128/25 overlaps 10.10.20.0/24"),
        ("--net=br0 --ip=none --publish=80", "no interface on a bridge has an address"),
        ("--net=br0 --ip=none --egress=allow", "no address to open a connection from"),
        ("--net=br0 --net=br1 --defaultgw=10.10.20.1", "10.10.20.1 is not in 10.10.30.0/24"),
        ("--net=br0 --defaultgw=10.10.20.255", "no router of 10.10.20.0/24 has the address 10.10.20.255"),
        ("--net=br0 --ip=10.10.20.7 --defaultgw=10.10.20.7", "is the gateway that --defaultgw names"),
    ] {
        let refused = host.jailed(options, "echo it ran");
        refused.exits(125).says_in_one_sentence(&[words]);
        assert!(refused.stderr.contains("; "), "no remedy: {refused}");
        assert_eq!(refused.stdout, "");
        if !words.contains("used by") {
            host.jail(&format!("plan {options} -- true")).exits(125).says_in_one_sentence(&[words]);
        }
    }
    before.still_holds(&host);
}
