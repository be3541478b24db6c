//! Published ports: protocols, other ports, addresses of the host's, and what is not published.

use jail_tests::{HOST, HOST_ON_LAN, Host, REFUSED, Snapshot, dial, quote};

jail_tests::on_each_firewall! {
    another_port_of_the_host_leads_to_the_jails,
    a_port_is_published_by_one_of_the_hosts_addresses_only,
    datagrams_are_published_and_answered,
    a_range_of_ports_is_published_one_to_one,
    a_sender_that_was_there_before_the_jail_is_heard,
    a_sender_follows_the_jail_to_its_new_address_and_reaches_no_other,
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

/// A script that answers datagrams to port 514 with a word.
fn answer(word: &str) -> String {
    quote(&format!("while :; do echo {word} | nc -u -l -w 1 514 >/dev/null; done"))
}

/// A script that sends a datagram to port 514, of a flow that stays the same, and prints what is answered.
fn ask(address: &str) -> String {
    format!("echo line | nc -u -w 1 -p 4001 {address} 514 | grep .")
}

fn a_sender_that_was_there_before_the_jail_is_heard(host: &Host) {
    host.dmz();
    let _other = host.start_jailed("--name=other --net=br0 -p 81", "sleep inf");
    host.client(&ask(HOST)).fails();
    for _ in 0..2 {
        host.jail(&format!(
            "run -d --name=log --net=br0 --ip=10.10.20.10 -p 514/udp -- sh -c {}",
            answer("log")
        ))
        .succeeds();
        host.until_at(jail_tests::Place::Client, &ask(HOST)).prints("log");
        host.jail("stop log").succeeds();
        host.client(&ask(HOST)).fails();
    }
}

fn a_sender_follows_the_jail_to_its_new_address_and_reaches_no_other(host: &Host) {
    host.dmz();
    let _other = host.start_jailed("--name=other --net=br0 --ip=10.10.20.20 -p 81", "sleep inf");
    let log = "run -d --name=log --net=br0 -p 514/udp";
    host.jail(&format!("{log} --ip=10.10.20.10 -- sh -c {}", answer("first"))).succeeds();
    host.until_at(jail_tests::Place::Client, &ask(HOST)).prints("first");
    host.jail("stop log").succeeds();

    let third = format!("run -d --name=third --net=br0 --ip=10.10.20.10 -- sh -c {}", answer("third"));
    host.jail(&third).succeeds();
    host.until(&ask("10.10.20.10")).prints("third");
    host.client(&ask(HOST)).fails();
    host.jail(&format!("{log} --ip=10.10.20.11 -- sh -c {}", answer("moved"))).succeeds();
    host.until_at(jail_tests::Place::Client, &ask(HOST)).prints("moved");
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

#[test]
fn more_ports_than_files_may_be_open_are_published_and_the_jails_own_limit_stays() {
    let host = Host::new();
    host.dmz();
    let run = "jail -q run --net=br0 -p 30000-31000 -- sh -c 'ulimit -Sn; ulimit -Hn'";
    assert_eq!(host.sh(&format!("ulimit -Sn 1024; ulimit -Hn 4096; {run}")).succeeds(), "1024\n4096");
    host.sh(&format!("ulimit -n 1024; {run}"))
        .exits(125)
        .says_in_one_sentence(&["30000-31000", "LimitNOFILE="]);
    host.jail("gc").succeeds();
    assert_eq!(host.sh("nft list tables").succeeds(), "");
}

#[test]
fn an_address_that_is_for_many_hosts_or_none_is_a_usage_error() {
    let host = Host::new();
    host.dmz();
    for address in ["224.0.0.1", "255.255.255.255", "[ff02::1]", "0.0.0.0"] {
        host.jailed(&format!("--net=br0 -p {address}:80"), "echo it ran")
            .exits(2)
            .says(address.trim_matches(['[', ']']));
    }
    host.jailed("--net=br0 -p 192.0.2.255:80", "echo it ran")
        .exits(125)
        .says_in_one_sentence(&["192.0.2.255"]);
}

#[test]
fn a_table_of_somebody_elses_that_is_called_jail_is_told_of_and_stays() {
    let host = Host::new();
    host.dmz();
    host.sh("nft 'add table inet jail; add chain inet jail theirs'").succeeds();
    let before = Snapshot::of(&host);
    let refused = host.jailed("--net=br0 -p 80", "echo it ran");
    refused.exits(125).says_in_one_sentence(&[
        "table inet jail",
        "did not make it",
        "nft delete table inet jail",
    ]);
    host.jail("gc").succeeds();
    before.still_holds(&host);
}

/// An nft that never ends, in place of the host's.
fn hanging_nft(host: &Host) {
    host.write("/run/hang/nft", "#!/bin/sh\nexec sleep 1000\n");
    host.sh("chmod +x /run/hang/nft").succeeds();
}

#[test]
fn an_nft_that_hangs_when_its_jail_was_killed_holds_nobody_up() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    hanging_nft(&host);
    host.sh("PATH=/run/hang:$PATH jail -q run --name=a --net=br0 -p 80 -- true >/dev/null 2>&1 & echo $! >/run/pid")
        .succeeds();
    host.until("pgrep -x sleep").succeeds();
    host.sh("kill -KILL $(cat /run/pid); rm -r /run/hang /run/pid").succeeds();
    host.jailed("--name=b --net=br0 -p 80", "true").succeeds();
    host.jail("gc").succeeds();
    // What it began inside the jail holds nothing of the host's. It has the signals blocked that a start holds back.
    host.sh("pkill -KILL -x sleep || true").succeeds();
    host.until("! pgrep -x sleep").succeeds();
    before.still_holds(&host);
}

#[test]
fn who_has_a_port_is_shown_by_the_command_that_the_refusal_names() {
    let host = Host::new();
    host.dmz();
    for (option, listen, shown) in [("8090", "nc -lk 8090", "LISTEN"), ("8091/udp", "nc -lu 8091", "UNCONN")]
    {
        let service = host.start(&format!("exec {listen}"));
        host.until("ss -Hnltu | grep -q :809").succeeds();
        let refused = host.jailed(&format!("--net=br0 -p {option}"), "echo it ran");
        refused.exits(125).says_in_one_sentence(&[option, "is in use"]);
        let command = refused.stderr.split_once("see what has it with: ").unwrap().1;
        let answer = host.sh(command);
        answer.prints(shown).prints("nc").succeeds();
        assert_eq!(answer.stderr, "");
        drop(service);
    }
}

#[test]
fn a_port_that_is_taken_is_told_with_another_that_is_free_and_leads_to_the_same_port_of_the_jail() {
    let host = Host::new();
    host.dmz();
    let _service = host.start("exec nc -lk 443");
    host.until("ss -Hnlt | grep -q :443").succeeds();
    let _web = host.start_jailed("--name=web --net=br0 -p 8080 -p 8081 -p 53/udp", "sleep inf");
    for (options, another, other) in [
        ("-p 8080", "-p 8082:8080", "jail stop web"),
        ("-p 8080:80", "-p 8082:80", "jail stop web"),
        ("-p 8080:80 -p 8082", "-p 8083:80", "jail stop web"),
        ("-p 192.0.2.1:53/udp", "-p 192.0.2.1:8053:53/udp", "jail stop web"),
        ("-p 443", "-p 8443:443", "ss -tanp"),
        ("-p 440-445:1440-1445", "-p 8440-8445:1440-1445", "ss -tanp"),
    ] {
        let refused = host.jailed(&format!("--net=br0 {options}"), "echo it ran");
        refused.exits(125).says_in_one_sentence(&[&format!("like {another}, or "), other]);
        host.jailed(&format!("--net=br0 {another}"), "true").succeeds();
    }
}
