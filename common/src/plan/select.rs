//! Which segments make up a span of time, and where it has holes: a pure function of listings.
//!
//! Every node and every implementation must choose alike, so the rules are a wire format; the
//! reasons are in `docs/STORAGE.md`.
//!
//! What a walk accepts depends only on where the segment ends that it accepted last. Each listing
//! therefore knows its *line*, what a walk accepts that begins with the hour. A walk that comes in
//! from the hour before and accepts the line's first segment accepts the line, so that selecting a
//! week looks at the segments of its first and last hours only.

use std::sync::Arc;

use chrono::TimeDelta;

use super::listing::{HourListing, Segment};
use crate::base::time::{TimeRange, Timestamp};

mod selection;
mod walk;

pub use selection::{Part, Selection};
pub(super) use walk::line_of;

/// How far two neighbours may overlap or lie apart and still join.
pub const JOIN_TOLERANCE: TimeDelta = TimeDelta::microseconds(JOIN_TOLERANCE_MICROS);

const JOIN_TOLERANCE_MICROS: i64 = 10_000;

/// A part of a selection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Piece<'a> {
    /// A segment that is part of the span.
    Segment(Segment<'a>),
    /// A span without full segments.
    Hole(Hole),
}

/// From where full cover ends to where the next piece or the end of the span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The first instant that is not covered in full.
    pub start: Timestamp,
    /// The first instant after the hole.
    pub end: Timestamp,
}

/// Chooses the best segments for `range` from `hours`, which must be in order and hold every hour
/// that [`TimeRange::may_lie_in`] names, as far as it exists.
pub fn best_segments<'a>(
    hours: impl IntoIterator<Item = &'a Arc<HourListing>>,
    range: TimeRange,
) -> Selection {
    select(hours, range.start(), range.end())
}

/// As [`best_segments`], for any two instants.
fn select<'a>(
    hours: impl IntoIterator<Item = &'a Arc<HourListing>>,
    start: Timestamp,
    end: Timestamp,
) -> Selection {
    let mut walk = walk::Walk::new(start, end);
    let mut parts = Vec::new();
    for listing in hours {
        if walk.is_over() {
            break;
        }
        parts.extend(walk.through(listing));
    }
    Selection::new(start, end, parts)
}

/// What a selection for `range` goes on with in `hours` after it accepted `last`, which need not be
/// of any of them. Hours before that of `last` are passed over.
pub fn continue_after<'a>(
    last: Segment<'_>,
    hours: impl IntoIterator<Item = &'a Arc<HourListing>>,
    end: Timestamp,
) -> Vec<Part> {
    let mut walk = walk::Walk::after(last, end);
    let mut parts = Vec::new();
    for listing in hours.into_iter().filter(|listing| listing.hour() >= last.hour()) {
        if walk.is_over() {
            break;
        }
        parts.extend(walk.through(listing));
    }
    parts
}

/// The hole between a segment and what follows it at `next`, unless they join.
pub fn hole_between(segment: Segment<'_>, next: Timestamp) -> Option<Hole> {
    walk::Accepted::new(segment).hole_before(next)
}

#[cfg(test)]
mod tests;
