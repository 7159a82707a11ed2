//! The walk over the candidates in order of start.

use std::sync::Arc;

use super::selection::Part;
use super::{HourListing, JOIN_TOLERANCE, Segment, Timestamp};

/// A walk on its way through the hours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    start: Timestamp,
    end: Timestamp,
    /// Where the segment ends that was accepted last.
    accepted_end: Option<Timestamp>,
}

impl Walk {
    pub(super) const fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end, accepted_end: None }
    }

    /// Whether no further segment can be accepted, whatever it is.
    pub(super) fn is_over(&self) -> bool {
        self.accepted_end.is_some_and(|accepted| accepted >= self.end)
    }

    /// What is accepted of an hour, `None` if that is nothing.
    pub(super) fn through(&mut self, listing: &Arc<HourListing>) -> Option<Part> {
        if self.takes_line(listing) {
            self.accepted_end = Some(last_of_line(listing)?.end());
            return Some(Part::whole_line(Arc::clone(listing)));
        }
        let mut accepted = Vec::new();
        for candidate in listing.candidates() {
            if candidate.start() >= self.end || self.is_over() {
                break;
            }
            if self.accepts(candidate) {
                self.accepted_end = Some(candidate.end());
                accepted.push(candidate.index());
            }
        }
        (!accepted.is_empty()).then(|| Part::new(Arc::clone(listing), accepted))
    }

    /// Whether it accepts the line of `listing`: it must accept the first segment, and the span
    /// must not end before the last.
    fn takes_line(&self, listing: &HourListing) -> bool {
        let line = listing.line();
        let (Some(first), Some(last)) = (line.first(), line.last()) else {
            return false;
        };
        self.accepted_end.is_some_and(|end| joins(end, listing.segment(*first)))
            && listing.line_end() < self.end
            && listing.segment(*last).start() < self.end
    }

    fn accepts(&self, candidate: Segment<'_>) -> bool {
        match self.accepted_end {
            None => candidate.start() > self.start || candidate.end() > self.start,
            Some(accepted) => joins(accepted, candidate),
        }
    }
}

/// Whether a segment may follow one that ends at `end`.
fn joins(end: Timestamp, segment: Segment<'_>) -> bool {
    segment.start() - end >= -JOIN_TOLERANCE
}

fn last_of_line(listing: &HourListing) -> Option<Segment<'_>> {
    listing.line().last().map(|index| listing.segment(*index))
}

/// What a walk accepts that begins with the hour and does not end in it.
pub(in crate::plan) fn line_of(listing: &HourListing) -> Box<[u32]> {
    let mut walk = Walk::new(Timestamp::MIN, Timestamp::MAX);
    let mut line = Vec::with_capacity(listing.len());
    for candidate in listing.candidates() {
        if walk.accepts(candidate) {
            walk.accepted_end = Some(candidate.end());
            line.push(candidate.index());
        }
    }
    line.into()
}
