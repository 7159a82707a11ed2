//! Writing playlists, to the letter of RFC 8216.
//!
//! Writers append to a text that can be handed over in pieces ([`MediaPlaylistWriter::take`]), so
//! that a playlist over a week need not be in memory whole. They refuse what a strict player would.

use std::fmt::{self, Write as _};

use thiserror::Error;

mod media;
mod multivariant;

pub use media::{MediaHeader, MediaPlaylistWriter, SegmentEntry, Version, target_duration};
pub use multivariant::{MultivariantWriter, RenditionEntry, VariantEntry};

/// A value that no playlist may hold. These are the writer's caller's mistakes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// Empty, or would be read as a tag, or has what an address must escape.
    #[error("an address must be printable ASCII without blanks that does not begin with #")]
    Uri,
    /// A title that would end the line.
    #[error("a title must not hold a line break")]
    Title,
    /// Not a finite number of seconds, or longer than the header promised (§4.3.3.1).
    #[error("a segment's rounded duration must be from 0 s to the target duration of {target} s")]
    Duration {
        /// The promise, in seconds.
        target: u64,
    },
    /// Needs a higher protocol version than the header declared (§7).
    #[error("this segment needs protocol version {needed}")]
    Version {
        /// The least version that has the feature.
        needed: u8,
    },
    /// An EXT-X-MAP applies to all segments that follow (§4.3.2.5) and cannot be taken back.
    #[error("a segment without an initialization section cannot follow one that has it")]
    MapEnds,
    /// A byte range must say where it begins.
    #[error("a byte range must have an offset")]
    ByteRange,
    /// A quoted string cannot hold a quote or a line break (§4.2).
    #[error("an attribute's text must not hold a quote or a line break")]
    QuotedString,
    /// After the end of a playlist comes nothing.
    #[error("the playlist has ended")]
    Ended,
}

/// Whether `uri` stays one line of its own that is not read as a tag or comment.
fn checked_uri(uri: &str) -> Result<&str, WriteError> {
    // an address is ASCII, and blanks in it are escaped (RFC 3986 §2)
    // every byte is looked at even after a bad one: that can be done for many at a time
    let is_clean = uri.bytes().fold(true, |clean, byte| clean & byte.is_ascii_graphic());
    let valid = is_clean && !uri.is_empty();
    if valid && !uri.starts_with('#') { Ok(uri) } else { Err(WriteError::Uri) }
}

/// `text` as a quoted string of an attribute.
fn quoted(text: &str) -> Result<Quoted<'_>, WriteError> {
    let bad = |c: char| c == '"' || c.is_control();
    if text.contains(bad) { Err(WriteError::QuotedString) } else { Ok(Quoted(text)) }
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// Appends a line to `out`; writing into a `String` cannot fail.
fn push_line(out: &mut String, line: fmt::Arguments<'_>) {
    out.write_fmt(line).expect("a String takes any text");
    out.push('\n');
}

#[cfg(test)]
mod tests;
