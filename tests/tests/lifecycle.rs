//! From start to end: signals, a supervisor that is killed, names, and what is reaped.

use jail_tests::{ARTICLE, HOST, Host, JAIL, Place, REFUSED, SERVERS, Snapshot, dial};

jail_tests::on_each_firewall! {
    when_its_supervisor_is_killed_the_jail_ends_and_gc_leaves_the_host_as_before,
    when_its_supervisor_is_killed_the_next_start_finds_name_port_and_address_free,
    gc_leaves_alone_what_lives_and_what_is_not_ours,
}

/// Starts the article's jail in the background of a shell and answers its supervisor's pid.
fn supervisor(host: &Host) -> String {
    host.sh(&format!("jail run {ARTICLE} {SERVERS} >/dev/null 2>&1 </dev/null & echo $! >/srv/pid"))
        .succeeds();
    host.until(&dial(JAIL, 80)).succeeds();
    host.sh("cat /srv/pid").succeeds().to_owned()
}

fn when_its_supervisor_is_killed_the_jail_ends_and_gc_leaves_the_host_as_before(host: &Host) {
    host.dmz();
    let before = Snapshot::of(host);
    let pid = supervisor(host);
    let first = host.sh("jail list | cut -d: -f1").succeeds().to_owned();
    host.sh(&format!("kill -KILL {pid}")).succeeds();
    host.until(&format!("! kill -0 {first} 2>/dev/null")).succeeds();
    host.jail("gc").succeeds();
    assert_eq!(host.jail("list").succeeds(), "");
    before.still_holds(host);
    host.client(&dial(HOST, 80)).exits(REFUSED);
}

#[test]
fn when_its_supervisor_is_killed_whoever_looks_for_it_is_told_of_gc() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    let pid = supervisor(&host);
    let listed = host.jail("list");
    listed.prints(":web:").succeeds();
    assert_eq!(listed.stderr, "");
    host.sh(&format!("kill -KILL {pid}")).succeeds();
    host.until(&format!("! kill -0 {pid} 2>/dev/null")).succeeds();
    for command in ["list", "tree", "--json list", "--json tree"] {
        host.jail(command).says_in_one_sentence(&["web", "has ended", "jail gc"]).succeeds();
        assert_eq!(host.jail(&format!("-q {command}")).stderr, "");
    }
    for command in ["stop web", "join web -- true", "inspect web", "tree web"] {
        host.jail(command).exits(125).says_in_one_sentence(&["web", "has ended", "jail gc"]);
    }
    host.jail("gc").succeeds();
    assert_eq!(host.jail("list").stderr, "");
    host.jail("stop web").exits(125).says_in_one_sentence(&["there is no jail web", "jail list"]);
    before.still_holds(&host);
}

#[test]
fn a_jail_that_is_being_cleared_up_is_not_told_of_as_dead() {
    let host = Host::new();
    host.dmz();
    let looks = "for i in $(seq 60); do jail list; done 2>&1 | grep 'has ended'";
    let looking = host.start(looks);
    for _ in 0..6 {
        host.jail("-q run --name=web --net=br0 -p 80 -- true").succeeds();
    }
    assert_eq!(looking.wait().exits(1).stdout, "");
}

#[test]
fn who_ignores_sigchld_starts_jails_as_anybody_does() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    // Not the other way around: timeout(1) would heed it again for what it runs.
    let jail = "timeout 20 env --ignore-signal=CHLD jail";
    let script = jail_tests::quote("grep SigIgn: /proc/self/status; exit 3");
    for options in ["", "--net=br0 -p 80"] {
        let started = host.sh(&format!("{jail} -q run {options} -- sh -c {script}"));
        started.exits(3).prints("SigIgn:\t0000000000000000");
        assert_eq!(started.stderr, "");
    }
    host.sh(&format!("{jail} -q run -d --name=web --net=br0 -p 80 -- sleep inf")).succeeds();
    host.sh(&format!("{jail} stop web")).succeeds();
    before.still_holds(&host);
}

fn when_its_supervisor_is_killed_the_next_start_finds_name_port_and_address_free(host: &Host) {
    host.dmz();
    let before = Snapshot::of(host);
    let pid = supervisor(host);
    host.sh(&format!("kill -KILL {pid}")).succeeds();
    host.until(&format!("! kill -0 {pid} 2>/dev/null")).succeeds();
    host.until(&format!("jail run -d {ARTICLE} {SERVERS}")).succeeds();
    host.until(&dial(JAIL, 80)).succeeds();
    host.jail("stop web").succeeds();
    host.jail("gc").succeeds();
    before.still_holds(host);
}

fn gc_leaves_alone_what_lives_and_what_is_not_ours(host: &Host) {
    host.sh("nft add table inet mine; nft add chain inet mine jail; ip link add jdeadbeef12340 type bridge")
        .succeeds();
    host.web();
    let before = Snapshot::of(host);
    host.jail("gc").succeeds();
    before.still_holds(host);
    host.sh(&dial(JAIL, 80)).exits(0);
}

