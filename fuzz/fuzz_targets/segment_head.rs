//! Makes up input for [`fuzz::media::segment_head`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::media::segment_head(bytes));
