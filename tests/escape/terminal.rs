//! Attacks by the terminal.

attacks! {}
