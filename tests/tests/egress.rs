//! The connections a jail may open, and those it may not whatever happens to the host's rules. Packets are sent.

use jail_tests::{
    ARTICLE, CLIENT, HOST, HOST_ON_DMZ, HOST_ON_LAN, Host, INTERNET, JAIL, LAN, Place, REFUSED, SERVERS,
    Snapshot, dial, fetch,
};

jail_tests::on_each_firewall! {
    with_egress_it_reaches_the_lan_and_the_internet_but_not_the_host,
    with_egress_it_is_seen_by_the_hosts_address,
    after_the_hosts_rules_are_flushed_it_still_opens_no_connection,
    after_the_hosts_rules_are_flushed_it_calls_no_machine_of_an_adopted_bridge_but_jails,
    after_the_hosts_rules_are_flushed_it_calls_no_machine_of_a_bridge_of_ours_but_jails,
    a_kernel_without_rules_for_frames_refuses_an_adopted_bridge,
    a_kernel_without_rules_for_frames_still_has_the_hosts_on_a_bridge_of_ours,
    with_egress_it_reaches_what_the_host_publishes_for_jails,
    an_administrator_on_another_port_of_the_bridge_still_reaches_the_host,
    a_bridge_with_other_ports_is_adopted_and_left_as_it_was,
    what_is_not_published_is_out_of_a_routing_neighbours_reach,
    a_host_that_did_not_route_does_not_route_between_its_networks_meanwhile,
    a_host_that_routes_goes_on_routing,
}

/// A DMZ with a server on the host, in the LAN and outside, each on port 8080.
fn host_with_servers() -> Host {
    let host = Host::new();
    with_servers(&host);
    host
}

/// The same on a host that is there.
fn with_servers(host: &Host) {
    host.dmz();
    for place in [Place::Host, Place::Lan, Place::Client] {
        host.serve(place, 8080, "here");
    }
}

const OUTSIDE: [&str; 3] = [LAN, CLIENT, INTERNET];
const HOSTS_OWN: [&str; 3] = [HOST, HOST_ON_LAN, HOST_ON_DMZ];

fn with_egress_it_reaches_the_lan_and_the_internet_but_not_the_host(host: &Host) {
    with_servers(host);
    for address in OUTSIDE {
        host.jailed("--net=br0 --egress=allow", &dial(address, 8080)).exits(0);
        host.jailed("--net=br0", &dial(address, 8080)).exits(REFUSED);
    }
    for address in HOSTS_OWN {
        host.sh(&dial(address, 8080)).succeeds();
        host.jailed("--net=br0 --egress=allow", &dial(address, 8080)).exits(REFUSED);
    }
}

fn with_egress_it_is_seen_by_the_hosts_address(host: &Host) {
    with_servers(host);
    host.sh("sed -i s/here/'$remote_addr'/ /run/serve/*/nginx.conf").succeeds();
    host.client("nginx -c /run/serve/Client-8080/nginx.conf -e /run/serve/e -s reload").succeeds();
    let seen = format!(
        "jail -q run --net=br0 --egress=allow -- {} | grep -x {HOST}",
        fetch(&format!("{CLIENT}:8080"))
    );
    host.until(&seen).succeeds();
}

#[test]
fn other_jails_egress_is_not_its_own() {
    let host = host_with_servers();
    let _other = host.start_jailed("--name=other --net=br0 --egress=allow", "sleep inf");
    host.join("other", &dial(LAN, 8080)).exits(0);
    host.jailed("--net=br0", &dial(LAN, 8080)).exits(REFUSED);
    host.join("other", &dial(LAN, 8080)).exits(0);
}

fn after_the_hosts_rules_are_flushed_it_still_opens_no_connection(host: &Host) {
    with_servers(host);
    host.jail("run -d --name=web --net=br0 -- sleep inf").succeeds();
    host.sh("nft list ruleset | grep -q jail").succeeds();
    host.sh(host.firewall().flush()).succeeds();
    for address in OUTSIDE.into_iter().chain(HOSTS_OWN) {
        host.join("web", &dial(address, 8080)).exits(REFUSED);
    }
    host.jail("stop web").succeeds();
}

/// Puts a machine of somebody else's on br0, which is adopted or ours; it listens on port 22.
fn with_a_strange_machine(host: &Host, adopted: bool) {
    if adopted {
        host.foreign_bridge();
    } else {
        host.dmz();
        host.foreign_port("admin", "10.10.20.99");
    }
    host.sh("ip netns exec admin nc -lk 22 </dev/null >/dev/null 2>&1 &").succeeds();
    host.until("ip netns exec admin ss -Htln | grep -q :22").succeeds();
}

