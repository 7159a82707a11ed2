//! What tells one format from another.

use std::fmt;

use crate::format::codec::Codec;
use crate::format::hls::Resolution;

/// What a segment is packed in and how its media is coded. Where two neighbours differ in it, the
/// publisher's encoder has changed, whether it was announced (EXT-X-DISCONTINUITY) or not.
///
/// Prints as people would say it: `H.264 1280x720 + AAC in MPEG-TS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// What it is packed in.
    pub packing: Packing,
    /// The first video stream, if there is one.
    pub video: Option<Picture>,
    /// The codecs of all sound, in the order of the tables, whether this segment has any of it or not.
    pub audio: Vec<Codec>,
}

/// How pictures are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Their codec.
    pub codec: Codec,
    /// Their size, after cropping and before any stretching.
    pub size: Resolution,
}

/// What media is packed in (RFC 8216 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    /// An MPEG transport stream.
    MpegTs,
    /// Fragmented MP4.
    Fmp4,
    /// Frames of sound, one after another.
    PackedAudio,
    /// Subtitles.
    WebVtt,
}

impl Format {
    pub(super) const fn only(packing: Packing) -> Self {
        Self { packing, video: None, audio: Vec::new() }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        if let Some(Picture { codec, size }) = self.video {
            write!(f, "{} {size}", codec.name())?;
            between = " + ";
        }
        for codec in &self.audio {
            write!(f, "{between}{}", codec.name())?;
            between = " + ";
        }
        let packed_in = if between.is_empty() { "" } else { " in " };
        write!(f, "{packed_in}{}", self.packing)
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MpegTs => "MPEG-TS",
            Self::Fmp4 => "fragmented MP4",
            Self::PackedAudio => "packed audio",
            Self::WebVtt => "WebVTT",
        })
    }
}
