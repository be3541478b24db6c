//! Attacks by what is open or is executed: descriptors, executables, processes of others.

attacks! {
    a_descriptor_left_open: "fd-leak",
}
