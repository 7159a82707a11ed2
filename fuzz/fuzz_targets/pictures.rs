//! Makes up input for [`fuzz::media::find_pictures`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::media::find_pictures(bytes));
