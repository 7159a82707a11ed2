//! Layer 1: time, back-off, content hashes.

pub mod backoff;
pub mod digits;
pub mod hash;
pub mod time;
