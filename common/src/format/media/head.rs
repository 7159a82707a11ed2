//! What a segment's first bytes tell.

use crate::format::{fmp4, mpegts};

mod fmp4_head;
mod ts_head;

/// No more than these first bytes are ever asked for.
pub const MOST_HEAD_BYTES: usize = 1 << 20;

/// How many bytes to ask for where nothing better is known.
const FEW_BYTES: usize = 16 << 10;

/// Behind what is asked for, the bytes that tell what comes next there.
const NEXT_HEADER: usize = 8;

/// With fewer bytes of a longer file, a few sync bytes at the right places could be chance.
const ENOUGH_TO_TELL: usize = 8 * mpegts::PACKET_BYTES;

/// What a segment begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it is packed in.
    pub container: Container,
    /// Whether it certainly begins with a picture that needs no other and after which none needs what is
    /// before it, with its parameter sets at hand: an IDR picture or the like. A segment without video
    /// must begin with a frame of sound that needs no other. Any doubt makes it `false`.
    ///
    /// An open GOP is not independent, since the pictures shown before its first one are lost. Of
    /// several streams only the first video, or else the first audio, is looked at.
    pub independent: bool,
    /// Stands for all that demands a discontinuity when it changes (RFC 8216 §4.3.2.3): equal numbers
    /// mean equal formats. In fragmented MP4 that is the initialization section. In MPEG-TS it is the
    /// kinds and PIDs of the streams with the first picture's parameter sets or, without video, the
    /// parameters of the sound. `None` where the head does not show it.
    pub format: Option<u64>,
    /// When the first picture (or else sound) is decoded, in ticks of 90 kHz: in MPEG-TS its time stamp
    /// of 33 bits, in fragmented MP4 the base decode time (`tfdt`), rounded down.
    pub decode_time: Option<u64>,
}

impl Head {
    const fn only(container: Container) -> Self {
        Self { container, independent: false, format: None, decode_time: None }
    }
}

/// What a segment's media is packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// An MPEG transport stream.
    MpegTs {
        /// What could stand for its initialization section (RFC 8216 §3.2).
        tables: Tables,
    },
    /// Fragmented MP4.
    Fmp4 {
        /// The length of the initialization section: all in front of the first box that belongs to the
        /// fragments. 0 where there is none, so that the segment cannot be played by itself.
        init_bytes: u32,
    },
    /// Neither, or not to be told from the first [`MOST_HEAD_BYTES`].
    Unknown,
}

/// Where a transport stream first tells what is in it: from the packet with its program association table
/// to the one with which its program map table ends. What else stands between them is no harm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tables {
    /// Where they begin, counted from the first byte of the file.
    pub start: u32,
    /// Their length; 0 where they are not in the first bytes.
    pub bytes: u32,
}

/// The answer of [`head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadOutcome {
    /// All that there is to know.
    Known(Head),
    /// The first bytes given were too few.
    NeedMore {
        /// How many first bytes to call with: twice those that were given or more, but no more than the
        /// file has or than [`MOST_HEAD_BYTES`]. They may turn out to be too few again.
        bytes: usize,
    },
}

/// What a segment of `file_size` bytes is, from its first ones. 8 KiB are nearly always enough.
pub fn head(first_bytes: &[u8], file_size: u64) -> HeadOutcome {
    let most = usize::try_from(file_size).unwrap_or(usize::MAX).min(MOST_HEAD_BYTES);
    let bytes = &first_bytes[..first_bytes.len().min(MOST_HEAD_BYTES)];
    let found = if bytes.len() < ENOUGH_TO_TELL && bytes.len() < most {
        Found { so_far: Head::only(Container::Unknown), missing: Some(Missing::Some) }
    } else if fmp4::begins(bytes) {
        fmp4_head::read(bytes)
    } else if let Some(start) = mpegts::first_packet(bytes) {
        ts_head::read(bytes, start)
    } else {
        Found { so_far: Head::only(Container::Unknown), missing: None }
    };
    let wanted = match found.missing {
        None => 0,
        Some(Missing::Some) => bytes.len().saturating_mul(4).max(FEW_BYTES).min(most),
        Some(Missing::UpTo(end)) => {
            let within = usize::try_from(end).ok().filter(|end| *end <= most);
            within.map_or(0, |end| (end + NEXT_HEADER).max(bytes.len() * 2).min(most))
        }
    };
    if wanted > bytes.len() {
        HeadOutcome::NeedMore { bytes: wanted }
    } else {
        HeadOutcome::Known(found.so_far)
    }
}

/// What some first bytes tell.
struct Found {
    /// What is known, even if nothing follows.
    so_far: Head,
    /// What it would take to know more.
    missing: Option<Missing>,
}

/// Which bytes would tell more.
enum Missing {
    /// Some of those behind.
    Some,
    /// All up to this place, and less is of no use.
    UpTo(u64),
}

#[cfg(test)]
mod tests;
