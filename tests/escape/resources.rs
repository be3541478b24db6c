//! Attacks on what the host has only so much of.

attacks! {}
