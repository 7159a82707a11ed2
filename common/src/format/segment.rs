//! Segment file names: the only place that reads and writes them.
//!
//! `BASE/<channel>/<quality>/<hour>/<MM:SS[.ffffff]>-<duration>-<completeness>-<tail>.ts`, as
//! `docs/STORAGE.md` describes. Reading is strict, since these names are shared with other nodes: a
//! name of any other form is not a segment.

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use thiserror::Error;

use crate::base::digits::push_in_hour;
use crate::base::hash::ContentHash;
use crate::base::time::{Hour, MICROS_PER_HOUR, Timestamp};

mod duration;
mod parse;

pub use duration::MediaDuration;

/// The end of every segment's file name, whatever its container.
pub const EXTENSION: &str = ".ts";

/// What takes the place of [`EXTENSION`] in the name of a tombstone.
pub const TOMBSTONE_EXTENSION: &str = ".tombstone";

/// How far a published segment's bytes can be trusted; better ones compare less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Completeness {
    /// Every byte arrived and nothing speaks against it.
    Full,
    /// Arrived whole as far as the transport tells, but something speaks against it.
    Suspect,
    /// Known to be cut short.
    Partial,
}

impl Completeness {
    /// The word in the file name.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Suspect => "suspect",
            Self::Partial => "partial",
        }
    }
}

/// What a segment's name ends in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Tail {
    /// A finished segment and the hash of its bytes.
    Published(Completeness, ContentHash),
    /// A file that is being written and may vanish; the text is unique to its writer.
    Temp(Box<str>),
}

/// A segment's file name, without its folder. Its start is known only within its hour.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentName {
    start_in_hour_micros: u32,
    duration: MediaDuration,
    tail: Tail,
}

/// A text that is not a segment's name or path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseSegmentError {
    /// The name does not end in `.ts`.
    #[error("not a .ts file")]
    Extension,
    /// The name does not have four parts with dashes between them.
    #[error("not of the form MM:SS-duration-completeness-hash.ts")]
    Shape,
    /// The first part is no `MM:SS` with up to six digits of fraction.
    #[error("the start is no MM:SS[.ffffff]")]
    Start,
    /// The second part is no duration of 0 to 3600 s.
    #[error("the duration is no decimal number of seconds from 0 to 3600")]
    Duration,
    /// The third part is no known word.
    #[error("the completeness is none of full, suspect, partial, temp")]
    Completeness,
    /// The last part is no content hash.
    #[error("the hash is no url-safe base64 of 32 bytes")]
    Hash,
    /// The folder that holds the name is no hour.
    #[error("the folder is no hour of the form YYYY-MM-DDTHH")]
    Hour,
}

impl SegmentName {
    /// The name of a segment that starts at `start`, to be put into the folder of `start.hour()`.
    pub fn new(start: Timestamp, duration: MediaDuration, tail: Tail) -> Self {
        let micros = start.micros().rem_euclid(MICROS_PER_HOUR);
        let start_in_hour_micros =
            u32::try_from(micros).expect("an hour has fewer microseconds than fit");
        Self { start_in_hour_micros, duration, tail }
    }

    /// Where the segment starts, given the hour of its folder.
    pub fn start(&self, hour: Hour) -> Timestamp {
        hour.start() + TimeDelta::microseconds(i64::from(self.start_in_hour_micros))
    }

    /// Where the segment starts within its hour, in microseconds.
    pub const fn start_in_hour_micros(&self) -> u32 {
        self.start_in_hour_micros
    }

    /// How long its media lasts, as the publisher said.
    pub const fn duration(&self) -> MediaDuration {
        self.duration
    }

    /// What the name ends in.
    pub const fn tail(&self) -> &Tail {
        &self.tail
    }

    /// Whether `text`, which was read as this name, is its canonical form.
    pub fn is_canonical(&self, text: &str) -> bool {
        parse::is_canonical(text, self.duration)
    }

    /// The completeness and hash of a published segment, `None` for a temp file.
    pub const fn published(&self) -> Option<(Completeness, ContentHash)> {
        match self.tail {
            Tail::Published(completeness, hash) => Some((completeness, hash)),
            Tail::Temp(_) => None,
        }
    }
}

/// Appends the canonical name of a published segment that starts `start_in_hour_micros` into its
/// hour.
pub fn push_published(
    out: &mut String,
    start_in_hour_micros: u32,
    duration: MediaDuration,
    completeness: Completeness,
    hash: &ContentHash,
) {
    push_start_and_duration(out, start_in_hour_micros, duration);
    out.push_str(completeness.token());
    out.push('-');
    hash.push_to(out);
    out.push_str(EXTENSION);
}

/// Appends `MM:SS.ffffff-<duration>-`.
fn push_start_and_duration(out: &mut String, start_in_hour_micros: u32, duration: MediaDuration) {
    push_in_hour(out, start_in_hour_micros, 6);
    out.push('-');
    duration.push_to(out);
    out.push('-');
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        match &self.tail {
            Tail::Published(completeness, hash) => {
                let start = self.start_in_hour_micros;
                push_published(&mut text, start, self.duration, *completeness, hash);
            }
            Tail::Temp(unique) => {
                push_start_and_duration(&mut text, self.start_in_hour_micros, self.duration);
                text.extend(["temp-", unique, EXTENSION]);
            }
        }
        f.write_str(&text)
    }
}

impl FromStr for SegmentName {
    type Err = ParseSegmentError;

    /// Reads a file name.
    ///
    /// # Errors
    ///
    /// Names the first part of `name` that is not as it must be.
    fn from_str(name: &str) -> Result<Self, ParseSegmentError> {
        parse::name(name)
    }
}

/// A segment's path as far as it is known: a trailing part of `channel/quality/hour/name`.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentPath {
    /// The channel's folder, if the path goes up that far.
    pub channel: Option<String>,
    /// The quality's folder, if the path goes up that far.
    pub quality: Option<String>,
    /// The hour's folder; without it the segment's start is not known.
    pub hour: Option<Hour>,
    /// The file name.
    pub name: SegmentName,
}

impl SegmentPath {
    /// Where the segment starts, if the path says so.
    pub fn start(&self) -> Option<Timestamp> {
        self.hour.map(|hour| self.name.start(hour))
    }
}

impl FromStr for SegmentPath {
    type Err = ParseSegmentError;

    /// Reads the last four components of a path, or as many as there are.
    ///
    /// # Errors
    ///
    /// When the file name is no segment's or its folder is no hour.
    fn from_str(path: &str) -> Result<Self, ParseSegmentError> {
        let mut components = path.rsplit('/');
        let name = components.next().unwrap_or_default().parse()?;
        let hour = components.next().map(str::parse).transpose();
        let hour = hour.map_err(|_| ParseSegmentError::Hour)?;
        let quality = components.next().map(str::to_owned);
        let channel = components.next().map(str::to_owned);
        Ok(Self { channel, quality, hour, name })
    }
}

#[cfg(test)]
mod tests;
