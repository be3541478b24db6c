//! Attacks by what is planted in a granted directory, for others to use.

attacks! {
    a_file_capability: "plant-capability",
    a_set_user_id_file_made_as_one: "plant-created",
    a_set_user_id_file_made_where_no_filter_looks: "plant-unseen",
    a_set_user_id_file_without_the_filter: "plant-unfiltered",
    a_set_user_id_mode_for_a_file: "plant-chmod",
    a_set_user_id_program_of_the_hosts_rewritten: "rewritten-set-uid",
}
