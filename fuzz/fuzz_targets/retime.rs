//! Makes up input for [`fuzz::media::retime`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::media::retime(bytes));
