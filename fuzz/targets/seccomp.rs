//! See `properties::seccomp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| jail_fuzz::seccomp(input));