#[test]
fn a_signal_to_the_supervisor_reaches_the_command() {
    let host = Host::new();
    for (command, status) in [
        ("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done", 7),
        ("trap 'exit 7' HUP INT; echo ready; while :; do sleep 0.05; done", 128 + 15),
        ("echo ready; exec sleep inf", 128 + 15),
    ] {
        let command = jail_tests::quote(command);
        let mut jail = host.start(&format!("echo $$; exec jail -q run -- bash -c {command}"));
        let supervisor = jail.line();
        assert_eq!(jail.line(), "ready");
        host.sh(&format!("kill -TERM {supervisor}")).succeeds();
        jail.wait().exits(status);
    }
}

#[test]
fn stop_asks_first_and_then_insists() {
    let host = Host::new();
    let asked =
        host.start_jailed("--name=asked", "trap 'echo asked; exit 0' TERM; while :; do sleep 0.05; done");
    host.jail("stop asked").succeeds();
    asked.wait().prints("asked").exits(0);
    let deaf = host.start_jailed("--name=deaf", "trap '' TERM; while :; do sleep 0.05; done");
    host.jail("stop --timeout=1 deaf").succeeds();
    deaf.wait().exits(128 + 9);
    host.jail("stop deaf").exits(125).says("deaf");
}

#[test]
fn stop_ends_a_jail_that_has_ended_by_itself_while_nobody_reads_what_it_printed() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    let unread = host.start("exec jail -q run --name=web --net=br0 -p 80 -- head -c 100000 /dev/zero");
    host.until("jail --json list | grep -q stopping").succeeds();
    host.jail("stop --timeout=0 web").succeeds();
    assert_eq!(host.jail("list").succeeds(), "");
    unread.wait().exits(0);
    before.still_holds(&host);
}

#[test]
fn who_stops_a_jail_that_is_being_stopped_waits_for_its_end_too() {
    let host = Host::new();
    host.jail(
        "run -d --name=web 'trap \"sleep 0.2; exit 0\" TERM; echo >/tmp/ready; while :; do sleep 0.01; done'",
    )
    .succeeds();
    host.until("jail join web -- test -e /tmp/ready").succeeds();
    host.sh("jail stop web & jail stop web web && test ! -e /run/jail/jails/web && wait $!").succeeds();
}

/// An nft in /srv/slow that does something else first.
fn slow_nft(host: &Host, first: &str) {
    host.write("/srv/slow/nft", &format!("#!/bin/sh\n{first}\nexec /usr/sbin/nft \"$@\"\n"));
    host.sh("chmod +x /srv/slow/nft").succeeds();
}

#[test]
fn a_signal_during_a_start_ends_the_jail_and_leaves_the_host_as_it_was() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    slow_nft(&host, "touch /srv/slow/runs; sleep 0.2");
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3)] {
        let script = format!(
            "set -m; PATH=/srv/slow:$PATH jail -q run --name=web --net=br0 -p 80 -- sleep inf & pid=$!
             until test -e /srv/slow/runs; do sleep 0.01; done
             kill -{signal} $pid; wait $pid; status=$?; rm /srv/slow/runs; exit $status"
        );
        host.sh(&script).exits(128 + number);
        before.still_holds(&host);
    }
}

/// Holds the network namespace of the only jail open, as a socket would that it passes to another.
fn hold_namespace(host: &Host) {
    host.sh("exec 9</proc/$(jail list | cut -d: -f1)/ns/net; sleep inf >/dev/null 2>&1 &").succeeds();
}

const LINKS: &str = "ls -d /sys/class/net/j*";

#[test]
fn a_jail_that_ended_is_on_no_bridge_whoever_holds_its_network_namespace() {
    let host = Host::new();
    host.web();
    hold_namespace(&host);
    host.sh("kill -TERM $(jail list | cut -d: -f1)").succeeds();
    host.until("test ! -e /run/jail/jails/web").succeeds();
    host.sh(LINKS).succeeds(); // it is held
    assert_eq!(host.sh("ls /sys/class/net/br0/brif").succeeds(), "");
    host.jail(&format!("run -d {ARTICLE} {SERVERS}")).succeeds();
    host.until_at(Place::Client, &dial(HOST, 80)).succeeds();
    host.jail("stop web").succeeds();
    host.jail("gc").succeeds();
    host.sh(LINKS).fails();
}

#[test]
fn the_next_start_leaves_no_link_of_one_whose_supervisor_was_killed() {
    let host = Host::new();
    host.dmz();
    let pid = supervisor(&host);
    hold_namespace(&host);
    let link = host.sh(LINKS).succeeds().to_owned();
    host.sh(&format!("kill -KILL {pid}")).succeeds();
    host.until("test -z \"$(jail list)\"").succeeds();
    host.sh(&format!("test -e {link}")).succeeds(); // it is held
    host.jail(&format!("run -d {ARTICLE} {SERVERS}")).succeeds();
    host.sh(&format!("test -e {link}")).fails();
    host.jail("stop web").succeeds();
}

