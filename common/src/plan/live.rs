//! What a playlist that still grows has announced, and what it announces next.
//!
//! A player that reloads relies on what it read before, so a segment that was listed stays, and
//! nothing comes to lie between two that were (RFC 8216 §6.2.1). What is stored keeps no such
//! promise: a late segment fills a hole, a better file takes the place of a worse one, a file is
//! hidden or deleted. So the announced line is kept, and only its end is chosen from what is stored.
//! There, a hole is waited for before anything behind it is announced. What was announced and is
//! stored no longer keeps its place as a gap until it is at the front. Pure: the clock is passed in.

use std::sync::Arc;

use chrono::TimeDelta;

use super::listing::{HourListing, Segment};
use super::select::{Part, best_segments, continue_after, hole_between};
use crate::base::time::{Hour, TimeRange, Timestamp};
use crate::format::segment::Completeness;

mod moved;

use moved::moved;

/// How far behind the newest segment a hole may still be filled before it is announced; and how long
/// by the clock, where nothing newer comes.
pub const PATIENCE: TimeDelta = TimeDelta::seconds(15);

/// How far a publisher's clock may be behind ours.
const BEHIND: TimeDelta = TimeDelta::minutes(5);

/// The announced line of one playlist.
#[derive(Debug, Default)]
pub struct Announced {
    /// In order; of one hour several, where some of its segments are gaps.
    parts: Vec<Part>,
    /// The starts of those segments that are stored no longer, in order.
    gaps: Vec<Timestamp>,
    /// How many segments were taken away at the front, all in all.
    removed: u64,
    /// The last segment that was taken away at the front.
    before: Option<Part>,
    /// The hole that is waited for, and since when.
    waiting: Option<(Timestamp, Timestamp)>,
}

impl Announced {
    /// What was announced, in order. Segments that are stored no longer are in parts of their own.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The starts of those segments that are stored no longer, in order. The first segment of all is
    /// none of them, unless it is the only one.
    pub fn gaps(&self) -> &[Timestamp] {
        &self.gaps
    }

    /// The hours of what was announced, each at least once.
    pub fn hours(&self) -> impl Iterator<Item = Hour> {
        self.parts.iter().map(|part| part.listing().hour())
    }

    /// How many segments were taken away at the front, all in all: the number of the first one.
    pub const fn removed(&self) -> u64 {
        self.removed
    }

