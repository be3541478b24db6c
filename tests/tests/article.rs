//! The article's scenario: a web server in a DMZ jail, served through the host's port 80, and nothing else.

use jail_tests::{
    CLIENT, HOST, HOST_ON_DMZ, HOST_ON_LAN, Host, INTERNET, JAIL, LAN, Place, REFUSED, Snapshot, dial, fetch,
};

jail_tests::on_each_firewall! {
    the_page_is_served_to_the_client_the_lan_and_the_host,
    the_server_sees_the_clients_own_address,
    the_jail_opens_no_connection_to_the_host_the_lan_or_the_internet,
    stopped_it_leaves_the_host_as_it_was,
    a_second_jail_on_the_bridge_reaches_the_first,
}

fn the_page_is_served_to_the_client_the_lan_and_the_host(host: &Host) {
    host.client(&dial(HOST, 80)).exits(REFUSED);
    host.web();
    host.client(&fetch(HOST)).prints("Welcome to nginx").succeeds();
    host.lan(&fetch(HOST_ON_LAN)).prints("Welcome to nginx").succeeds();
    for address in [HOST, HOST_ON_LAN, HOST_ON_DMZ, JAIL, "127.0.0.1", "localhost"] {
        host.sh(&fetch(address)).prints("Welcome to nginx").succeeds();
    }
}

fn the_server_sees_the_clients_own_address(host: &Host) {
    host.web();
    host.client(&fetch(&format!("{HOST}/?it-is-me"))).succeeds();
    let log = host.join("web", "grep it-is-me /var/log/nginx/access.log");
    assert!(log.succeeds().starts_with(CLIENT), "{log}");
}

#[test]
fn the_list_is_like_firejails() {
    let host = Host::new();
    assert_eq!(host.jail("list").succeeds(), "");
    host.web();
    let list = host.jail("list");
    let fields: Vec<_> = list.succeeds().splitn(4, ':').collect();
    let [pid, user, name, command] = fields[..] else { panic!("{list}") };
    assert_eq!((user, name), ("root", "web"));
    assert!(command.contains("rsyslogd; nginx; sleep inf"), "{list}");
    host.sh(&format!("grep -q '^NSpid:\\s{pid}\\s1$' /proc/{pid}/status")).succeeds();
}

#[test]
fn the_tree_shows_nginx_with_workers_of_another_user_and_rsyslogd() {
    let host = Host::new();
    host.web();
    let tree = host.jail("tree web");
    let line = |words: &str| {
        tree.succeeds()
            .lines()
            .find(|line| line.contains(words))
            .unwrap_or_else(|| panic!("no {words}: {tree}"))
    };
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (top, master, worker) = (line(":web:"), line("nginx: master process"), line("nginx: worker process"));
    assert!(master.contains(":root:"), "{tree}");
    assert!(worker.contains(":www-data:"), "{tree}");
    assert!(line("rsyslogd").contains(":root:"), "{tree}");
    assert!(indent(top) < indent(master) && indent(master) < indent(worker), "{tree}");
}

#[test]
fn an_administrator_who_joins_reads_the_syslog() {
    let host = Host::new();
    host.web();
    host.join("web", "logger -t article it was logged").succeeds();
    host.until("jail join web -- grep -q 'it was logged' /var/log/syslog").succeeds();
    host.sh("grep -rs 'it was logged' /var/log").fails();
}

fn the_jail_opens_no_connection_to_the_host_the_lan_or_the_internet(host: &Host) {
    host.web();
    host.serve(Place::Host, 8080, "host");
    host.serve(Place::Lan, 8080, "lan");
    host.serve(Place::Client, 8080, "client");
    for address in [HOST, HOST_ON_DMZ, HOST_ON_LAN, LAN, CLIENT, INTERNET] {
        assert_eq!(host.sh(&dial(address, 8080)).status, 0, "{address} serves nobody");
        host.join("web", &dial(address, 8080)).exits(REFUSED);
    }
    host.sh(&dial("127.0.0.1", 8080)).exits(0);
    host.join("web", &dial("127.0.0.1", 8080)).exits(REFUSED);
}

fn stopped_it_leaves_the_host_as_it_was(host: &Host) {
    host.dmz();
    let before = Snapshot::of(host);
    host.jail(&format!("run -d {} {}", jail_tests::ARTICLE, jail_tests::SERVERS)).succeeds();
    host.until(&dial(JAIL, 80)).succeeds();
    host.client(&fetch(HOST)).succeeds();
    host.jail("stop web").succeeds();
    before.still_holds(host);
    host.client(&dial(HOST, 80)).exits(REFUSED);
    assert_eq!(host.jail("list").succeeds(), "");
}

#[test]
fn once_its_network_is_removed_too_nothing_of_ours_is_left() {
    let host = Host::new();
    let before = Snapshot::of(&host);
    host.web();
    host.jail("stop web").succeeds();
    host.jail("net rm dmz").succeeds();
    before.still_holds(&host);
}

#[test]
fn it_is_joined_by_name_and_by_the_host_pid_of_any_process_in_it() {
    let host = Host::new();
    host.web();
    assert_eq!(host.join("web", "hostname").succeeds(), "web");
    let pids = host.sh("jail tree web | sed 's/^ *//' | cut -d: -f1");
    assert!(pids.succeeds().lines().count() >= 5, "{pids}");
    for pid in pids.succeeds().lines() {
        assert_eq!(host.join(pid, "hostname").succeeds(), "web");
    }
    host.join("1", "hostname").exits(125);
    host.join("nobody", "hostname").exits(125).says("nobody");
}

fn a_second_jail_on_the_bridge_reaches_the_first(host: &Host) {
    host.web();
    host.jailed("--net=br0", &fetch(JAIL)).prints("Welcome to nginx").succeeds();
}

#[test]
fn a_port_or_an_address_that_is_taken_is_refused_in_a_sentence() {
    let host = Host::new();
    host.web();
    let port = host.jailed("--net=br0 --publish=80", "echo it ran");
    port.exits(125).says_in_one_sentence(&["80", "web"]);
    let address = host.jailed(&format!("--net=br0 --ip={JAIL}"), "echo it ran");
    address.exits(125).says_in_one_sentence(&[JAIL, "web"]);
    assert_eq!(port.stdout + &address.stdout, "");
}

#[test]
fn a_port_that_the_host_itself_serves_is_refused_in_a_sentence() {
    let host = Host::new();
    host.dmz();
    host.serve(Place::Host, 80, "host");
    host.jailed("--net=br0 --publish=80", "echo it ran").exits(125).says_in_one_sentence(&["80"]);
    host.client(&fetch(HOST)).prints("host").succeeds();
}
