//! How a jail is started, and what its end answers.

use jail_tests::{ARTICLE, HOST, Host, JAIL, SERVERS, Snapshot, dial, fetch};

/// Whatever way the article's jail was started, it serves; then it is stopped, and the host is as before.
#[track_caller]
fn serves(host: &Host, before: &Snapshot) {
    host.until(&dial(JAIL, 80)).succeeds();
    host.client(&fetch(HOST)).prints("Welcome to nginx").succeeds();
    host.jail("stop web").succeeds();
    before.still_holds(host);
}

fn host_with_dmz() -> (Host, Snapshot) {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    (host, before)
}

#[test]
fn from_a_script_without_a_terminal() {
    let (host, before) = host_with_dmz();
    host.write(
        "/srv/start",
        &format!("#!/bin/sh\njail run {ARTICLE} {SERVERS} >/srv/out 2>&1 </dev/null &\n"),
    );
    host.sh("setsid sh /srv/start").succeeds();
    serves(&host, &before);
}

#[test]
fn from_a_shell_on_a_terminal() {
    let (host, before) = host_with_dmz();
    let start = format!("jail run {ARTICLE} {SERVERS}").replace('\'', "\\\"");
    host.sh(&format!("script -q -c \"{start}\" /srv/typescript >/srv/out 2>&1 </dev/null &")).succeeds();
    serves(&host, &before);
}

#[test]
fn with_standard_input_closed() {
    let (host, before) = host_with_dmz();
    host.sh(&format!("jail run {ARTICLE} {SERVERS} <&- >/srv/out 2>&1 &")).succeeds();
    serves(&host, &before);
}

#[test]
fn with_all_three_closed() {
    let (host, before) = host_with_dmz();
    host.sh(&format!("jail run {ARTICLE} {SERVERS} <&- >&- 2>&- &")).succeeds();
    serves(&host, &before);
}

#[test]
fn detached_it_prints_its_name_and_returns() {
    let (host, before) = host_with_dmz();
    let started = host.jail(&format!("run -d {ARTICLE} {SERVERS}"));
    assert_eq!(started.succeeds(), "web");
    serves(&host, &before);
}

#[test]
fn detached_it_outlives_the_terminal_it_was_started_from() {
    let (host, before) = host_with_dmz();
    let start = format!("jail run -d {ARTICLE} {SERVERS}").replace('\'', "\\\"");
    host.sh(&format!("script -q -c \"{start}\" /dev/null </dev/null")).prints("web").succeeds();
    serves(&host, &before);
}

#[test]
fn one_argument_with_shell_signs_is_a_script_and_several_are_an_argv() {
    let host = Host::new();
    assert_eq!(host.jail("-q run 'echo a; echo b'").succeeds(), "a\nb");
    assert_eq!(host.jail("-q run -- echo 'a; echo b'").succeeds(), "a; echo b");
    assert_eq!(host.jail("-q run echo '$HOME' '*'").succeeds(), "$HOME *");
    assert_eq!(host.jail("-q run hostname").succeeds(), "hostname");
    assert_eq!(host.jail("-q run --name=x hostname").succeeds(), "x");
}

#[test]
fn its_exit_status_is_the_commands_own() {
    let host = Host::new();
    for status in [0, 1, 3, 124, 200, 255] {
        host.jailed("", &format!("exit {status}")).exits(status);
    }
    host.jailed("", "kill -TERM $$").exits(128 + 15);
    host.jailed("", "kill -KILL $$").exits(128 + 9);
    host.jailed("", "kill -SEGV $$").exits(128 + 11);
}

