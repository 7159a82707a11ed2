//! Layer 2: the formats that Wubloader reads and writes. Pure.

pub mod folder;
pub mod hls;
pub mod media;
pub mod segment;
