//! Attacks on the kernel's surface: system calls, ABIs, namespaces.

attacks! {
    a_nested_user_namespace: "nested-userns",
}
