//! A jail beside an interface of the host's: on the LAN by itself, past the host's firewall, with its own rules alone.

use jail_tests::{
    CLIENT, HOST, HOST_ON_LAN, Host, INTERNET, JAIL, LAN, Place, REFUSED, SERVERS, Snapshot, dial, quote,
};

/// The jail on the LAN.
const BESIDE: &str = "192.168.7.50";

/// A jail on the LAN that serves when this returns.
fn web(host: &Host, options: &str) {
    host.jail(&format!("run -d --name=web --net=eth1 --ip={BESIDE} {options} {SERVERS}")).succeeds();
    host.until_at(Place::Lan, &dial(BESIDE, 80)).succeeds();
}

/// Takes the rules away inside the jail `web`.
fn without_its_rules(host: &Host) {
    let pid = host.jail("--json list").json()[0]["pid"].clone();
    host.sh(&format!("nsenter -n -t {pid} nft flush ruleset")).succeeds();
}

#[test]
fn the_lan_reaches_its_service_and_the_host_has_nothing_of_it() {
    let host = Host::new();
    host.sh("nft add table inet mine").succeeds();
    let before = Snapshot::of(&host);
    let links = "ip -o link; ip -o address; ip route show table all; nft list ruleset";
    let was = host.sh(links);
    web(&host, "");
    host.lan(&dial(BESIDE, 80)).exits(0);
    assert_eq!(host.sh(links).succeeds(), was.succeeds());
    let list = host.jail("--json list").json();
    let network = &list[0]["network"][0];
    assert_eq!(network["backend"], "macvlan");
    assert_eq!(network["bridge"], serde_json::json!(null));
    assert_eq!(network["mac"], "02:6a:c0:a8:07:32");
    assert_eq!(network["addresses"], serde_json::json!([format!("{BESIDE}/24")]));
    assert_eq!(list[0]["firewall"], "nft");
    host.jail("stop web").succeeds();
    before.still_holds(&host);
    host.lan(&dial(BESIDE, 80)).fails();
}

#[test]
fn it_opens_no_connection_and_is_told_at_once() {
    let host = Host::new();
    host.serve(Place::Lan, 8080, "lan");
    host.serve(Place::Host, 8080, "host");
    web(&host, "--defaultgw=192.168.7.2");
    for address in [LAN, HOST_ON_LAN, HOST, CLIENT, INTERNET] {
        host.join("web", &dial(address, 8080)).exits(REFUSED);
    }
    without_its_rules(&host);
    host.join("web", &dial(LAN, 8080)).exits(0);
}

#[test]
fn it_cannot_speak_udp_to_the_lan_by_address_or_to_everybody() {
    let host = Host::new();
    host.lan("nc -k -u -l 5353 >/run/heard 2>/dev/null </dev/null &").succeeds();
    host.until_at(Place::Lan, "ss -Huln | grep -q :5353").succeeds();
    web(&host, "");
    let say = |what: &str, to: &str| {
        let _ = host.join("web", &format!("echo {what} | nc -b -u -q 0 -w 1 {to} 5353"));
    };
    say("from-the-jail", LAN);
    say("from-the-jail", "192.168.7.255");
    without_its_rules(&host);
    say("once-flushed", LAN);
    say("to-everybody", "192.168.7.255");
    host.until("grep -q once-flushed /run/heard && grep -q to-everybody /run/heard").succeeds();
    host.sh("grep from-the-jail /run/heard").fails();
}

#[test]
fn with_egress_it_reaches_the_lan_but_not_the_host_or_our_networks() {
    let host = Host::new();
    host.dmz();
    host.serve(Place::Lan, 8080, "lan");
    host.serve(Place::Host, 8080, "host");
    host.jail(&format!("run -d --name=db --net=dmz --ip={JAIL} {SERVERS}")).succeeds();
    host.until(&dial(JAIL, 80)).succeeds();
    // The LAN's machine routes for it, to the host and the DMZ behind.
    host.lan(&format!("echo 1 >/proc/sys/net/ipv4/ip_forward; ip route replace {JAIL} via {HOST_ON_LAN}"))
        .succeeds();
    let beside = format!("--net=eth1 --egress=allow --defaultgw={LAN}");
    host.jailed(&beside, &dial(LAN, 8080)).exits(0);
    for address in [HOST_ON_LAN, HOST, "10.10.20.1"] {
        host.jailed(&beside, &dial(address, 8080)).exits(REFUSED);
    }
    host.jailed(&beside, &dial(JAIL, 80)).exits(REFUSED);
}

