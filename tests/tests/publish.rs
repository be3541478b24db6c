//! Published ports: protocols, other ports, addresses of the host's, and what is not published.

use jail_tests::{HOST, HOST_ON_LAN, Host, REFUSED, dial, quote};

jail_tests::on_each_firewall! {
    another_port_of_the_host_leads_to_the_jails,
    a_port_is_published_by_one_of_the_hosts_addresses_only,
    datagrams_are_published_and_answered,
    a_range_of_ports_is_published_one_to_one,
}

/// A script that answers every connection to a TCP port with `pong`.
fn pong(port: u16) -> String {
    format!("while :; do printf 'HTTP/1.0 200 OK\\r\\n\\r\\npong\\n' | nc -l -N {port} >/dev/null; done")
}

fn another_port_of_the_host_leads_to_the_jails(host: &Host) {
    host.dmz();
    let start = format!("run -d --name=web --net=br0 -p 8080:80 -- sh -c {}", quote(&pong(80)));
    host.jail(&start).succeeds();
    host.until_at(jail_tests::Place::Client, &dial(HOST, 8080)).succeeds();
    host.client(&dial(HOST, 80)).exits(REFUSED);
}

fn a_port_is_published_by_one_of_the_hosts_addresses_only(host: &Host) {
    host.dmz();
    let options = format!("--name=web --net=br0 -p {HOST_ON_LAN}:80");
    host.jail(&format!("run -d {options} -- sh -c {}", quote(&pong(80)))).succeeds();
    host.until_at(jail_tests::Place::Lan, &dial(HOST_ON_LAN, 80)).succeeds();
    host.client(&dial(HOST, 80)).exits(REFUSED);
    let other = format!("--net=br0 -p {HOST}:80");
    host.jailed(&other, "true").succeeds();
    host.jailed(&options.replace("web", "other"), "true").exits(125).says("80");
}

fn datagrams_are_published_and_answered(host: &Host) {
    host.dmz();
    let ask = format!("echo ping | nc -u -w 1 {HOST} 53 | grep pong");
    host.client(&ask).fails();
    let serve = "while :; do echo pong | nc -u -l -w 1 53 >/dev/null; done";
    host.jail(&format!("run -d --name=dns --net=br0 -p 53/udp -- sh -c {}", quote(serve))).succeeds();
    host.until_at(jail_tests::Place::Client, &ask).succeeds();
    host.client(&dial(HOST, 53)).exits(REFUSED);
}

fn a_range_of_ports_is_published_one_to_one(host: &Host) {
    host.dmz();
    let serve = format!("({}) & {}", pong(8001), pong(8002));
    host.jail(&format!("run -d --name=web --net=br0 -p 7001-7002:8001-8002 -- sh -c {}", quote(&serve)))
        .succeeds();
    for port in [7001, 7002] {
        host.until_at(jail_tests::Place::Client, &dial(HOST, port)).succeeds();
    }
    host.client(&dial(HOST, 7003)).exits(REFUSED);
}

#[test]
fn a_published_port_is_free_again_once_the_jail_has_ended() {
    let host = Host::new();
    host.dmz();
    for _ in 0..3 {
        host.jailed("--net=br0 --ip=10.10.20.10 -p 80", "true").succeeds();
    }
    host.serve(jail_tests::Place::Host, 80, "host");
}

#[test]
fn ports_without_a_network_are_refused() {
    let host = Host::new();
    for options in ["-p 80", "--net=none -p 80", "--net=host -p 80"] {
        let refused = host.jailed(options, "echo it ran");
        assert!([2, 125].contains(&refused.status), "{refused}");
        assert_eq!(refused.stdout, "");
    }
}