#[test]
fn the_host_forwards_only_while_there_are_rules_for_it() {
    let host = Host::new();
    host.dmz();
    let forwards = "grep -qx 1 /proc/sys/net/ipv4/conf/*/forwarding";
    slow_nft(&host, &format!("! {forwards} || echo forwards >>/srv/slow/seen"));
    host.sh("PATH=/srv/slow:$PATH jail run -d --name=web --net=br0 -p 80 -- sleep inf").succeeds();
    host.sh("test ! -e /srv/slow/seen").succeeds(); // as the rules were made
    host.sh(forwards).succeeds();
    host.sh("PATH=/srv/slow:$PATH; kill $(jail list | cut -d: -f1)").succeeds();
    host.until("test ! -e /run/jail/jails/web").succeeds();
    host.sh("test ! -e /srv/slow/seen").succeeds(); // as they went
    host.sh(forwards).fails();
}

#[test]
fn the_supervisor_clears_up_in_its_own_time_however_short_the_patience() {
    let host = Host::new();
    host.dmz();
    slow_nft(&host, "sleep 1.5");
    let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    let run = format!("exec jail -q run --name=web --net=br0 -- bash -c {}", jail_tests::quote(script));
    let mut web = host.start(&format!("PATH=/srv/slow:$PATH; {run}"));
    assert_eq!(web.line(), "ready");
    host.jail("stop --timeout=1 web").succeeds();
    web.wait().exits(7);
}

#[test]
fn what_nohup_made_us_ignore_stays_ignored() {
    let host = Host::new();
    let pid = host.sh("nohup jail -q run --name=web -- sleep inf >/dev/null 2>&1 </dev/null & echo $!");
    let pid = pid.succeeds().to_owned();
    host.until("jail join web -- true").succeeds();
    host.sh(&format!("kill -HUP {pid}; jail join web -- true")).succeeds();
    host.jail("stop web").succeeds();
}

#[test]
fn stop_takes_several_names_and_pids() {
    let host = Host::new();
    for name in ["one", "two", "three"] {
        host.jail(&format!("run -d --name={name} -- sleep inf")).succeeds();
    }
    host.sh("jail stop one two $(jail list | grep :three: | cut -d: -f1)").succeeds();
    assert_eq!(host.jail("list").succeeds(), "");
}

#[test]
fn a_jail_lives_until_its_last_process_ends_and_answers_the_commands_status() {
    let host = Host::new();
    let before = Snapshot::of(&host);
    let mut jail = host.start(
        "exec jail -q run --name=web -- sh -c 'mkfifo /tmp/go; (read line </tmp/go; echo $line) & exit 3'",
    );
    host.until("jail join web -- sh -c 'test -p /tmp/go && echo last >/tmp/go'").succeeds();
    assert_eq!(jail.line(), "last");
    jail.wait().exits(3);
    before.still_holds(&host);
}

#[test]
fn orphans_are_reaped() {
    let host = Host::new();
    let zombies =
        host.jailed("", "for i in 1 2 3 4 5; do (sleep 0.01 &); done; sleep 0.3; ps -e -o stat= | grep -c Z");
    assert_eq!(zombies.stdout.trim(), "0", "{zombies}");
}

#[test]
fn names_are_unique_and_made_from_the_program() {
    let host = Host::new();
    assert_eq!(host.jail("run -d -- sleep inf").succeeds(), "sleep");
    assert_eq!(host.jail("run -d -- sleep inf").succeeds(), "sleep-2");
    assert_eq!(host.jail("run -d -- /usr/bin/sleep inf").succeeds(), "sleep-3");
    host.jail("-q run --name=sleep -- true").exits(125).says_in_one_sentence(&["sleep"]);
    for name in ["123", "a/b", "..", "''", "a:b", "-x"] {
        let refused = host.jail(&format!("-q run --name={name} -- echo it ran"));
        assert!([2, 125].contains(&refused.status), "{refused}");
        assert_eq!(refused.stdout, "");
    }
    host.jail("stop sleep sleep-2 sleep-3").succeeds();
    host.jail("-q run --name=sleep -- true").succeeds();
}

#[test]
fn a_start_that_fails_leaves_nothing() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    let options = format!("{ARTICLE} --grant=/srv/none");
    host.jailed(&options, "true").exits(125);
    host.jail(&format!("-q run {ARTICLE} -- no-such-command")).exits(127);
    host.jail(&format!("-q run {ARTICLE} -p 70-69 -- true")).fails();
    host.jail("gc").succeeds(); // returns when the links are gone
    before.still_holds(&host);
}