#[test]
fn two_jails_beside_one_interface_do_not_reach_each_other() {
    let host = Host::new();
    web(&host, "");
    host.jailed("--net=eth1", &dial(BESIDE, 80)).exits(REFUSED);
    host.jailed("--net=eth1 --egress=allow", &dial(BESIDE, 80)).exits(0);
}

#[test]
fn its_gateway_is_the_hosts_own_router_there() {
    let host = Host::new();
    host.serve(Place::Client, 8080, "client");
    host.jailed("--net=eth0", "ip route").prints(&format!("default via {CLIENT}")).succeeds();
    host.jailed("--net=eth0 --egress=allow", &dial(INTERNET, 8080)).exits(0);
    let none = host.jailed("--net=eth1", "ip route");
    assert!(!none.succeeds().contains("default"), "{none}");
    host.jailed(&format!("--net=eth0 --ip={CLIENT}"), "true").exits(125).says("is the router of eth0");
}

#[test]
fn a_jail_on_a_bridge_and_the_lan_answers_each_by_its_own_way() {
    let host = Host::new();
    host.dmz();
    host.lan("ip address add 203.0.113.9/32 dev lo").succeeds();
    let before = Snapshot::of(&host);
    let options = format!("--net=eth1 --ip={BESIDE} --defaultgw={LAN} --net=dmz --ip={JAIL} -p 80");
    host.jail(&format!("run -d --name=web {options} {SERVERS}")).succeeds();
    host.until_at(Place::Lan, &dial(BESIDE, 80)).succeeds();
    host.client(&dial(HOST, 80)).exits(0);
    host.lan(&format!("{} --interface 203.0.113.9", dial(BESIDE, 80))).exits(0);
    host.sh(&dial("127.0.0.1", 80)).exits(0);
    let list = host.jail("--json list").json();
    let published = |index: usize| list[0]["network"][index]["published"].clone();
    assert_eq!([published(0), published(1)], [serde_json::json!([]), serde_json::json!(["80"])]);
    // Who has an address in the DMZ's subnet on the LAN is not told of the jail's in the DMZ.
    host.lan("ip address add 10.10.20.99/24 dev eth0").succeeds();
    host.lan(&dial(JAIL, 80)).fails();
    host.lan(&format!("ip neighbour show {JAIL} | grep lladdr")).fails();
    host.jail("stop web").succeeds();
    before.still_holds(&host);
}

#[test]
fn an_address_that_somebody_uses_is_not_taken() {
    let host = Host::new();
    let mac = host.lan("ip -br link show eth0 | grep -o '[0-9a-f:]\\{17\\}'");
    let taken = host.jailed(&format!("--net=eth1 --ip={LAN}"), "echo it ran");
    taken.exits(125).says_in_one_sentence(&[&format!("--ip={LAN}"), "is used by", mac.succeeds(), "eth1"]);
    assert_eq!(taken.stdout, "");
    host.jailed(&format!("--net=eth1 --ip={LAN} --no-probe"), "echo it ran").prints("it ran").succeeds();

    let address = "ip -o -4 address show eth0 | grep -o '192.168.7.[0-9]*' | head -1";
    let first = host.jailed("--name=web --net=eth1", address);
    assert_eq!(host.jailed("--name=web --net=eth1", address).succeeds(), first.succeeds(), "the same again");
    host.lan(&format!("ip address add {}/24 dev eth0", first.succeeds())).succeeds();
    let next = host.jailed("--name=web --net=eth1", address);
    assert_ne!(next.succeeds(), first.succeeds());
    assert!(next.stdout.starts_with("192.168.7."), "{next}");
    host.sh("test -z \"$(find /run/jail/address /run/jail/mac -type f)\"").succeeds();
}

#[test]
fn where_somebody_answers_for_every_address_it_is_said_soon() {
    let host = Host::new();
    host.lan("ip route add local 192.168.7.0/24 dev lo").succeeds();
    let refused = host.jailed("--net=eth1", "echo it ran");
    refused.exits(125).says_in_one_sentence(&["--net=eth1: 8 addresses were tried", "--no-probe"]);
    host.sh("test -z \"$(find /run/jail/address -type f)\"").succeeds();
    host.jailed("--net=eth1 --no-probe", "echo it ran").prints("it ran").succeeds();
}

