//! Attacks on the kernel's surface: system calls, ABIs, namespaces.

attacks! {
    a_core_dump_that_starts_a_program: "core-limit",
    a_device_node_of_its_own: "device-node",
    a_nested_user_namespace: "nested-userns",
    a_second_filter_that_permits_everything: "filter-loosened",
    calls_of_another_abi: "foreign-abi",
    calls_of_the_mount_api: "mount-api",
    cpu_features_of_the_past: "old-cpu-calls",
    fixed_addresses: "personality",
    namespaces_of_its_own: "new-namespaces",
    namespaces_of_the_first_process: "first-namespaces",
    performance_events: "perf-events",
    programs_for_the_kernel: "bpf",
    the_clock: "clock",
    the_host_name: "host-name",
    the_kernels_log: "kernel-log",
    the_machine_itself: "machine",
    the_machines_swap_and_accounting: "swap-and-accounting",
    userfaultfd: "userfaultfd",
    what_proc_says_of_it: "memory-map",
}
