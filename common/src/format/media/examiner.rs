//! What the bytes of one media segment are: looked at once, as they come, in pieces of any size.
//!
//! Tells whether they are whole packets, boxes or frames of sound, how much media they hold by their own clocks, and
//! which format it is of. Nothing is decoded, little is copied: in a transport stream only packet
//! headers are read, and where a PES packet begins also its header. Memory is bounded whatever comes.
//!
//! Of segments that ffmpeg and GStreamer cut, the pictures of a transport stream last as long as ffprobe
//! says to the tick, and its sound within 6 ms: PES packets hold several frames, and how many are in the last
//! is told by its bytes. In fragmented MP4 everything is exact. A picture whose end is cut off counts as
//! one, so that what is cut off may be seen as shorter by one picture than it is.

use crate::format::mpegts::SYNC;

mod boxes;
mod clock;
mod format;
mod fragments;
mod frames;
mod picture;
mod section;
mod tables;
mod time;
mod transport;

pub use format::{Format, Packing, Picture};
pub use section::check_section;
pub use time::{Extent, MediaTime, Medium, Shortfall, shortfall, surplus};

use boxes::BoxWalk;
use fragments::Fragments;
use frames::Frames;
use tables::Tables;
use transport::Transport;

/// How much of the beginning decides what it is.
const HEAD: usize = 12;

/// What was found when the bytes had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Whole packets, boxes or frames of sound, or subtitles, which are not looked into. No bytes at
    /// all are sound as well.
    Sound,
    /// Nothing that is known: it may be media, and it may be anything else.
    Unknown,
    /// Sound up to the last packet, box or frame, which is cut off.
    Torn,
    /// Out of step at that byte.
    Broken {
        /// How many bytes were in step.
        at: u64,
    },
    /// A page, a playlist or the like, and no media at all.
    Text,
}

/// What is known of a segment once all its bytes were seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// Whether the bytes look like a whole segment.
    pub finding: Finding,
    /// How much media there is, as far as its own clocks tell; up to where the bytes are out of step.
    /// `None` for WebVTT, encrypted samples, fragmented MP4 without its initialization
    /// section, transport streams without tables, and where a stream has no time stamps. Where pictures or
    /// sound are announced and next to nothing of them is there, it is zero.
    pub media_time: Option<MediaTime>,
    /// The format that it begins with; `None` where some of it is not known, as for video that begins
    /// without parameter sets.
    pub format: Option<Format>,
}

/// Looks at the bytes of one media segment as they come. What is found does not depend on how they are
/// split.
#[derive(Debug, Default)]
pub struct Examiner {
    head: Vec<u8>,
    content: Option<Content>,
    known: Known,
}

/// What an initialization section has told in advance.
#[derive(Debug, Default)]
struct Known {
    tables: Tables,
    fragments: Fragments,
}

#[derive(Debug)]
enum Content {
    Ts(Box<Transport>),
    Mp4(BoxWalk, Fragments),
    Text,
    /// RFC 8216 §3.4.
    Audio(Frames),
    /// Subtitles (RFC 8216 §3.5).
    WebVtt,
    Unknown,
    /// There are no bytes.
    Nothing,
}

impl Examiner {
    /// Looks at a segment that comes after `init`, its initialization section (EXT-X-MAP), which says
    /// what is in it. The finding is about the segment's own bytes alone.
    pub fn after(init: &[u8]) -> Self {
        let mut first = Self::default();
        first.feed(init);
        first.decide();
        let mut known = Known::default();
        match first.content {
            Some(Content::Ts(transport)) => known.tables = transport.into_tables(),
            Some(Content::Mp4(_, fragments)) => known.fragments = fragments.into_description(),
            _ => {}
        }
        Self { known, ..Self::default() }
    }

    /// Looks at the next bytes. An initialization section may be the first of them.
    pub fn feed(&mut self, bytes: &[u8]) {
        if let Some(content) = &mut self.content {
            return content.walk(bytes);
        }
        let missing = HEAD - self.head.len();
        let (head, rest) = bytes.split_at(missing.min(bytes.len()));
        self.head.extend_from_slice(head);
        if self.head.len() == HEAD {
            self.decide().walk(rest);
        }
    }