    /// The segment that was taken away last, which came right before the first one; `None` where the
    /// first one begins the line, or begins it anew.
    pub fn before(&self) -> Option<Segment<'_>> {
        self.before.as_ref().map(Part::last)
    }

    /// The first instant after all that was announced.
    pub fn end(&self) -> Option<Timestamp> {
        self.parts.last().map(|part| part.last().end())
    }

    /// Announces what can be announced of `range` now that `hours` are stored, which must be in order
    /// and hold every hour that [`TimeRange::may_lie_in`] or [`Self::hours`] names. `now` is the time
    /// by the clock.
    ///
    /// The start of `range` counts while nothing was announced; then see [`Self::forget_before`].
    pub fn advance(
        &mut self,
        hours: &[Arc<HourListing>],
        range: Option<TimeRange>,
        now: Timestamp,
    ) {
        self.rebase(hours);
        let next = match (range, self.parts.last()) {
            (Some(range), Some(part)) => continue_after(part.last(), hours, range.end()),
            (Some(range), None) => best_segments(hours, range).into_parts(),
            (None, _) => Vec::new(),
        };
        self.announce(&next, now);
        self.forget_before(Timestamp::MIN);
    }

    /// Takes away at the front what ends at or before `start`, and gaps, but never all: what comes
    /// next goes on from the last one.
    pub fn forget_before(&mut self, start: Timestamp) {
        while let Some(part) = self.parts.first() {
            let gone = if self.is_gap(part) {
                part.len()
            } else {
                part.segments().take_while(|segment| segment.end() <= start).count()
            };
            let (is_all, is_last) = (gone == part.len(), self.parts.len() == 1);
            self.take_away(if is_all && is_last { gone - 1 } else { gone });
            if !is_all || is_last {
                break;
            }
        }
        let first = self.parts.first().map(|part| part.first().start());
        self.gaps.retain(|gap| first.is_some_and(|first| *gap >= first));
    }

    /// Whether all that was announced lies at or after `end`.
    pub fn begins_after(&self, end: Timestamp) -> bool {
        self.parts.first().is_some_and(|part| part.first().start() >= end)
    }

    /// Takes away all that was announced. Its numbers are not given to others.
    pub fn begin_anew(&mut self) {
        let announced: u64 = self.parts.iter().map(|part| part.len() as u64).sum();
        *self = Self { removed: self.removed + announced, ..Self::default() };
    }

    /// Takes away the first `count` segments of the first part.
    fn take_away(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let (before, rest) = self.parts[0].split_at(count);
        self.removed += count as u64;
        self.before = before;
        match rest {
            Some(rest) => self.parts[0] = rest,
            None => drop(self.parts.remove(0)),
        }
    }

    /// Whether the segments of `part` are stored no longer.
    fn is_gap(&self, part: &Part) -> bool {
        self.gaps.binary_search(&part.first().start()).is_ok()
    }

    /// Moves what was announced over to the listings of now.
    fn rebase(&mut self, hours: &[Arc<HourListing>]) {
        let parts = std::mem::take(&mut self.parts);
        self.gaps.clear();
        for announced in parts.chunk_by(|a, b| a.listing().hour() == b.listing().hour()) {
            let hour = announced[0].listing().hour();
            let found = hours.binary_search_by_key(&hour, |listing| listing.hour()).ok();
            let stored = found.map(|at| &hours[at]);
            for part in moved(announced, stored) {
                if stored.is_none_or(|stored| !Arc::ptr_eq(part.listing(), stored)) {
                    self.gaps.extend(part.segments().map(Segment::start));
                }
                self.parts.push(part);
            }
        }
    }

    /// Appends `next` as far as nothing in it is to be waited for.
    fn announce(&mut self, next: &[Part], now: Timestamp) {
        let Some(newest) = next.last().map(|part| part.last().end()) else {
            return;
        };
        let mut waits_for = None;
        for (index, part) in next.iter().enumerate() {
            let mut previous = self.parts.last().map(Part::last);
            let mut ready = 0;
            for segment in part.segments() {
                waits_for = doubt(previous, segment).filter(|since| {
                    let is_near = newest - *since <= PATIENCE;
                    match may_be_stray(segment, &next[index..], now) {
                        Stray::Ahead => true,
                        Stray::Recent => self.waited_for(*since, now) < PATIENCE,
                        Stray::No => is_near && self.waited_for(*since, now) < PATIENCE,
                    }
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

    /// How long what may still come at `instant` was waited for.
    fn waited_for(&self, instant: Timestamp, now: Timestamp) -> TimeDelta {
        match self.waiting {
            Some((known, since)) if known == instant => now - since,
            _ => TimeDelta::zero(),
        }
    }

    fn append(&mut self, part: Option<Part>) {
        let Some(part) = part else { return };
        match self.parts.last_mut() {
            Some(last) if Arc::ptr_eq(last.listing(), part.listing()) => last.extend(&part),
            _ => self.parts.push(part),
        }
    }
}

/// Whether a segment after a hole may only have a wrong date. Announced, it would keep out everything
/// that is still to come before it.
enum Stray {
    /// It lies in the future, and hardly anything comes after it. A publisher whose clock is ahead
    /// goes on.
    Ahead,
    /// A few seconds lie alone, no longer ago than the publisher's clock may be behind. What is being
    /// recorded before them moves the hole on, so that they are waited for ever anew.
    Recent,
    /// It does not look like it.
    No,
}

/// What `segment`, one of `next`, may be after a hole.
fn may_be_stray(segment: Segment<'_>, next: &[Part], now: Timestamp) -> Stray {
    if now - segment.start() > BEHIND {
        return Stray::No;
    }
    let later = next.iter().flat_map(Part::segments);
    let mut length = TimeDelta::zero();
    for segment in later.skip_while(|other| other.start() < segment.start()) {
        length += segment.end() - segment.start();
        if length > PATIENCE {
            return Stray::No;
        }
    }
    if segment.start() > now {
        Stray::Ahead
    } else if length <= PATIENCE / 2 {
        Stray::Recent
    } else {
        Stray::No
    }
}

/// From when on something better than `segment` after `previous` may still come, if it may.
fn doubt(previous: Option<Segment<'_>>, segment: Segment<'_>) -> Option<Timestamp> {
    let hole = previous.and_then(|previous| hole_between(previous, segment.start()));
    let damaged = segment.completeness() != Completeness::Full;
    hole.map(|hole| hole.start).or_else(|| damaged.then(|| segment.start()))
}

#[cfg(test)]
mod tests;
