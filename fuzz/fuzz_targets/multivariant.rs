//! Makes up input for [`fuzz::playlists::multivariant`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::playlists::multivariant(bytes));
