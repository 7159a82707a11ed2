//! Makes up input for [`fuzz::playlists::media_playlist`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::playlists::media_playlist(bytes));
