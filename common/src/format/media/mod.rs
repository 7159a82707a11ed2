//! What a stored segment is, from its own bytes: MPEG-TS, or fragmented MP4 with its initialization
//! section in front. Nothing is taken from names, and nothing is decoded.
//!
//! Where bytes are damaged, contradict themselves or are of an unknown kind, the answer is the careful
//! one: unknown, and not independent.

use crate::base::hash::Hasher;

pub mod examiner;
mod head;
mod info;
mod outline;
mod pictures;
mod sounds;

pub use head::{Container, Head, HeadOutcome, MOST_HEAD_BYTES, Tables, head};
pub use info::{StreamInfo, stream_info};
pub use outline::{Outline, Shape, Streams, Unsuited, Video};
pub use pictures::{Picture, Pictures, pictures};
pub use sounds::{Sound, Sounds, sounds};

/// The first 64 bits of the hash of what `hasher` took in.
fn first_64_bits(hasher: Hasher) -> u64 {
    let hash = hasher.finish();
    hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
