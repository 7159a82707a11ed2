//! Media playlists (RFC 8216 §4.3.2, §4.3.3).

use std::fmt;
use std::sync::Arc;

use super::{Attributes, Limits, PlaylistError};
use crate::base::time::Timestamp;

mod parse;

pub(super) use parse::TAGS;

/// What a media playlist says, as the publisher wrote it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MediaPlaylist {
    /// EXT-X-VERSION.
    pub version: Option<u64>,
    /// Seconds; it should be whole but need not be. `None` when absent or nonsensical.
    pub target_duration: Option<f64>,
    /// The number of the first segment.
    pub media_sequence: u64,
    /// How many discontinuities came before the first segment.
    pub discontinuity_sequence: u64,
    /// Whether the list only grows or never changes.
    pub playlist_type: Option<PlaylistType>,
    /// Whether nothing will be added.
    pub end_list: bool,
    /// Whether the server holds back its answer until the list has a segment that is asked for
    /// (RFC 8216bis §4.4.3.8, §6.2.5.2).
    pub can_block_reload: bool,
    /// Segments before the first one that an EXT-X-SKIP left out of this delta update; they count
    /// in the numbering.
    pub skipped_segments: u64,
    /// In order.
    pub segments: Vec<Segment>,
    /// Twitch's announcements of segments that are still being made (EXT-X-TWITCH-PREFETCH). They
    /// are listed again as segments and have no number, duration or date until then.
    pub prefetch: Vec<String>,
    /// EXT-X-DATERANGE, every one, in order.
    pub date_ranges: Vec<DateRange>,
    /// Every tag that none of the above holds, in order.
    pub other_tags: Vec<OtherTag>,
}

impl MediaPlaylist {
    /// Reads a media playlist.
    ///
    /// # Errors
    ///
    /// When `bytes` are no playlist, a multivariant one, or exceed the default [`Limits`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PlaylistError> {
        Self::parse_within(bytes, &Limits::default())
    }

    /// Reads a media playlist no larger than `limits`.
    ///
    /// # Errors
    ///
    /// When `bytes` are no playlist, a multivariant one, or exceed `limits`.
    pub fn parse_within(bytes: &[u8], limits: &Limits) -> Result<Self, PlaylistError> {
        parse::parse(bytes, limits)
    }

    /// The media sequence number of `segments[index]`.
    pub fn number_of(&self, index: usize) -> u64 {
        let before = self.media_sequence.saturating_add(self.skipped_segments);
        before.saturating_add(index as u64)
    }
}

/// EXT-X-PLAYLIST-TYPE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaylistType {
    /// Segments are only ever added at the end.
    Event,
    /// Nothing ever changes.
    Vod,
}

impl PlaylistType {
    /// The word in the tag.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Event => "EVENT",
            Self::Vod => "VOD",
        }
    }
}

/// One segment as the list describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segment {
    /// Its address, as written: mostly relative to the playlist's.
    pub uri: String,
    /// EXTINF in seconds, however absurd; `None` when that is absent or no number ≥ 0.
    pub duration: Option<f64>,
    /// What follows the comma of EXTINF.
    pub title: String,
    /// When its first picture was broadcast, if the list says so for this very segment.
    pub program_date_time: Option<Timestamp>,
    /// Whether the publisher says that it does not follow on from the one before.
    pub discontinuity: bool,
    /// Whether it is listed without being there.
    pub gap: bool,
    /// Which part of the resource it is, if not all of it.
    pub byte_range: Option<ByteRange>,
    /// Its initialization section.
    pub map: Option<Arc<Map>>,
    /// How it is encrypted, unless it is not.
    pub key: Option<Arc<Key>>,
}

/// A part of a resource. Prints as `length@offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// Bytes.
    pub length: u64,
    /// Bytes before it. `None` when the list leaves it open where nothing says what it follows,
    /// which makes the segment undefined (§4.3.2.2).
    pub offset: Option<u64>,
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{}@{offset}", self.length),
            None => write!(f, "{}", self.length),
        }
    }
}

/// EXT-X-MAP: where the initialization section of segments is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Map {
    /// Its address, as written.
    pub uri: String,
    /// Which part of the resource it is, if not all of it.
    pub byte_range: Option<ByteRange>,
    /// How it is encrypted, unless it is not: as the EXT-X-KEY before it says (§4.3.2.4), whatever key
    /// its segments have.
    pub key: Option<Arc<Key>>,
}

/// EXT-X-KEY with a method other than NONE.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// How segments are encrypted.
    pub method: KeyMethod,
    /// Where the key is, as written.
    pub uri: Option<String>,
    /// The initialization vector, as written (`0x…`).
    pub iv: Option<String>,
    /// `identity` unless the list says otherwise.
    pub key_format: Option<String>,
}

impl Key {
    /// Whether what is behind its address is the key itself (RFC 8216 §4.3.2.4).
    pub fn is_identity(&self) -> bool {
        self.key_format.as_deref().is_none_or(|format| format == "identity")
    }
}

/// How segments are encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyMethod {
    /// Whole segments, in CBC mode.
    Aes128,
    /// Samples within the segments.
    SampleAes,
    /// A method unknown here, by its name, or none at all: the tag names no method.
    Other(String),
}

impl fmt::Display for KeyMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aes128 => "AES-128",
            Self::SampleAes => "SAMPLE-AES",
            Self::Other(name) => name,
        })
    }
}

/// EXT-X-DATERANGE: something said about a span of time.
#[derive(Clone, Debug, PartialEq)]
pub struct DateRange {
    /// How many of `segments` come before it.
    pub position: usize,
    /// Unique within the list.
    pub id: String,
    /// What kind of thing it is about.
    pub class: Option<String>,
    /// When the span begins.
    pub start: Option<Timestamp>,
    /// When it ends, if the list says so.
    pub end: Option<Timestamp>,
    /// Seconds.
    pub duration: Option<f64>,
    /// Everything, the above included.
    pub attributes: Attributes,
}

/// A tag that is only kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherTag {
    /// How many of `segments` come before it.
    pub position: usize,
    /// Its line, counted from 1.
    pub line: usize,
    /// Without the `#`.
    pub name: String,
    /// What follows the first colon.
    pub value: String,
}
