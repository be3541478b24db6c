//! Attacks by names, ids and arguments that are read as something else.

attacks! {
    a_user_whose_name_is_a_number: "user-number",
    a_user_id_that_does_not_fit: "user-overflow",
    a_command_that_looks_like_an_option: "option-as-command",
    words_for_a_shell: "shell-words",
    a_name_that_is_a_path: "name-path",
    a_target_above_the_root: "target-dotdot",
}
