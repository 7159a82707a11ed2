//! Which segments make up a span of time, and where it has holes: a pure function of listings.
//!
//! Every node and every implementation must choose alike, so the rules are a wire format; the
//! reasons are in `docs/STORAGE.md`.

use std::cmp::Reverse;

use chrono::TimeDelta;

use super::listing::{HourListing, StoredSegment};
use crate::base::time::{TimeRange, Timestamp};
use crate::format::segment::Completeness;

/// How far two neighbours may overlap or lie apart and still join.
pub const JOIN_TOLERANCE: TimeDelta = TimeDelta::milliseconds(10);

/// A part of a selection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Piece<'a> {
    /// A segment that is part of the span.
    Segment(&'a StoredSegment),
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

/// The best segments for a span, in order, with a hole wherever two neighbours do not join.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection<'a> {
    /// Segments and holes in order of time; never two holes in a row.
    pub pieces: Vec<Piece<'a>>,
}

impl<'a> Selection<'a> {
    /// The segments without the holes.
    pub fn segments(&self) -> impl Iterator<Item = &'a StoredSegment> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Segment(segment) => Some(*segment),
            Piece::Hole(_) => None,
        })
    }

    /// The holes without the segments.
    pub fn holes(&self) -> impl Iterator<Item = Hole> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Segment(_) => None,
            Piece::Hole(hole) => Some(*hole),
        })
    }

    /// Whether the last piece is a segment that reaches the end of the span.
    pub fn reaches_end(&self) -> bool {
        matches!(self.pieces.last(), Some(Piece::Segment(_)))
    }
}

/// Chooses the best segments for `range` from `hours`, which must be in order and hold every hour
/// that [`TimeRange::may_lie_in`] names, as far as it exists.
pub fn best_segments<'a>(
    hours: impl IntoIterator<Item = &'a HourListing>,
    range: TimeRange,
) -> Selection<'a> {
    walk(hours, range.start(), range.end())
}

fn walk<'a>(
    hours: impl IntoIterator<Item = &'a HourListing>,
    start: Timestamp,
    end: Timestamp,
) -> Selection<'a> {
    let mut walk = Walk { start, end, pieces: Vec::new(), previous: None };
    let candidates = hours
        .into_iter()
        .flat_map(|hour| hour.segments.chunk_by(|a, b| a.start == b.start))
        .filter_map(best_of_one_start);
    for candidate in candidates {
        if walk.is_over(candidate) {
            break;
        }
        walk.step(candidate);
    }
    walk.finish()
}

/// The one of several segments with the same start that counts.
fn best_of_one_start(rivals: &[StoredSegment]) -> Option<&StoredSegment> {
    rivals.iter().min_by(|a, b| {
        a.completeness.cmp(&b.completeness).then_with(|| match a.completeness {
            Completeness::Full => {
                let merit =
                    |s: &StoredSegment| Reverse((s.name.duration().micros(), s.size, s.hash));
                merit(a).cmp(&merit(b))
            }
            Completeness::Suspect | Completeness::Partial => {
                b.size.cmp(&a.size).then_with(|| a.file_name.cmp(&b.file_name))
            }
        })
    })
}

/// The walk over the candidates in order of start.
struct Walk<'a> {
    start: Timestamp,
    end: Timestamp,
    pieces: Vec<Piece<'a>>,
    /// The segment accepted last.
    previous: Option<&'a StoredSegment>,
}

impl<'a> Walk<'a> {
    fn is_over(&self, candidate: &StoredSegment) -> bool {
        candidate.start >= self.end
            || self.previous.is_some_and(|previous| previous.end() >= self.end)
    }

    fn step(&mut self, candidate: &'a StoredSegment) {
        match self.previous {
            None => {
                if candidate.start > self.start {
                    self.hole(self.start, candidate.start);
                } else if candidate.end() <= self.start {
                    return;
                }
            }
            Some(previous) => {
                let gap = candidate.start - previous.end();
                if gap < -JOIN_TOLERANCE {
                    return;
                }
                if previous.completeness != Completeness::Full {
                    self.hole(previous.start, candidate.start);
                } else if gap > JOIN_TOLERANCE {
                    self.hole(previous.end(), candidate.start);
                }
            }
        }
        self.pieces.push(Piece::Segment(candidate));
        self.previous = Some(candidate);
    }

    fn finish(mut self) -> Selection<'a> {
        match self.previous {
            None => self.hole(self.start, self.end),
            Some(last) if last.completeness != Completeness::Full => {
                self.hole(last.start, self.end);
            }
            Some(last) if last.end() < self.end => self.hole(last.end(), self.end),
            Some(_) => {}
        }
        Selection { pieces: self.pieces }
    }

    fn hole(&mut self, start: Timestamp, end: Timestamp) {
        self.pieces.push(Piece::Hole(Hole { start, end }));
    }
}

#[cfg(test)]
mod tests;
