//! What was selected.

use std::sync::Arc;

use crate::base::digest::Digest;
use crate::format::segment::MediaDuration;

use super::{Hole, HourListing, Piece, Segment, Timestamp, hole_between};

/// The best segments for a span, in order, with a hole wherever two neighbours do not join.
///
/// It holds on to the listings, and takes memory of its own only where less than an hour's line
/// was selected.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    start: Timestamp,
    end: Timestamp,
    parts: Vec<Part>,
}

impl Selection {
    /// `parts` must be in order and of different hours.
    pub(super) const fn new(start: Timestamp, end: Timestamp, parts: Vec<Part>) -> Self {
        Self { start, end, parts }
    }

    /// What was selected of each hour, in order; never nothing.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What was selected of each hour.
    pub fn into_parts(self) -> Vec<Part> {
        self.parts
    }

    /// How many segments were selected.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The segments without the holes.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.parts.iter().flat_map(Part::segments)
    }

    /// Segments and holes in order of time; never two holes in a row.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut previous = None;
        let inner = self.segments().flat_map(move |segment| {
            let hole = match previous.replace(segment) {
                None => (segment.start() > self.start)
                    .then_some(Hole { start: self.start, end: segment.start() }),
                Some(previous) => hole_between(previous, segment.start()),
            };
            hole.map(Piece::Hole).into_iter().chain([Piece::Segment(segment)])
        });
        inner.chain(self.hole_at_end().map(Piece::Hole))
    }

    /// The holes without the segments.
    pub fn holes(&self) -> impl Iterator<Item = Hole> {
        self.pieces().filter_map(|piece| match piece {
            Piece::Segment(_) => None,
            Piece::Hole(hole) => Some(hole),
        })
    }

    /// Whether the last piece is a segment that reaches the end of the span.
    pub fn reaches_end(&self) -> bool {
        self.hole_at_end().is_none()
    }

    /// Whether there is no hole at all.
    pub fn is_whole(&self) -> bool {
        let begins = self.parts.first().is_some_and(|part| part.first().start() <= self.start);
        let joined = self.parts.windows(2).all(|parts| match parts {
            [a, b] => hole_between(a.last(), b.first().start()).is_none(),
            _ => true,
        });
        begins && joined && self.parts.iter().all(Part::is_whole) && self.reaches_end()
    }

    fn hole_at_end(&self) -> Option<Hole> {
        let Some(last) = self.parts.last().map(Part::last) else {
            return Some(Hole { start: self.start, end: self.end });
        };
        match hole_between(last, self.end) {
            None if last.end() < self.end => Some(Hole { start: last.end(), end: self.end }),
            hole => hole,
        }
    }
}

/// What was selected of one hour: at least one segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    listing: Arc<HourListing>,
    picks: Picks,
}

#[derive(Clone, Debug, PartialEq)]
enum Picks {
    WholeLine,
    Some(Box<[u32]>),
}

impl Part {
    /// The line of `listing`, which must not be empty.
    pub(super) fn whole_line(listing: Arc<HourListing>) -> Self {
        debug_assert!(!listing.line().picks.is_empty(), "a part is never empty");
        Self { listing, picks: Picks::WholeLine }
    }

    /// The segments of `listing` with these numbers, at least one, in order.
    pub(in crate::plan) fn new(listing: Arc<HourListing>, picks: Vec<u32>) -> Self {
        debug_assert!(!picks.is_empty(), "a part is never empty");
        if *picks == *listing.line().picks {
            return Self::whole_line(listing);
        }
        Self { listing, picks: Picks::Some(picks.into()) }
    }

    /// The hour's listing.
    pub const fn listing(&self) -> &Arc<HourListing> {
        &self.listing
    }

    /// The numbers of the segments selected, in order.
    pub fn picks(&self) -> &[u32] {
        match &self.picks {
            Picks::WholeLine => &self.listing.line().picks,
            Picks::Some(picks) => picks,
        }
    }

    /// A number that differs, but for very bad luck, where the segments do; the same in every process.
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        digest.mix(self.listing.digest());
        match &self.picks {
            Picks::WholeLine => digest.mix(u64::MAX),
            Picks::Some(picks) => picks.iter().for_each(|pick| digest.mix(u64::from(*pick))),
        }
        digest.finish()
    }

    /// The first `count` segments and the others, each if there are any.
    pub fn split_at(&self, count: usize) -> (Option<Self>, Option<Self>) {
        let (first, rest) = self.picks().split_at(count);
        let part = |picks: &[u32]| {
            (!picks.is_empty()).then(|| Self::new(Arc::clone(&self.listing), picks.to_vec()))
        };
        (part(first), part(rest))
    }

    /// Appends `later` segments, which must be of the same listing.
    pub(in crate::plan) fn extend(&mut self, later: &Self) {
        debug_assert!(Arc::ptr_eq(&self.listing, &later.listing), "numbers mean nothing elsewhere");
        let picks = [self.picks(), later.picks()].concat();
        *self = Self::new(Arc::clone(&self.listing), picks);
    }

    /// How many segments were selected, at least one.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.picks().len()
    }

    /// The segments selected, in order.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.picks().iter().map(|index| self.listing.segment(*index))
    }

    /// Whether no hole lies between any two of its segments.
    fn is_whole(&self) -> bool {
        match &self.picks {
            Picks::WholeLine => self.listing.line().is_whole,
            Picks::Some(_) => {
                let followers = self.segments().skip(1);
                let mut pairs = self.segments().zip(followers);
                pairs.all(|(last, next)| hole_between(last, next.start()).is_none())
            }
        }
    }

    /// How long the longest segment selected is.
    pub fn longest(&self) -> MediaDuration {
        match &self.picks {
            Picks::WholeLine => self.listing.line().longest,
            Picks::Some(_) => {
                let lengths = self.segments().map(Segment::duration);
                lengths.fold(MediaDuration::ZERO, MediaDuration::max)
            }
        }
    }

    /// The latest end of a segment selected.
    pub fn end(&self) -> Timestamp {
        match &self.picks {
            Picks::WholeLine => self.listing.line().end,
            Picks::Some(_) => {
                self.segments().map(Segment::end).max().expect("a part is never empty")
            }
        }
    }

    /// The first segment selected.
    pub fn first(&self) -> Segment<'_> {
        self.listing.segment(*self.picks().first().expect("a part is never empty"))
    }

    /// The last segment selected.
    pub fn last(&self) -> Segment<'_> {
        self.listing.segment(*self.picks().last().expect("a part is never empty"))
    }
}
