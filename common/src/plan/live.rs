//! What a playlist that still grows has announced, and what it announces next.
//!
//! A player that reloads relies on what it read before, so a segment that was listed stays, and
//! nothing comes to lie between two that were (RFC 8216 §6.2.1). What is stored keeps no such
//! promise: a late segment fills a hole, a better file takes the place of a worse one. So the
//! announced line is kept, and only its end is chosen from what is stored. There, a hole is waited for
//! before anything behind it is announced. Pure: the clock is passed in.

use std::sync::Arc;

use chrono::TimeDelta;

use super::listing::{HourListing, Segment};
use super::select::{Part, best_segments, continue_after, hole_between};
use crate::base::time::{TimeRange, Timestamp};
use crate::format::segment::Completeness;

/// How far behind the newest segment a hole may still be filled before it is announced; and how long
/// by the clock, where nothing newer comes.
pub const PATIENCE: TimeDelta = TimeDelta::seconds(15);

/// How far a publisher's clock is ahead of ours without anybody's doubt.
const AHEAD: TimeDelta = TimeDelta::minutes(1);

/// The announced line of one playlist.
#[derive(Debug, Default)]
pub struct Announced {
    parts: Vec<Part>,
    /// How many segments were taken away at the front, all in all.
    removed: u64,
    /// The last segment that was taken away at the front.
    before: Option<Part>,
    /// The hole that is waited for, and since when.
    waiting: Option<(Timestamp, Timestamp)>,
}

/// What became of an announced line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// What was announced stays.
    All,
    /// A file in the middle was taken away, so the line is a new one.
    Nothing,
}

impl Announced {
    /// What was announced of each hour, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// How many segments were taken away at the front, all in all.
    pub const fn removed(&self) -> u64 {
        self.removed
    }

    /// The segment that was taken away last, which came right before the first one.
    pub fn before(&self) -> Option<Segment<'_>> {
        self.before.as_ref().map(Part::last)
    }

    /// The first instant after all that was announced.
    pub fn end(&self) -> Option<Timestamp> {
        self.parts.last().map(|part| part.last().end())
    }

    /// Announces what can be announced of `range` now that `hours` are stored, which must be in order
    /// and hold every hour that [`TimeRange::may_lie_in`] names. `now` is the time by the clock.
    ///
    /// The start of `range` counts for the first call only; then see [`Announced::forget_before`].
    pub fn advance(
        &mut self,
        hours: &[Arc<HourListing>],
        range: TimeRange,
        now: Timestamp,
    ) -> Kept {
        let kept = self.rebase(hours);
        let next = match self.parts.last() {
            Some(part) => continue_after(part.last(), hours, range.end()),
            None => best_segments(hours, range).into_parts(),
        };
        self.announce(next, now);
        kept
    }

    /// Takes away at the front what ends at or before `start`, but never all.
    pub fn forget_before(&mut self, start: Timestamp) {
        while let Some(part) = self.parts.first() {
            let gone = part.segments().take_while(|segment| segment.end() <= start).count();
            let is_all = gone == part.len();
            let gone = if is_all && self.parts.len() == 1 { gone - 1 } else { gone };
            if gone == 0 {
                return;
            }
            let (before, rest) = part.split_at(gone);
            self.removed += gone as u64;
            self.before = before;
            match rest {
                Some(rest) => {
                    self.parts[0] = rest;
                    return;
                }
                None => drop(self.parts.remove(0)),
            }
        }
    }

    /// Moves what was announced over to the listings of now. Hours that are gone at the front were
    /// taken away to make room.
    fn rebase(&mut self, hours: &[Arc<HourListing>]) -> Kept {
        let listing_of = |part: &Part| {
            let found = hours.binary_search_by_key(&part.listing().hour(), |hour| hour.hour());
            found.ok().map(|at| &hours[at]).filter(|listing| !listing.is_empty())
        };
        let is_gone = |part: &&Part| listing_of(part).is_none();
        let gone = self.parts.iter().take_while(is_gone).count();
        if gone == self.parts.len() {
            return self.begin_anew();
        }
        for part in self.parts.drain(..gone) {
            self.removed += part.len() as u64;
            self.before = Some(part);
        }
        for part in &mut self.parts {
            match listing_of(part).and_then(|listing| part.in_listing(listing)) {
                Some(moved) => *part = moved,
                None => return self.begin_anew(),
            }
        }
        Kept::All
    }

    fn begin_anew(&mut self) -> Kept {
        let announced: u64 = self.parts.drain(..).map(|part| part.len() as u64).sum();
        if announced == 0 {
            return Kept::All;
        }
        // numbers that were given away are not given to others
        self.removed += announced;
        self.before = None;
        Kept::Nothing
    }

    /// Appends `next` as far as nothing in it is to be waited for.
    fn announce(&mut self, next: Vec<Part>, now: Timestamp) {
        let Some(newest) = next.last().map(|part| part.last().end()) else {
            return;
        };
        let mut waits_for = None;
        for part in next {
            let mut previous = self.parts.last().map(Part::last);
            let mut ready = 0;
            for segment in part.segments() {
                waits_for = doubt(previous, segment).filter(|since| {
                    is_stray(segment, newest, now) || self.is_near(*since, newest, now)
                });
                if waits_for.is_some() {
                    break;
                }
                previous = Some(segment);
                ready += 1;
            }
            self.append(part.split_at(ready).0);
            if waits_for.is_some() {
                break;
            }
        }
        self.waiting = waits_for.map(|hole| match self.waiting {
            Some((known, since)) if known == hole => (known, since),
            _ => (hole, now),
        });
    }

    /// Whether what may still come at `instant` is worth waiting for.
    fn is_near(&self, instant: Timestamp, newest: Timestamp, now: Timestamp) -> bool {
        let waited = match self.waiting {
            Some((known, since)) if known == instant => now - since,
            _ => TimeDelta::zero(),
        };
        newest - instant <= PATIENCE && waited < PATIENCE
    }

    fn append(&mut self, part: Option<Part>) {
        let Some(part) = part else { return };
        match self.parts.last_mut() {
            Some(last) if last.listing().hour() == part.listing().hour() => last.extend(&part),
            _ => self.parts.push(part),
        }
    }
}

/// Whether `segment`, after a hole, may only have a wrong date: it lies in the future, and nothing
/// goes on from there. Announced, it would keep out everything that is still to come before it.
fn is_stray(segment: Segment<'_>, newest: Timestamp, now: Timestamp) -> bool {
    segment.start() - now > AHEAD && newest - segment.start() <= PATIENCE
}

/// From when on something better than `segment` after `previous` may still come, if it may.
fn doubt(previous: Option<Segment<'_>>, segment: Segment<'_>) -> Option<Timestamp> {
    let hole = previous.and_then(|previous| hole_between(previous, segment.start()));
    let damaged = segment.completeness() != Completeness::Full;
    hole.map(|hole| hole.start).or_else(|| damaged.then(|| segment.start()))
}

#[cfg(test)]
mod tests;
