//! Fragmented MP4 (ISO/IEC 14496-12): boxes, the initialization section, the fragments. Reads in place;
//! a box that does not fit ends the reading of what it is in.

mod boxes;
mod entry;
mod fragment;
mod movie;

pub use boxes::{Boxes, Fields, Mp4Box, find, find_path};
pub use entry::SampleEntry;
pub use fragment::{Fragment, Run, Sample, TrackFragment};
pub use movie::{Defaults, Movie, Track};

/// Whether `bytes` begin with a box of a kind that a segment begins with.
pub fn begins(bytes: &[u8]) -> bool {
    let begins = |first: &Mp4Box<'_>| {
        is_media_part(first.kind)
            || matches!(&first.kind, b"ftyp" | b"moov" | b"free" | b"skip" | b"uuid")
    };
    Boxes::new(bytes).next().is_some_and(|first| begins(&first))
}

/// Whether a box of that kind, at the top, belongs to the fragments and not to the initialization
/// section.
pub const fn is_media_part(kind: [u8; 4]) -> bool {
    matches!(&kind, b"styp" | b"sidx" | b"ssix" | b"emsg" | b"prft" | b"moof" | b"mdat")
}
