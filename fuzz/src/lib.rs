//! What must hold for any input at all, each a function that panics where it does not.
//!
//! Owns the checks; the programs beside them, which make up the input with libFuzzer, only call one.
//! So the checks also run as ordinary tests, over every input in `corpus/` and in whatever a run of
//! the fuzzer has left.

pub mod media;
pub mod names;
pub mod playlists;

/// A check, and what it is called.
pub type Target = (&'static str, fn(&[u8]));

/// Every check, by the name of its program and of its folder in `corpus/`.
pub const TARGETS: [Target; 8] = [
    ("segment_path", names::segment_path),
    ("hour_listing", names::hour_listing),
    ("segment_head", media::segment_head),
    ("segment_body", media::segment_body),
    ("retime", media::retime),
    ("units", media::units),
    ("media_playlist", playlists::media_playlist),
    ("multivariant", playlists::multivariant),
];
