//! The walk over the candidates in order of start.

use std::sync::Arc;

use super::selection::Part;
use super::{Hole, HourListing, JOIN_TOLERANCE_MICROS, Segment, Timestamp};
use crate::format::segment::Completeness;
use crate::plan::listing::Line;

/// A walk on its way through the hours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    start: Timestamp,
    end: Timestamp,
    accepted: Option<Accepted>,
}

/// The segment that was accepted last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted {
    start: Timestamp,
    end: Timestamp,
    is_full: bool,
}

impl Accepted {
    pub(super) fn new(segment: Segment<'_>) -> Self {
        let is_full = segment.completeness() == Completeness::Full;
        Self { start: segment.start(), end: segment.end(), is_full }
    }

    /// Whether `next` may follow. One of no length would otherwise follow itself.
    fn may_precede(self, next: Self) -> bool {
        self.micros_to(next.start) >= -JOIN_TOLERANCE_MICROS && next.start > self.start
    }

    /// The hole between it and what follows at `next`, unless they join.
    pub(super) fn hole_before(self, next: Timestamp) -> Option<Hole> {
        if !self.is_full {
            Some(Hole { start: self.start, end: next })
        } else if self.micros_to(next) > JOIN_TOLERANCE_MICROS {
            Some(Hole { start: self.end, end: next })
        } else {
            None
        }
    }

    fn micros_to(self, next: Timestamp) -> i64 {
        next.micros() - self.end.micros()
    }
}

impl Walk {
    pub(super) const fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end, accepted: None }
    }

    /// A walk that has just accepted `last`.
    pub(super) fn after(last: Segment<'_>, end: Timestamp) -> Self {
        Self { start: last.start(), end, accepted: Some(Accepted::new(last)) }
    }

    /// Whether no further segment can be accepted, whatever it is.
    pub(super) fn is_over(&self) -> bool {
        self.accepted.is_some_and(|accepted| accepted.end >= self.end)
    }

    /// What is accepted of an hour, `None` if that is nothing.
    pub(super) fn through(&mut self, listing: &Arc<HourListing>) -> Option<Part> {
        if self.takes_line(listing) {
            let part = Part::whole_line(Arc::clone(listing));
            self.accepted = Some(Accepted::new(part.last()));
            return Some(part);
        }
        let mut picks = Vec::new();
        for candidate in listing.candidates() {
            if candidate.start() >= self.end || self.is_over() {
                break;
            }
            if self.takes(Accepted::new(candidate)) {
                picks.push(candidate.index());
            }
        }
        (!picks.is_empty()).then(|| Part::new(Arc::clone(listing), picks))
    }

    /// Whether it accepts the line of `listing`: it must accept the first segment, and the span
    /// must not end before the last.
    fn takes_line(&self, listing: &HourListing) -> bool {
        let line = listing.line();
        let (Some(first), Some(last)) = (line.picks.first(), line.picks.last()) else {
            return false;
        };
        let first = Accepted::new(listing.segment(*first));
        self.accepted.is_some_and(|accepted| accepted.may_precede(first))
            && line.end < self.end
            && listing.segment(*last).start() < self.end
    }

    /// Accepts `candidate` if it may.
    fn takes(&mut self, candidate: Accepted) -> bool {
        let accepts = match self.accepted {
            None => candidate.start > self.start || candidate.end > self.start,
            Some(accepted) => accepted.may_precede(candidate),
        };
        if accepts {
            self.accepted = Some(candidate);
        }
        accepts
    }
}

/// What a walk accepts that begins with the hour and does not end in it.
pub(in crate::plan) fn line_of(listing: &HourListing) -> Line {
    let mut walk = Walk::new(Timestamp::MIN, Timestamp::MAX);
    let mut line = Line::none(listing.hour());
    let mut picks = Vec::with_capacity(listing.len());
    for segment in listing.candidates() {
        let (last, candidate) = (walk.accepted, Accepted::new(segment));
        if !walk.takes(candidate) {
            continue;
        }
        let hole = last.and_then(|last| last.hole_before(candidate.start));
        line.is_whole &= hole.is_none();
        line.end = line.end.max(candidate.end);
        line.longest = line.longest.max(segment.duration());
        picks.push(segment.index());
    }
    line.picks = picks.into();
    line
}
