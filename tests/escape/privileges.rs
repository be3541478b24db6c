//! Attacks by ids, groups and capabilities.

attacks! {
    a_capability_of_a_program: "file-capability",
    a_group_given_up: "groups-dropped",
    a_group_of_who_started_it: "groups-kept",
    a_set_user_id_program: "set-uid-program",
    capabilities_of_who_started_it: "capabilities-kept",
    capabilities_taken_back: "capabilities-regained",
}
