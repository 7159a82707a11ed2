//! Makes up input for [`fuzz::names::segment_path`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::names::segment_path(bytes));
