//! The whole system as processes: what a person would start, watched from outside.
//!
//! The programs are those that lie beside the tests' own folder; `make test` builds them first.
//! Whatever a test starts ends with it, also when it fails.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod bad_input;
mod full_disk;
mod hostile;
mod interrupting;
mod killed_recorder;
mod kills;
mod lifecycle;
mod playback;
mod players;
mod publishers;
mod story;
mod support;
