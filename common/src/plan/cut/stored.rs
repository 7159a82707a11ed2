//! The segments of a range one by one, and those beside it.

use std::sync::Arc;

use super::PlannedRange;
use crate::base::time::{Hour, TimeRange, Timestamp};
use crate::plan::listing::{HourListing, Segment};
use crate::plan::select::{JOIN_TOLERANCE, Selection, best_segments, hole_between};

/// How far from a range segments beside it are looked for, in microseconds. Decoding may have to begin there, and sound
/// may be there that is heard with the range's pictures.
const BESIDE_MICROS: i64 = 30_000_000;

/// A segment to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSegment {
    /// The hour whose folder holds it.
    pub hour: Hour,
    /// Its file's name.
    pub file_name: String,
    /// When it starts.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// Whether it joins the one before it.
    pub joins: bool,
}

impl StoredSegment {
    fn new(segment: Segment<'_>, before: Option<Segment<'_>>) -> Self {
        let joins = |before| hole_between(before, segment.start()).is_none();
        Self {
            hour: segment.hour(),
            file_name: segment.file_name(),
            start: segment.start(),
            end: segment.end(),
            joins: before.is_some_and(joins),
        }
    }
}

/// The segments that join a range's first and last one, as they would be selected there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Those before it, the nearest first.
    pub before: Vec<StoredSegment>,
    /// The next one.
    pub behind: Option<StoredSegment>,
}

impl PlannedRange {
    /// The segments of the range, in order.
    pub fn into_segments(self) -> impl Iterator<Item = StoredSegment> + Send + 'static {
        let mut last: Option<(Arc<HourListing>, u32)> = None;
        let parts = self.selection.into_parts().into_iter();
        let picks = parts.flat_map(|part| {
            let listing = Arc::clone(part.listing());
            let picks = part.picks().to_vec();
            picks.into_iter().map(move |pick| (Arc::clone(&listing), pick))
        });
        picks.map(move |(listing, pick)| {
            let before = last.as_ref().map(|(listing, pick)| listing.segment(*pick));
            let stored = StoredSegment::new(listing.segment(pick), before);
            last = Some((listing, pick));
            stored
        })
    }
}

impl Beside {
    /// What lies beside `selection`, which was made for `range`, in `hours`, which are its feed's, in order.
    pub(super) fn of(selection: &Selection, range: TimeRange, hours: &[Arc<HourListing>]) -> Self {
        let within = |start, end| {
            let range = TimeRange::new(start, end)?;
            let near = hours.iter().filter(|listing| range.may_lie_in(listing.hour()));
            Some(best_segments(near, range))
        };
        let mut beside = Self::default();
        let parts = selection.parts().first().zip(selection.parts().last());
        let Some((first, last)) = parts.map(|(first, last)| (first.first(), last.last())) else {
            return beside;
        };
        let earlier = (first.start() <= range.start())
            .then(|| within(after(first.start(), -BESIDE_MICROS), first.start()));
        if let Some(earlier) = earlier.flatten() {
            let mut behind = first;
            let segments: Vec<Segment<'_>> = earlier.segments().collect();
            for segment in segments.into_iter().rev() {
                if !joins(segment, behind) {
                    break;
                }
                beside
                    .before
                    .push(StoredSegment { joins: true, ..StoredSegment::new(segment, None) });
                behind = segment;
            }
        }
        let later = (last.end() >= range.end())
            .then(|| within(last.end(), after(last.end(), BESIDE_MICROS)));
        if let Some(later) = later.flatten() {
            let next = later.segments().next().filter(|next| joins(last, *next));
            beside.behind = next.map(|next| StoredSegment::new(next, Some(last)));
        }
        beside
    }
}

/// Whether `next` begins where `segment` ends.
fn joins(segment: Segment<'_>, next: Segment<'_>) -> bool {
    segment.end() - next.start() <= JOIN_TOLERANCE && hole_between(segment, next.start()).is_none()
}

/// `range` with what may lie beside it.
pub fn with_beside(range: TimeRange) -> TimeRange {
    let (start, end) = (after(range.start(), -BESIDE_MICROS), after(range.end(), BESIDE_MICROS));
    TimeRange::new(start, end).unwrap_or(range)
}

fn after(time: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(time.micros().saturating_add(micros))
}