#[test]
fn an_address_on_an_adopted_bridge_is_asked_for_as_well() {
    let host = Host::new();
    host.foreign_bridge();
    let before = Snapshot::of(&host);
    host.jailed("--net=br0 --ip=10.10.20.99", "echo it ran")
        .exits(125)
        .says_in_one_sentence(&["is used by", "on br0"]);
    for _ in 0..3 {
        host.jailed(&format!("--net=br0 --ip={JAIL}"), "echo it ran").prints("it ran").succeeds();
    }
    host.jail("gc").succeeds();
    before.still_holds(&host);
}

#[test]
fn it_starts_again_at_once_with_the_same_address_and_any_mac() {
    let host = Host::new();
    for mac in ["", "", "--mac=02:00:00:00:00:05", "--mac=02:00:00:00:00:06", ""] {
        host.jailed(&format!("--net=eth1 --ip={BESIDE} {mac}"), "true").succeeds();
    }
    for mac in ["--mac=02:00:00:00:00:05", "--mac=02:00:00:00:00:06"] {
        web(&host, mac);
        host.lan(&dial(BESIDE, 80)).exits(0);
        host.jail("stop web").succeeds();
    }
}

#[test]
fn nothing_is_left_when_its_supervisor_is_killed() {
    let host = Host::new();
    let before = Snapshot::of(&host);
    let start = format!("jail -q run --name=web --net=eth1 --ip={BESIDE} {SERVERS}");
    let pid = host.sh(&format!("{start} >/dev/null 2>&1 </dev/null & echo $!"));
    host.until_at(Place::Lan, &dial(BESIDE, 80)).succeeds();
    host.sh(&format!("kill -KILL {}", pid.succeeds())).succeeds();
    host.until("jail gc && ! pgrep nginx").succeeds();
    before.still_holds(&host);
    host.jailed(&format!("--net=eth1 --ip={BESIDE}"), "true").succeeds();
}

#[test]
fn what_cannot_be_shared_is_refused_in_a_sentence() {
    let host = Host::new();
    host.dmz();
    host.sh("set -e; ip tuntap add tun0 mode tun; ip link set tun0 up
             ip link add port type veth peer name down; ip link set port master br0 up
             ip link add bare type veth peer name end; ip link set bare up
             mount -t tmpfs sysfs /sys/class/net; mkdir -p /sys/class/net/bare/phy80211")
        .succeeds();
    let before = Snapshot::of(&host);
    for (options, words) in [
        ("--net=lo", "the loopback interface cannot be shared"),
        ("--net=tun0", "tun0 is no Ethernet interface"),
        ("--net=port", "port is a port of br0"),
        ("--net=down", "down is down"),
        ("--net=bare", "bare is wireless"),
        ("--net=end --ip=10.0.0.1", "end is down"),
        ("--net=eth1 --publish=80", "never passes the host's firewall"),
        ("--net=eth1 --mtu=9000", "eth1 carries at most 1500"),
        ("--net=eth1 --ip=192.168.7.1", "the host's own address on eth1"),
        ("--net=eth1 --net=eth1", "eth0 is on eth1 already"),
        ("--net=eth1 --ip=10.0.0.1", "10.0.0.1 is not in 192.168.7.0/24"),
    ] {
        let refused = host.jailed(options, "echo it ran");
        refused.exits(125).says_in_one_sentence(&[words]);
        assert!(refused.stderr.contains("; "), "no remedy: {refused}");
        assert_eq!(refused.stdout, "");
    }
    before.still_holds(&host);
    host.sh("rm -r /sys/class/net/bare; ip link set end up").succeeds();
    host.jailed("--net=bare", "true")
        .exits(125)
        .says_in_one_sentence(&["bare has no IPv4 address", "--ip=none"]);
    host.jailed("--net=bare --ip=none", "true").succeeds();
    let named = |backend: &str, net: &str| {
        host.sh(&format!("jail -q --backend={backend} run --net={net} -- {}", quote("echo it ran")))
    };
    named("bridge", "eth1")
        .exits(125)
        .says_in_one_sentence(&["the backend bridge puts no jail on the interface eth1"]);
    named("macvlan", "dmz")
        .exits(125)
        .says_in_one_sentence(&["the backend macvlan puts no jail on the interface br0"]);
    named("macvlan,nft", "eth1").succeeds();
}
