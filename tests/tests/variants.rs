//! Other ways to the article's server that its readers tried or asked about.

use jail_tests::{
    ARTICLE, HOST, HOST_ON_LAN, Host, JAIL, LAN, Place, REFUSED, SERVERS, Snapshot, dial, fetch,
};

#[test]
fn debians_own_init_script_starts_nginx_in_a_command_string() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    let servers = "'rsyslogd; /etc/init.d/nginx start; sleep inf'";
    host.jail(&format!("run -d {ARTICLE} {servers}")).succeeds();
    host.until_at(Place::Client, &fetch(HOST)).succeeds();
    host.jail("tree web").prints("nginx: worker").prints("rsyslogd");
    host.join("web", "/etc/init.d/nginx reload && /etc/init.d/nginx status").succeeds();
    host.client(&fetch(HOST)).succeeds();
    host.join("web", "/etc/init.d/nginx stop").succeeds();
    host.until_at(Place::Client, &format!("! {}", dial(HOST, 80))).succeeds();
    host.jail("stop web").succeeds();
    before.still_holds(&host);
}

#[test]
fn a_server_in_the_foreground_is_an_argv_and_its_end_is_the_jails() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    host.jail(&format!("run -d {ARTICLE} -- nginx -g 'daemon off;'")).succeeds();
    host.until_at(Place::Client, &fetch(HOST)).succeeds();
    let _ = host.join("web", "nginx -s quit"); // it ends with the jail, a moment before or after its own end
    host.until("test ! -e /run/jail/jails/web").succeeds();
    before.still_holds(&host);
}

/// A bridge br0 that somebody made of the host's LAN interface: the interface is its uplink, the address is the bridge's.
fn bridge_on_the_lan(host: &Host) {
    host.sh(&format!(
        "set -e; ip link add br0 type bridge
         ip address del {HOST_ON_LAN}/24 dev eth1; ip link set eth1 master br0
         ip address add {HOST_ON_LAN}/24 dev br0; ip link set br0 up"
    ))
    .succeeds();
    host.foreign_port_at("guest", "192.168.7.3/24", HOST_ON_LAN);
}

#[test]
fn on_a_bridge_with_an_uplink_it_has_an_address_of_the_lans_and_nobody_else_notices() {
    let host = Host::new();
    bridge_on_the_lan(&host);
    for place in [Place::Host, Place::Lan] {
        host.serve(place, 8080, "here");
    }
    host.until_at(Place::Lan, &dial(HOST_ON_LAN, 8080)).succeeds();
    let bridge =
        "cat /sys/class/net/br0/address; ip -o address show br0; ip route; bridge link show dev eth1";
    let was = host.sh(bridge).succeeds().to_owned();
    // Connections that others have: from the LAN to the host through the uplink, from a guest of the bridge's to the LAN.
    for (place, told) in [(Place::Host, "/run/host"), (Place::Lan, "/run/lan")] {
        host.run(place, &format!("nc -l 7000 </dev/null >{told} 2>/dev/null &")).succeeds();
        host.until_at(place, "ss -Htln | grep -q :7000").succeeds();
    }
    let connect = |netns: &str, address: &str| {
        let nc = format!("ip netns exec {netns} nc {address} 7000");
        host.sh(&format!("mkfifo /run/{netns}-says; {nc} <>/run/{netns}-says >/dev/null 2>&1 &")).succeeds();
    };
    connect("lan", HOST_ON_LAN);
    connect("guest", LAN);
    let say = |word: &str| {
        host.sh(&format!("for name in lan guest; do echo {word} 1<>/run/$name-says; done")).succeeds();
        host.until(&format!("grep -qx {word} /run/host && grep -qx {word} /run/lan")).succeeds();
    };
    say("before");
    let before = Snapshot::of(&host);

    host.jail(&format!("run -d --name=web --net=br0 --ip=192.168.7.50 {SERVERS}")).succeeds();
    host.until_at(Place::Lan, &dial("192.168.7.50", 80)).succeeds();
    say("meanwhile");
    assert_eq!(host.sh(bridge).succeeds(), was);
    host.sh(&dial("192.168.7.50", 80)).exits(0);
    host.sh(&format!("ip netns exec guest {}", dial("192.168.7.50", 80))).exits(0);
    for address in [HOST_ON_LAN, HOST] {
        host.join("web", &dial(address, 8080)).exits(REFUSED);
    }
    host.join("web", &dial(LAN, 8080)).fails();
    host.lan(&dial(HOST_ON_LAN, 8080)).exits(0);
    host.sh(&format!("ip netns exec guest {}", dial(LAN, 8080))).exits(0);

    host.jail("stop web").succeeds();
    say("after");
    before.still_holds(&host);
}

#[test]
fn two_dmz_networks_at_once_have_a_server_each_that_does_not_reach_the_other() {
    let host = Host::new();
    host.dmz();
    host.jail("net create other --subnet=10.10.30.0/24 --bridge=br1").succeeds();
    let before = Snapshot::of(&host);
    host.jail(&format!("run -d {ARTICLE} {SERVERS}")).succeeds();
    let options = "--name=other --net=other --ip=10.10.30.10 --publish=8080:80";
    host.jail(&format!("run -d {options} {SERVERS}")).succeeds();
    host.until_at(Place::Client, &dial(HOST, 80)).succeeds();
    host.until_at(Place::Client, &dial(HOST, 8080)).succeeds();
    host.join("web", &dial("10.10.30.10", 80)).exits(REFUSED);
    host.join("other", &dial(JAIL, 80)).exits(REFUSED);
    host.jail("stop web").succeeds();
    host.client(&dial(HOST, 8080)).exits(0);
    host.client(&dial(HOST, 80)).exits(REFUSED);
    host.jail("stop other").succeeds();
    before.still_holds(&host);
}
