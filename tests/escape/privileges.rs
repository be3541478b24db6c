//! Attacks by ids, groups and capabilities.

attacks! {}
