//! Layer 2: the formats that Wubloader reads and writes. Pure.

pub mod bits;
pub mod canonical_json;
pub mod chat;
pub mod codec;
pub mod fmp4;
pub mod folder;
pub mod hls;
pub mod media;
pub mod mpegts;
pub mod segment;
