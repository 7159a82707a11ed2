//! The walk over the candidates in order of start.

use std::sync::Arc;

use super::selection::Part;
use super::{HourListing, JOIN_TOLERANCE, Segment, Timestamp};

/// A walk on its way through the hours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    start: Timestamp,
    end: Timestamp,
    accepted: Option<Accepted>,
}

/// The segment that was accepted last.
#[derive(Clone, Copy, Debug)]
struct Accepted {
    start: Timestamp,
    end: Timestamp,
}

impl Accepted {
    fn new(segment: Segment<'_>) -> Self {
        Self { start: segment.start(), end: segment.end() }
    }

    /// Whether `next` may follow. One of no length would otherwise follow itself.
    fn may_precede(self, next: Segment<'_>) -> bool {
        next.start() - self.end >= -JOIN_TOLERANCE && next.start() > self.start
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
            if self.accepts(candidate) {
                self.accepted = Some(Accepted::new(candidate));
                picks.push(candidate.index());
            }
        }
        (!picks.is_empty()).then(|| Part::new(Arc::clone(listing), picks))
    }

    /// Whether it accepts the line of `listing`: it must accept the first segment, and the span
    /// must not end before the last.
    fn takes_line(&self, listing: &HourListing) -> bool {
        let line = listing.line();
        let (Some(first), Some(last)) = (line.first(), line.last()) else {
            return false;
        };
        self.accepted.is_some_and(|accepted| accepted.may_precede(listing.segment(*first)))
            && listing.line_end() < self.end
            && listing.segment(*last).start() < self.end
    }

    fn accepts(&self, candidate: Segment<'_>) -> bool {
        match self.accepted {
            None => candidate.start() > self.start || candidate.end() > self.start,
            Some(accepted) => accepted.may_precede(candidate),
        }
    }
}

/// What a walk accepts that begins with the hour and does not end in it.
pub(in crate::plan) fn line_of(listing: &HourListing) -> Box<[u32]> {
    let mut walk = Walk::new(Timestamp::MIN, Timestamp::MAX);
    let mut line = Vec::with_capacity(listing.len());
    for candidate in listing.candidates() {
        if walk.accepts(candidate) {
            walk.accepted = Some(Accepted::new(candidate));
            line.push(candidate.index());
        }
    }
    line.into()
}
