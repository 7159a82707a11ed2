//! When the segments of a list begin. Pure.
//!
//! The publisher's clock (EXT-X-PROGRAM-DATE-TIME) counts where it is given; between dates, time is
//! carried on by durations, forwards and else backwards (RFC 8216 §6.3.3). A list without any date
//! is placed by its arrival: the last segment is taken to end when it was first seen.

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::hls::Segment;
use common::format::segment::MediaDuration;

use crate::rhythm::is_plausible;

/// Dates before the year 2000 are those of encoders that do not know the time.
const EARLIEST_MICROS: i64 = 946_684_800_000_000;
/// A date further ahead than a wrong time zone explains is a mistake; believed, it would be the newest
/// there is for years.
const FURTHEST_AHEAD: TimeDelta = TimeDelta::hours(24);

/// How a start was found; better ones compare less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// The list dates this very segment.
    Stated,
    /// By durations from a segment that has a date.
    Carried,
    /// From when the end of the list was seen, and so only roughly.
    Arrival,
}

/// Where a segment lies in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) start: Timestamp,
    pub(super) duration: MediaDuration,
    pub(super) origin: Origin,
}

impl Place {
    pub(super) fn end(&self) -> Timestamp {
        self.start + self.duration.delta()
    }
}

/// What is known of a segment before it is placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) stated: Option<Timestamp>,
    pub(super) duration: MediaDuration,
    /// Where it was placed before, which it keeps.
    pub(super) placed: Option<Place>,
}

/// The date that a list gives a segment, if that can be one.
pub(super) fn stated(segment: &Segment) -> Option<Timestamp> {
    segment.program_date_time.filter(|time| time.micros() >= EARLIEST_MICROS)
}

/// The date that a list gives a segment, if that can be one for a list that came at `now`.
pub(super) fn believed(segment: &Segment, now: Timestamp) -> Option<Timestamp> {
    stated(segment).filter(|time| *time <= now + FURTHEST_AHEAD)
}

/// How long a segment lasts, and whether the list says so. EXTINF counts unless it is far from what
/// the list promises; then the next date decides, and else the target duration (in seconds).
pub(super) fn duration(
    segment: &Segment,
    next: Option<&Segment>,
    target: Option<f64>,
) -> (MediaDuration, bool) {
    let extinf = segment.duration.filter(|seconds| is_plausible(*seconds, target));
    let extinf = extinf.and_then(MediaDuration::from_seconds);
    if let Some(extinf) = extinf {
        return (extinf, true);
    }
    let by_dates = || {
        let micros = (stated(next?)? - stated(segment)?).num_microseconds()?;
        #[expect(clippy::cast_precision_loss, reason = "checked to be at most an hour")]
        MediaDuration::from_seconds(micros as f64 / 1e6).filter(|duration| duration.micros() > 0)
    };
    let guess = by_dates().or_else(|| target.and_then(MediaDuration::from_seconds));
    (guess.unwrap_or(MediaDuration::ZERO), false)
}

/// Places all segments of a list. `before` is the place of the segment before the first one, if that
/// is known; `slack` is how far a list that was placed by arrival may be off before it is placed anew.
pub(super) fn place(
    slots: &[Slot],
    before: Option<Place>,
    now: Timestamp,
    slack: TimeDelta,
) -> Vec<Place> {
    let mut places: Vec<Option<Place>> = slots.iter().map(at_once).collect();
    let mut previous = before;
    for (slot, place) in slots.iter().zip(&mut places) {
        *place = place.or_else(|| previous.map(|previous| after(&previous, slot.duration)));
        previous = *place;
    }
    let mut next: Option<Place> = None;
    for (slot, place) in slots.iter().zip(&mut places).rev() {
        *place = place.or_else(|| next.map(|next| ahead_of(&next, slot.duration)));
        next = *place;
    }
    let last = places.last().copied().flatten();
    let drifted = |last: Place| (last.end() - now).abs() > slack;
    match last {
        Some(last) if last.origin != Origin::Arrival || !drifted(last) => {}
        _ => by_arrival(slots, &mut places, now),
    }
    places.into_iter().flatten().collect()
}

fn at_once(slot: &Slot) -> Option<Place> {
    let Slot { stated, duration, placed } = *slot;
    placed.or_else(|| stated.map(|start| Place { start, duration, origin: Origin::Stated }))
}

fn after(previous: &Place, duration: MediaDuration) -> Place {
    let origin = previous.origin.max(Origin::Carried);
    Place { start: previous.end(), duration, origin }
}

fn ahead_of(next: &Place, duration: MediaDuration) -> Place {
    let origin = next.origin.max(Origin::Carried);
    Place { start: next.start - duration.delta(), duration, origin }
}

/// Places the segments that have no better place so that the last one ends now, but none before
/// the end of one that was placed earlier.
fn by_arrival(slots: &[Slot], places: &mut [Option<Place>], now: Timestamp) {
    let mut end = now;
    let mut first_moved = slots.len();
    for (index, slot) in slots.iter().enumerate().rev() {
        let settled = places[index].is_some_and(|place| place.origin != Origin::Arrival);
        if slot.placed.is_some() || settled {
            break;
        }
        let duration = slot.duration;
        let start = end - duration.delta();
        places[index] = Some(Place { start, duration, origin: Origin::Arrival });
        (end, first_moved) = (start, index);
    }
    let earlier = first_moved.checked_sub(1).and_then(|index| places[index]);
    let Some(overlap) = earlier.map(|place| place.end() - end) else { return };
    if overlap > TimeDelta::zero() {
        for place in places[first_moved..].iter_mut().flatten() {
            place.start = place.start + overlap;
        }
    }
}

#[cfg(test)]
mod tests;
