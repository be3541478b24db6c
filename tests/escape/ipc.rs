//! Attacks by what processes share without a file: keyrings, System V objects, queues, abstract sockets; and by who they
//! say they are.

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
