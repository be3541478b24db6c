//! Attacks on a start: what one who was inside before, or is in another jail, puts in its way.

attacks! {}
