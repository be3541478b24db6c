//! Attacks on what the host has only so much of.

attacks! {
    memory_filled_by_files: "memory-filled",
    precedence_over_the_host: "priority",
    processes_that_stay: "outlives",
    processes_without_end: "fork-bomb",
}
