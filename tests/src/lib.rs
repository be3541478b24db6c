//! Hosts to test on.
