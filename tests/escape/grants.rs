//! Attacks by what is planted in a granted directory, for others to use.

attacks! {}
