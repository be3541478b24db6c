//! See `properties::error_action`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| jail_fuzz::error_action(input));
