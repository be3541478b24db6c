//! Attacks by what processes share without a file: keyrings, System V objects, queues, abstract sockets, signals.

use jail_tests::Host;

attacks! {
    a_key_of_the_session: "keyring",
    a_posix_queue: "posix-queue",
    a_server_told_that_it_is_root: "forged-credentials",
    a_socket_below_run: "run-socket",
    a_socket_without_a_path: "abstract-socket",
    another_users_memory_and_descriptors: "another-users-memory",
    objects_of_system_v: "sysv-ipc",
    signals_to_the_host: "signals",
}

/// Named, not stopped: a read-only mount stops neither, and the kernel has nothing that does everywhere.
#[test]
fn a_socket_and_a_fifo_in_what_is_shown_are_named_and_can_be_hidden() {
    let host = Host::new();
    host.sh("mkfifo -m 666 /srv/fifo").succeeds();
    let _server = host.start("umask 0; exec nc -lkU /srv/socket");
    let _reader = host.start("exec cat 0<>/srv/fifo"); // for both, so that the first writer's end is not its end
    host.until("test -S /srv/socket").succeeds();
    let named = ["  /srv/fifo  FIFO", "  /srv/socket  socket"];
    let uses = ["timeout 5 sh -c 'echo hello >/srv/fifo'", "echo hello | nc -NU /srv/socket"];
    let hidden = "--blacklist=/srv/fifo --blacklist=/srv/socket";
    let (open, closed) = (host.jail("plan -- true"), host.jail(&format!("plan {hidden} -- true")));
    for (line, script) in named.into_iter().zip(uses) {
        open.prints(line).succeeds();
        host.jailed("", script).succeeds();
        assert!(!closed.succeeds().contains(line), "{closed}");
        host.jailed(hidden, script).fails();
    }
}