const CALL: &str = "nc -z -w 1 10.10.20.99 22";

fn it_calls_no_machine_but_jails(host: &Host) {
    host.jail("run -d --name=client --net=br0 -- sleep inf").succeeds();
    host.jail(&format!("run -d {ARTICLE} {SERVERS}")).succeeds();
    host.until(&dial(JAIL, 80)).succeeds();
    host.join("client", CALL).fails();
    host.sh(host.firewall().flush()).succeeds();

    host.join("client", CALL).fails();
    host.join("client", &dial(JAIL, 80)).exits(0);
    host.sh(&format!("ip netns exec admin {}", dial(JAIL, 80))).exits(0);
    host.sh("nsenter -n -t $(jail list | grep :client: | cut -d: -f1) nft delete table netdev jail")
        .succeeds();
    host.join("client", CALL).exits(0); // the canary: it was this table that refused it
    host.jail("stop web client").succeeds();
}

fn after_the_hosts_rules_are_flushed_it_calls_no_machine_of_an_adopted_bridge_but_jails(host: &Host) {
    with_a_strange_machine(host, true);
    it_calls_no_machine_but_jails(host);
}

fn after_the_hosts_rules_are_flushed_it_calls_no_machine_of_a_bridge_of_ours_but_jails(host: &Host) {
    with_a_strange_machine(host, false);
    it_calls_no_machine_but_jails(host);
}

/// How nft answers where the kernel has no egress hook.
fn without_rules_for_frames(host: &Host) -> String {
    let without = "grep -q netdev /dev/stdin && echo 'Error: Operation not supported' >&2 && exit 1";
    host.write("/run/old/nft", &format!("#!/bin/sh\n{without}\nexec /usr/sbin/nft \"$@\"\n"));
    host.sh("chmod +x /run/old/nft").succeeds();
    format!("PATH=/run/old:$PATH jail -q run --net=br0 -- {CALL}")
}

fn a_kernel_without_rules_for_frames_refuses_an_adopted_bridge(host: &Host) {
    with_a_strange_machine(host, true);
    let before = Snapshot::of(host);
    let refused = host.sh(&without_rules_for_frames(host));
    refused.exits(125).says_in_one_sentence(&["--egress=allow", "jail net create"]);
    host.jail("gc").succeeds(); // returns when the links are gone
    before.still_holds(host);
}

fn a_kernel_without_rules_for_frames_still_has_the_hosts_on_a_bridge_of_ours(host: &Host) {
    with_a_strange_machine(host, false);
    host.sh(&without_rules_for_frames(host)).exits(1);
}

#[test]
fn it_cannot_speak_udp_to_the_lan() {
    let host = host_with_servers();
    host.lan("nc -k -u -l 5353 >/run/heard 2>/dev/null </dev/null &").succeeds();
    host.until_at(Place::Lan, "ss -Huln | grep -q :5353").succeeds();
    let say = |what: &str| format!("echo {what} | nc -u -q 0 -w 1 {LAN} 5353");
    host.sh(&say("before")).succeeds();
    let _ = host.jailed("--net=br0", &say("from-the-jail"));
    host.sh(&say("after")).succeeds();
    host.until("grep -q before /run/heard && grep -q after /run/heard").succeeds();
    host.sh("grep from-the-jail /run/heard").fails();
}

#[test]
fn it_cannot_reach_the_host_by_a_link_local_address() {
    let host = Host::new();
    host.foreign_bridge();
    host.serve(Place::Host, 8080, "host");
    let found = host.sh("ip -6 -o address show br0 scope link | grep -o 'fe80[0-9a-f:]*'");
    let dial = dial(&format!("[{}%25eth0]", found.succeeds()), 8080);
    host.until(&format!("ip netns exec admin {dial}")).succeeds();
    host.jailed("--net=br0", &dial).fails();
    host.jailed("--net=br0 --egress=allow", &dial).fails();
}

fn with_egress_it_reaches_what_the_host_publishes_for_jails(host: &Host) {
    host.web();
    host.jailed("--net=br0 --egress=allow", &dial(HOST, 80)).exits(0);
    host.jailed("--net=br0", &dial(HOST, 80)).exits(REFUSED);
}

#[test]
fn the_hosts_loopback_is_out_of_reach_even_by_name() {
    let host = host_with_servers();
    host.sh(&dial("127.0.0.1", 8080)).succeeds();
    for option in ["--net=br0", "--net=br0 --egress=allow"] {
        host.jailed(option, &dial("127.0.0.1", 8080)).exits(REFUSED);
        host.jailed(option, &dial("localhost", 8080)).exits(REFUSED);
    }
}

