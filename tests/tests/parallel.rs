//! Many at once: none fails, none takes another's, and the host is as before.

use jail_tests::{HOST, Host, Snapshot, dial};

jail_tests::on_each_firewall! {
    twelve_start_and_end_at_once_in_the_dmz,
    twelve_detached_at_once_all_serve_and_all_stop,
}

const TWELVE_AT_ONCE: &str = "set -u
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do OPTIONS & pids=\"${pids-} $!\"; done
    failed=0; for pid in $pids; do wait $pid || failed=$((failed + 1)); done; exit $failed";

fn twelve_start_and_end_at_once_in_the_dmz(host: &Host) {
    host.dmz();
    let before = Snapshot::of(host);
    for _ in 0..3 {
        let run = "jail -q run --net=br0 -p $((8000 + i)):80 -- true";
        host.sh(&TWELVE_AT_ONCE.replace("OPTIONS", run)).succeeds();
    }
    host.jail("gc").succeeds();
    before.still_holds(host);
}

fn twelve_detached_at_once_all_serve_and_all_stop(host: &Host) {
    host.dmz();
    let before = Snapshot::of(host);
    let serve = "while :; do printf \"HTTP/1.0 200 OK\\r\\n\\r\\npong\\n\" | nc -l -N 80 >/dev/null; done";
    let run =
        format!("jail -q run -d --name=j$i --net=br0 -p $((8000 + i)):80 -- sh -c '{serve}' >/dev/null");
    host.sh(&TWELVE_AT_ONCE.replace("OPTIONS", &run)).succeeds();
    assert_eq!(host.jail("list").succeeds().lines().count(), 12);
    for i in 1..=12 {
        host.until_at(jail_tests::Place::Client, &dial(HOST, 8000 + i)).succeeds();
    }
    host.sh(&TWELVE_AT_ONCE.replace("OPTIONS", "jail stop j$i")).succeeds();
    before.still_holds(host);
}

#[test]
fn of_twelve_that_want_one_port_one_gets_it() {
    let host = Host::new();
    host.dmz();
    let run = "jail -q run -d --name=j$i --net=br0 -p 80 -- sleep inf >/dev/null";
    host.sh(&TWELVE_AT_ONCE.replace("OPTIONS", run)).exits(11);
    assert_eq!(host.jail("list").succeeds().lines().count(), 1);
}

#[test]
fn of_twelve_that_want_one_name_one_gets_it() {
    let host = Host::new();
    host.sh(&TWELVE_AT_ONCE.replace("OPTIONS", "jail -q run -d --name=x -- sleep inf >/dev/null")).exits(11);
    assert_eq!(host.jail("list").succeeds().lines().count(), 1);
}
