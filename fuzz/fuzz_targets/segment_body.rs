//! Makes up input for [`fuzz::media::segment_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::media::segment_body(bytes));