fn an_administrator_on_another_port_of_the_bridge_still_reaches_the_host(host: &Host) {
    host.dmz();
    host.serve(Place::Host, 22, "host");
    host.foreign_port("admin", "10.10.20.99");
    let admin = |script: &str| host.sh(&format!("ip netns exec admin {script}"));
    admin(&dial(HOST_ON_DMZ, 22)).exits(0);
    host.jail("run -d --name=web --net=br0 --publish=80 -- sleep inf").succeeds();
    admin(&dial(HOST_ON_DMZ, 22)).exits(0);
    host.join("web", &dial(HOST_ON_DMZ, 22)).exits(REFUSED);
    host.jail("stop web").succeeds();
    admin(&dial(HOST_ON_DMZ, 22)).exits(0);
}

fn a_bridge_with_other_ports_is_adopted_and_left_as_it_was(host: &Host) {
    host.foreign_bridge();
    host.serve(Place::Host, 22, "host");
    let before = Snapshot::of(host);
    host.jail(&format!("run -d --name=web --net=br0 --ip={JAIL} -- sleep inf")).succeeds();
    host.sh(&format!("ip netns exec admin {}", dial(HOST_ON_DMZ, 22))).exits(0);
    host.join("web", &dial(HOST_ON_DMZ, 22)).exits(REFUSED);
    host.jail("stop web").succeeds();
    before.still_holds(host);
}

fn what_is_not_published_is_out_of_a_routing_neighbours_reach(host: &Host) {
    host.web();
    host.sh(&dial(JAIL, 80)).exits(0);
    for place in [Place::Lan, Place::Client] {
        host.run(place, &format!("ip route get {JAIL} | grep -q via")).succeeds();
        host.run(place, &dial(JAIL, 80)).fails();
        host.run(place, &dial(HOST_ON_DMZ, 22)).fails();
    }
}

fn a_host_that_did_not_route_does_not_route_between_its_networks_meanwhile(host: &Host) {
    host.serve(Place::Client, 8080, "client");
    host.lan(&format!("ip route add {CLIENT} via {HOST_ON_LAN}")).succeeds();
    host.client(&format!("ip route add {LAN} via {HOST}")).succeeds();
    host.sh("echo 1 >/proc/sys/net/ipv4/ip_forward").succeeds();
    host.lan(&dial(CLIENT, 8080)).exits(0);
    host.sh("echo 0 >/proc/sys/net/ipv4/ip_forward").succeeds();
    host.lan(&dial(CLIENT, 8080)).fails();
    host.web();
    host.lan(&dial(CLIENT, 8080)).fails();
}

fn a_host_that_routes_goes_on_routing(host: &Host) {
    host.serve(Place::Client, 8080, "client");
    host.lan(&format!("ip route add {CLIENT} via {HOST_ON_LAN}")).succeeds();
    host.client(&format!("ip route add {LAN} via {HOST}")).succeeds();
    host.sh("echo 1 >/proc/sys/net/ipv4/ip_forward").succeeds();
    host.dmz();
    let before = Snapshot::of(host);
    host.jail(&format!("run -d {} -- sleep inf", jail_tests::ARTICLE)).succeeds();
    host.lan(&dial(CLIENT, 8080)).exits(0);
    host.jail("stop web").succeeds();
    host.lan(&dial(CLIENT, 8080)).exits(0);
    before.still_holds(host);
}

#[test]
fn a_jail_knows_the_name_servers_of_a_host_that_keeps_them_in_run() {
    let host = Host::new();
    host.dmz();
    host.sh("mkdir -p /run/systemd/resolve; cd /run/systemd/resolve
             echo nameserver 127.0.0.53 >stub-resolv.conf; echo nameserver 192.0.2.53 >resolv.conf
             ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")
        .succeeds();
    for (options, server) in [("--net=br0 --egress=allow", "192.0.2.53"), ("--net=host", "127.0.0.53")] {
        host.jailed(options, "cat /etc/resolv.conf").prints(&format!("nameserver {server}\n"));
    }
    host.jailed("--net=br0 --dns=192.0.2.54", "cat /etc/resolv.conf").prints("nameserver 192.0.2.54\n");
}

#[test]
fn a_plan_with_egress_tells_of_the_host_what_it_is() {
    let host = Host::new();
    host.dmz();
    let plan = host.jail("plan --net=br0 --egress=allow -- true");
    plan.prints("of the host only the ports that jails publish").succeeds();
    assert!(!plan.stdout.contains("never the host"), "{plan}");
}
