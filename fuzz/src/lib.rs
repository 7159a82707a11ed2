//! What must hold for any input at all, each a function that panics where it does not.
//!
//! Owns the checks; the programs beside them, which make up the input with libFuzzer, only call one.
//! So the checks also run as ordinary tests, over every input in `corpus/` and in whatever a run of
//! the fuzzer has left.

pub mod names;
pub mod playlists;

/// Every check, by the name of its program and of its folder in `corpus/`.
pub const TARGETS: [(&str, fn(&[u8])); 4] = [
    ("segment_path", names::segment_path),
    ("hour_listing", names::hour_listing),
    ("media_playlist", playlists::media_playlist),
    ("multivariant", playlists::multivariant),
];
