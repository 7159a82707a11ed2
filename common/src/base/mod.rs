//! Layer 1: time, back-off, content hashes, numbers as text.

pub mod backoff;
pub mod digest;
pub mod digits;
pub mod hash;
pub mod time;
