//! Smart cuts against an oracle: every picture of the sources carries a number, and so does their sound.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod cuts;
mod media;
mod oracle;
mod peer;
mod source;
