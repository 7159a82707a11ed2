//! Makes up input for [`fuzz::names::hour_listing`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::names::hour_listing(bytes));
