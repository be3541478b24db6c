//! See `properties::stored_filter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| jail_fuzz::stored_filter(input));
