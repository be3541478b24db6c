//! Attacks on files and mounts, by one who is inside.

attacks! {}
