//! What people are told: segments given up, and what lies between one segment and the next (holes,
//! jumps, announced discontinuities). Pure.

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::hls::Segment;
use common::io::store::notes::Why;
use tokio::time::Instant;

use super::entry::{Entry, Settling};
use super::numbering::Relation;
use super::timeline::{Origin, Place};
use super::{Event, JobId};

/// Neighbours that join within this are normal.
const TOLERANCE: TimeDelta = TimeDelta::milliseconds(10);
/// How many segments may appear beyond what the elapsed time explains before numbers were skipped.
const SPARE_SEGMENTS: f64 = 3.0;

/// The end of what was seen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Edge {
    /// The newest segment that was passed.
    passed: Option<(JobId, Place)>,
    /// The latest end of any.
    until: Option<Timestamp>,
    /// Why there is a jump before the segments to come, if there is one.
    jump: Option<Why>,
    /// What kept us from following, since the last segment.
    interruption: Option<Why>,
    /// When a list was last seen, its last number, and the mean duration of its segments in seconds.
    last_list: Option<(Instant, u64, f64)>,
}

impl Edge {
    pub(super) fn interrupted(&mut self, why: Why) {
        self.interruption = Some(why);
    }

    /// Takes in a list that is not empty, before its segments.
    pub(super) fn note_list(
        &mut self,
        relation: Relation,
        listed: &[(u64, &Segment)],
        now: Instant,
    ) {
        let last = listed.last().map_or(0, |(number, _)| *number);
        if let (Relation::Jumps { .. }, Some((before, highest, mean))) = (relation, self.last_list)
        {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let appeared = last.saturating_sub(highest) as f64;
            let explained = now.saturating_duration_since(before).as_secs_f64() / mean;
            let skipped = appeared > explained + SPARE_SEGMENTS;
            self.jump = Some(if skipped { Why::SequenceJump } else { Why::Expired });
        }
        self.last_list = Some((now, last, mean_seconds(listed)));
    }

    /// Passes the next fresh segment, in order. `stored_until` is where the store ended when this
    /// process began.
    pub(super) fn pass(
        &mut self,
        id: JobId,
        entry: &Entry,
        is_stored: bool,
        stored_until: Option<Timestamp>,
        events: &mut Vec<Event>,
    ) {
        let place = entry.place;
        let follows = self.passed.filter(|(passed, _)| {
            passed.numbering == id.numbering && passed.number.checked_add(1) == Some(id.number)
        });
        let announced = entry.segment.discontinuity;
        if announced && !is_stored {
            let (start, detail) = (place.start, String::new());
            events.push(Event::Discontinuity { start, detail });
        }
        match follows {
            Some((_, previous)) => {
                self.interruption = None;
                join(&previous, &place, announced || is_stored, events);
            }
            None => self.hole(place.start, stored_until, events),
        }
        self.jump = None;
        if self.passed.is_none_or(|(passed, _)| passed < id) {
            self.passed = Some((id, place));
        }
        self.until = self.until.max(Some(place.end()));
    }

    /// A segment that does not follow the one passed last leaves a hole if it begins later.
    fn hole(&mut self, start: Timestamp, stored_until: Option<Timestamp>, events: &mut Vec<Event>) {
        let (until, why) = match self.until {
            Some(until) => (Some(until), self.interruption.or(self.jump).unwrap_or(Why::Expired)),
            None => (stored_until, Why::Stopped),
        };
        self.interruption = None;
        let Some(until) = until.filter(|until| start - *until > TOLERANCE) else { return };
        let detail = match why {
            Why::Stopped => "this downloader was not running",
            Why::Offline => "the channel was not live",
            Why::SequenceJump => "the publisher skipped numbers",
            _ => "gone from the list before it was seen",
        };
        let duration = start - until;
        events.push(Event::Missed { start: until, duration, why, detail: detail.to_owned() });
    }
}

/// Compares where a segment begins with where the one before it ends, by the publisher's own clock.
fn join(previous: &Place, place: &Place, explained: bool, events: &mut Vec<Event>) {
    let by = place.start - previous.end();
    let stated = previous.origin == Origin::Stated && place.origin == Origin::Stated;
    if !stated || by == TimeDelta::zero() {
        return;
    }
    events.push(Event::Skew { by });
    if by.abs() > TOLERANCE && !explained {
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let seconds = by.num_microseconds().unwrap_or(i64::MAX) as f64 / 1e6;
        let detail = format!("the publisher's clock jumped by {seconds} s");
        events.push(Event::Discontinuity { start: place.start, detail });
    }
}

/// The mean duration of the segments, at least a tenth of a second.
fn mean_seconds(listed: &[(u64, &Segment)]) -> f64 {
    let sum: f64 = listed.iter().filter_map(|(_, segment)| segment.duration).sum();
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let mean = sum / listed.len() as f64;
    mean.max(0.1)
}

/// Why a segment cannot be fetched at all, if it cannot.
pub(super) fn unfetchable(segment: &Segment) -> Option<(Why, String)> {
    if segment.gap {
        return Some((Why::Gap, "announced by the publisher".to_owned()));
    }
    if let Some(key) = &segment.key {
        let detail = format!("encrypted with {}, which is not supported", key.method);
        return Some((Why::Refused, detail));
    }
    let ranges = [segment.byte_range, segment.map.as_ref().and_then(|map| map.byte_range)];
    let undefined =
        ranges.iter().flatten().any(|range| range.offset.is_none() || range.length == 0);
    undefined.then(|| (Why::Damaged, "its byte range is undefined".to_owned()))
}

/// What is told of a segment that was given up.
pub(super) fn given_up(entry: &Entry, settling: Settling) -> Option<Event> {
    let Settling::GivenUp(why, detail) = settling else { return None };
    let Place { start, duration, .. } = entry.place;
    Some(Event::Missed { start, duration: duration.delta(), why, detail })
}
