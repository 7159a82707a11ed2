//! Which segments of a list are advertisements. Pure.
//!
//! Nobody has agreed on how they are marked, so each way is a [`Mark`] of its own, and a provider says
//! which ones count ([`Rules::marks`](super::rules::Rules)). A segment is an advertisement if any of them
//! says so, even where another speaks for the programme: an advertisement that is recorded would be
//! copied to all nodes, while a segment too few is one that the other nodes have, since each is shown
//! advertisements of its own.
//!
//! What is known of Twitch, from what others who read its lists have published: an advertisement is a
//! DATERANGE of class `twitch-stitched-ad` with START-DATE and DURATION, several may follow one another,
//! the segments in it are titled `Amazon|` and a number, and all segments are dated. A discontinuity
//! stands before the first one, between two, and before the programme, whose segments are titled `live`.
//! None of the ranges seen was without a duration; what is done about one is told in [`ranges`].
//!
//! Segments that Twitch only announces (PREFETCH) have no title, number or date yet: nothing can be told
//! of them.

use common::format::hls::{MediaPlaylist, Segment};

mod cues;
mod ranges;

pub(crate) use cues::Breaks;

/// The longest break that is believed without its length being told, in seconds: a mark that ends it may
/// be missed, and the programme must not be lost for ever.
const LONGEST_BREAK: f64 = 600.0;
/// What begins within this of a break's end, in seconds, is what follows: lists round.
const ROUNDING: f64 = 0.1;

/// A way to mark advertisements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// EXT-X-SCTE35-OUT and EXT-X-SCTE35-IN around a break, and what RFC 8216 §4.3.2.7.1 has for them: a
    /// DATERANGE with SCTE35-OUT or SCTE35-IN.
    Scte35,
    /// EXT-X-CUE-OUT and EXT-X-CUE-IN around a break, EXT-X-CUE-OUT-CONT within it: the most common ones.
    Cue,
    /// A title that begins with `Amazon`.
    AmazonTitle,
    /// A DATERANGE of class `twitch-stitched-ad`.
    StitchedRange,
}

/// Tells for each segment of `list` whether it is an advertisement by any of `marks`.
///
/// The mark that began a break is no longer listed once its segment is gone, so what the list before
/// told goes in as `before`, and what this one tells comes out for the next one of the same address. For
/// the first list of an address it is the default, which knows nothing; then the list itself tells what
/// it can: a break that ends or goes on in it without having begun in it was there from its start.
pub(crate) fn advertisements(
    list: &MediaPlaylist,
    marks: &[Mark],
    before: &Breaks,
) -> (Vec<bool>, Breaks) {
    let (in_breaks, breaks) = cues::in_breaks(list, marks, before);
    let in_ranges = ranges::in_ranges(list, marks);
    let by_title = marks.contains(&Mark::AmazonTitle);
    let flags = (list.segments.iter().zip(in_breaks).zip(in_ranges))
        .map(|((segment, cued), ranged)| cued || ranged || (by_title && is_titled(segment)))
        .collect();
    (flags, breaks)
}

/// Whether its title is that of an advertisement on Twitch.
fn is_titled(segment: &Segment) -> bool {
    segment.title.trim_start().starts_with("Amazon")
}

/// How long a segment is, in seconds, as far as its list tells.
fn seconds(list: &MediaPlaylist, segment: &Segment) -> f64 {
    // an absurd one must not carry everything after it beyond what a time can be
    segment.duration.or(list.target_duration).unwrap_or(0.0).min(3600.0)
}

/// How far before a break's end a segment of `duration` begins that still counts as after it: at most
/// half of it, so that a last piece of an advertisement, however short, lies within.
fn rounding(duration: f64) -> f64 {
    ROUNDING.min(duration / 2.0)
}

#[cfg(test)]
mod tests;