    /// What was found, once there are no more bytes.
    pub fn finish(mut self) -> Examination {
        self.decide();
        let found = |finding, media_time, format| Examination { finding, media_time, format };
        match self.content {
            Some(Content::Ts(transport)) => {
                found(transport.finding(), transport.media_time(), transport.format())
            }
            Some(Content::Mp4(walk, mut fragments)) => {
                let finding = walk.finish(&mut fragments);
                found(finding, fragments.media_time(), fragments.format())
            }
            Some(Content::Text) => found(Finding::Text, None, None),
            Some(Content::Audio(frames)) => {
                let finding = frames.finding();
                let format = Some(Format::only(Packing::PackedAudio));
                found(finding, frames.media_time(), format.filter(|_| finding != Finding::Unknown))
            }
            Some(Content::WebVtt) => {
                found(Finding::Sound, None, Some(Format::only(Packing::WebVtt)))
            }
            Some(Content::Unknown) => found(Finding::Unknown, None, None),
            Some(Content::Nothing) | None => found(Finding::Sound, None, None),
        }
    }

    /// Decides by the first bytes what it is, unless that is done, and looks at those bytes.
    fn decide(&mut self) -> &mut Content {
        let known = std::mem::take(&mut self.known);
        let head = std::mem::take(&mut self.head);
        self.content.get_or_insert_with(|| {
            let mut content = Content::of(&head, known);
            content.walk(&head);
            content
        })
    }
}

impl Content {
    fn of(head: &[u8], known: Known) -> Self {
        const FIRST_BOXES: [&[u8]; 8] =
            [b"ftyp", b"styp", b"moof", b"moov", b"sidx", b"emsg", b"prft", b"free"];
        if head.first() == Some(&SYNC) {
            Self::Ts(Box::new(Transport::new(known.tables)))
        } else if head.get(4..8).is_some_and(|kind| FIRST_BOXES.contains(&kind)) {
            Self::Mp4(BoxWalk::default(), known.fragments)
        } else if is_text(head) {
            Self::Text
        } else if head.is_empty() {
            Self::Nothing
        } else if is_audio(head) {
            Self::Audio(Frames::default())
        } else if without_mark(head).starts_with(b"WEBVTT") {
            Self::WebVtt
        } else {
            Self::Unknown
        }
    }

    fn walk(&mut self, bytes: &[u8]) {
        match self {
            Self::Ts(transport) => transport.feed(bytes),
            Self::Mp4(walk, fragments) => walk.feed(bytes, fragments),
            Self::Audio(frames) => frames.feed(bytes),
            Self::Text | Self::WebVtt | Self::Unknown | Self::Nothing => {}
        }
    }
}

/// Whether `head` may begin packed audio: with an ID3 tag, or an ADTS, MPEG or AC-3 frame.
fn is_audio(head: &[u8]) -> bool {
    let is_frame = matches!(head, [0xff, second, ..] if second & 0xe0 == 0xe0);
    is_frame || head.starts_with(b"ID3") || head.starts_with(b"\x0b\x77")
}

/// Whether `head` begins a page or the like.
fn is_text(head: &[u8]) -> bool {
    let texts: [&[u8]; 7] = [b"<!", b"<?", b"<h", b"<H", b"#EXTM3U", b"{\"", b"[{\""];
    let text = without_mark(head).trim_ascii_start();
    texts.iter().any(|start| text.starts_with(start)) || is_utf16(head)
}

fn without_mark(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)
}

/// Whether `head` is a byte order mark of UTF-16, one of which looks like sync bits of MPEG audio, and
/// Latin text after it.
fn is_utf16(head: &[u8]) -> bool {
    let (decode, text): (fn([u8; 2]) -> u16, _) = match head {
        [0xff, 0xfe, text @ ..] => (u16::from_le_bytes, text),
        [0xfe, 0xff, text @ ..] => (u16::from_be_bytes, text),
        _ => return false,
    };
    let (units, _) = text.as_chunks::<2>();
    let is_latin = |unit: u16| {
        u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
    };
    !units.is_empty() && units.iter().all(|unit| is_latin(decode(*unit)))
}

#[cfg(test)]
mod tests;
