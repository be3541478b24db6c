//! Attacks by what is open or is executed: descriptors, executables, processes of others.

attacks! {
    a_descriptor_left_open: "fd-leak",
    a_descriptor_of_another_process: "fd-of-another",
    a_directory_as_its_input: "stdin-directory",
    a_file_to_be_read_as_its_input: "stdin-file",
    the_sandboxs_own_program: "exe-overwrite",
    the_sandboxs_own_program_where_its_owner_is_inside: "exe-overwrite-host",
    one_who_is_joining: "join-window",
    the_first_process: "first-process",
    a_system_call_changed_by_a_tracer: "traced-call",
    a_program_in_a_directory_without_programs: "noexec",
    a_format_of_programs: "binfmt",
    a_library_in_its_root: "library",
    a_plugin_that_was_planted: "plugin",
    what_the_environment_tells: "environment",
}
