//! Attacks on a start: what one who was inside before, or is in another jail, puts in its way.

attacks! {
    a_directory_changed_for_a_link: "source-swap",
    a_directory_above_changed_for_a_link: "parent-swap",
    a_target_changed_for_a_link: "target-swap",
    a_link_that_was_left: "source-link",
    a_target_beyond_a_link: "target-link",
    a_root_whose_dev_is_a_link: "root-dev",
    a_root_whose_null_is_a_link: "root-null",
    a_root_whose_console_is_a_link: "root-console",
    a_root_whose_null_becomes_its_input: "root-stdio",
    a_root_whose_proc_is_a_link: "root-proc",
    a_root_whose_etc_has_links: "root-etc",
    a_root_whose_var_is_a_link: "root-var",
    a_home_with_links: "home-links",
    files_made_for_it: "own-files",
    a_sandbox_that_is_forged: "forged",
    a_filter_that_joining_forgets: "join-unfiltered",
    a_state_directory_for_everybody: "state-open",
    a_state_directory_of_anothers: "state-planted",
}
