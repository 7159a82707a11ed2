//! Makes up input for [`fuzz::media::units`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::media::units(bytes));