#[test]
fn a_command_that_cannot_be_run_answers_as_a_shell_does() {
    let host = Host::new();
    host.write("/srv/not-executable", "text");
    let missing = host.jail("-q run -- no-such-command");
    missing.exits(127).says_in_one_sentence(&["no-such-command"]);
    host.jail("-q run -- /srv/none").exits(127).says("/srv/none");
    host.jail("-q run -- /srv/not-executable").exits(126).says("/srv/not-executable");
    host.jail("-q run -- /srv").exits(126);
    host.sh("printf '#!/no/such/interpreter\\n' >/srv/script; chmod +x /srv/script").succeeds();
    host.jail("-q run -- /srv/script").exits(127);
    assert_eq!(host.jail("list").succeeds(), "");
}

#[test]
fn standard_input_output_and_error_are_the_callers() {
    let host = Host::new();
    assert_eq!(host.sh("echo text | jail -q run -- cat").succeeds(), "text");
    let both = host.jailed("", "echo out; echo err >&2");
    assert_eq!((both.stdout.as_str(), both.stderr.as_str()), ("out\n", "err\n"));
    assert_eq!(host.sh("jail -q run -- sh -c 'head -c 1000000 /dev/zero' | wc -c").succeeds(), "1000000");
}

#[test]
fn no_descriptor_of_the_callers_comes_along() {
    let host = Host::new();
    let seen = host.sh("exec 7</etc/shadow 8</; jail -q run -- sh -c 'ls /proc/self/fd | tr \"\\n\" \" \"'");
    assert_eq!(seen.succeeds().trim(), "0 1 2 3", "3 is ls's own");
}

#[test]
fn a_start_shows_its_network_unless_it_is_quiet() {
    let host = Host::new();
    host.dmz();
    let loud = host.jail(&format!("run --net=br0 --ip={JAIL} --publish=80 -- true"));
    for word in
        ["Interface", "MAC", "IP", "Mask", "Status", "eth0", JAIL, "255.255.255.0", "10.10.20.1", "80"]
    {
        loud.says(word).succeeds();
    }
    let quiet = host.jail(&format!("--quiet run --net=br0 --ip={JAIL} --publish=80 -- true"));
    assert_eq!((quiet.succeeds(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn a_terminal_is_the_jails_own() {
    let host = Host::new();
    let typed = host.sh("script -q -c 'jail -q run -- tty' /dev/null </dev/null");
    assert!(typed.succeeds().contains("/dev/"), "{typed}");
    let _jail = host.start_jailed("--name=web", "sleep inf");
    let joined = host.sh("script -q -c 'jail join web -- sh -c \"tty; stty size\"' /dev/null </dev/null");
    assert!(joined.succeeds().contains("/dev/pts/"), "{joined}");
}

/// Every other test's host has its own pid namespace, in which who committed rules cannot be told by pid.
#[test]
fn jails_come_and_go_where_the_kernels_pids_are_ours() {
    let built = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let script = "export PATH=$0:$PATH
        mount -t tmpfs -o mode=755 tmpfs /run
        ip link set lo up
        ip link add br0 type bridge; ip address add 10.10.20.1/24 dev br0; ip link set br0 up
        jail -q run -d --name=stays --net=br0 -p 81 -- sleep 60 >/dev/null
        trap 'jail stop stays' EXIT
        for i in 1 2 3 4 5; do jail -q run --net=br0 -p 80 -- true; done
        ! nft list table inet jail | grep -w 80
        trap - EXIT
        jail stop stays; jail gc; nft list tables; find /run/jail -type f ! -name '*.lock' ! -name clean";
    let here = ["--mount", "--net", "--propagation=private", "--", "timeout", "50", "bash", "-ec", script];
    let output = std::process::Command::new("unshare").args(here).arg(built).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
}

#[test]
fn a_terminal_of_another_session_is_said_to_be_read_by_nobody() {
    let host = Host::new();
    let run = "script -qec 'setsid -w jail run -- cat' /dev/null </dev/null";
    host.sh(run).prints("another session").succeeds();
    let quiet = host.sh(&run.replace("jail run", "jail -q run"));
    assert_eq!(quiet.succeeds(), "");
}
