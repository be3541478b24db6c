//! Attacks by names, ids and arguments that are read as something else.

attacks! {}
