//! Attacks by what processes share without a file: keyrings, System V objects, queues, abstract sockets, signals.

use jail_tests::{Host, Output, quote};

attacks! {
    a_fifo_in_what_is_shown: "shown-fifo",
    a_key_of_the_session: "keyring",
    a_posix_queue: "posix-queue",
    a_server_told_that_it_is_root: "forged-credentials",
    a_socket_below_run: "run-socket",
    a_socket_without_a_path: "abstract-socket",
    a_socket_without_a_path_on_the_hosts_network: "abstract-socket-net-host",
    another_jails_memory_and_descriptors: "another-jails-process",
    another_users_memory_and_descriptors: "another-users-memory",
    objects_of_system_v: "sysv-ipc",
    signals_to_the_host: "signals",
}

/// Not stopped everywhere: a read-only mount stops neither, and Landlock reading never. Named, wherever it works.
#[test]
fn a_socket_and_a_fifo_in_what_is_shown_are_named_and_can_be_hidden() {
    let host = Host::new();
    host.add_user();
    host.sh("mkfifo -m 666 /srv/fifo").succeeds();
    let _server = host.start("umask 0; exec nc -lkU /srv/socket");
    let _holder = host.start("exec sleep inf 0<>/srv/fifo"); // what is written stays until somebody reads it
    host.until("test -S /srv/socket").succeeds();
    host.sh("for line in 1 2 3; do echo hello >/srv/fifo; done").succeeds(); // one for each who reads
    let doors = [
        ("  /srv/fifo  FIFO", "[ \"$(timeout 5 dd if=/srv/fifo bs=6 count=1 2>/dev/null)\" = hello ]"),
        ("  /srv/socket  socket", "echo hello | nc -NU /srv/socket"),
    ];
    let hidden = "--blacklist=/srv/fifo --blacklist=/srv/socket";
    for (name, script) in doors {
        host.sh(script).succeeds();
        let jailed = |options: &str| format!("jail --quiet run {options} -- sh -c {}", quote(script));
        for (who, by) in [("root", Host::sh as fn(&Host, &str) -> Output), ("user", Host::as_user)] {
            let plan = |options: &str| by(&host, &format!("jail plan {options} -- true"));
            let named = plan("").succeeds().contains(name);
            assert_eq!(named, by(&host, &jailed("")).status == 0, "{name} by {who}");
            assert!(!plan(hidden).succeeds().contains(name), "{name} by {who}");
            by(&host, &jailed(hidden)).fails();
        }
    }
}
