//! What people are told: segments given up, and what lies between one segment and the next (holes,
//! jumps, announced discontinuities, advertisements). Pure.

use std::time::Duration;

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::hls::Segment;
use common::io::store::notes::Why;
use tokio::time::Instant;

use super::entry::{Before, Entry, Settling};
use super::ledger::{Ledger, TOLERANCE};
use super::timeline::{Origin, Place};
use super::{Event, Now, SegmentId, SourceId};
use crate::fetch;
use crate::recall::Recall;

/// After so long without a list, what lies between the last one and a stop is missing.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
/// A shorter time between what was recorded before is no segment's.
const SHORTEST_MISSED: TimeDelta = TimeDelta::milliseconds(100);
/// How many reasons one hole may have.
const MAX_INTERRUPTIONS: usize = 16;
/// How many advertisements and holes wait to see whether another source has the programme meanwhile.
const MAX_BREAKS: usize = 1000;

/// What is accounted for, and what kept us from following.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    ledger: Ledger,
    /// Whether the publisher's dates come from one steady clock.
    trusts_clock: bool,
    /// Where the first segment that was passed begins.
    pub(super) first: Option<Timestamp>,
    /// What kept us from following since the last segment, and from when on.
    interruptions: Vec<(Timestamp, Why)>,
    /// When the last list came.
    heard: Option<Instant>,
    /// Where the last segment that was passed ends, and when that was.
    passed: Option<(Timestamp, Instant)>,
    /// The last one that is no advertisement.
    pub(super) last: Option<SegmentId>,
    /// What one source has no programme for, while another may.
    breaks: Vec<Break>,
}

/// The time of an advertisement or a hole in the lists of one source.
#[derive(Clone, Copy, Debug)]
struct Break {
    source: SourceId,
    start: Timestamp,
    end: Timestamp,
    why: Why,
}

impl Account {
    /// An account of what was recorded before.
    pub(super) fn new(trusts_clock: bool, recalled: &Recall) -> Self {
        let mut account = Self { trusts_clock, ..Self::default() };
        account.recall(recalled);
        account
    }

    fn recall(&mut self, recalled: &Recall) {
        for (start, end) in &recalled.spans {
            self.ledger.account(*start, *end);
        }
    }

    /// Takes in what was recorded before, which came to be known late. What lies between that and the first
    /// segment since was missed by a process that is gone.
    pub(super) fn recalled(&mut self, recalled: &Recall, events: &mut Vec<Event>) {
        self.recall(recalled);
        let began = recalled.spans.iter().map(|(start, _)| *start).min();
        let Some((began, first)) = began.zip(self.first) else { return };
        for (from, to) in self.not_recorded(began, first) {
            self.missed(from, to, Why::Stopped, events);
        }
    }

    fn not_recorded(&self, start: Timestamp, end: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let mut spans = self.ledger.uncovered(start, end);
        spans.retain(|(from, to)| *to - *from >= SHORTEST_MISSED);
        spans
    }

    /// A list came.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// The recording ends: where no list came for long, nobody will know what it would have shown.
    pub(super) fn stopped(&mut self, now: Now, events: &mut Vec<Event>) {
        let is_silent = self.heard.is_some_and(|heard| now.instant >= heard + LONGEST_SILENCE);
        let Some(end) = self.ledger.end_before(now.wall).filter(|end| is_silent && *end < now.wall)
        else {
            return;
        };
        for (from, to, why) in self.interrupted_hole(end, now.wall, Why::Expired) {
            self.missed(from, to, why, events);
        }
    }

    /// From now on `why` keeps us from following.
    pub(super) fn interrupted(&mut self, why: Why, now: Timestamp) {
        if self.interruptions.last().is_some_and(|(_, last)| *last == why) {
            return;
        }
        self.interruptions.truncate(MAX_INTERRUPTIONS - 1);
        self.interruptions.push((now, why));
    }

    /// A list has the segment that was passed last, and so all that came since: what kept us from following
    /// cost nothing. That the channel was not live is no such reason, but what happened.
    pub(super) fn followed(&mut self) {
        self.interruptions.retain(|(_, why)| *why == Why::Offline);
    }

    /// Passes a segment that was taken in.
    pub(super) fn pass(
        &mut self,
        id: SegmentId,
        entry: &Entry,
        is_stored: bool,
        now: Instant,
        events: &mut Vec<Event>,
    ) {
        let (place, source) = (entry.place, entry.source());
        let announced = entry.segment().discontinuity;
        let interrupted = !self.interruptions.is_empty();
        if announced && !is_stored && !entry.is_advertisement {
            let jumped = match entry.before {
                Before::Programme(previous) if !interrupted => place.start - previous.end(),
                _ => TimeDelta::zero(),
            };
            let (start, detail) = (place.start, String::new());
            events.push(Event::Discontinuity { start, jumped, detail });
        }
        match entry.before {
            Before::Nothing(_) if self.first.is_none() => self.began(source, place.start),
            Before::Nothing(jump) => self.hole(source, place.start, jump, now),
            Before::Programme(previous) if !entry.is_advertisement => {
                let explained = announced || is_stored || interrupted;
                self.join(source, &previous, &place, explained, events);
            }
            Before::Programme(_) | Before::Advertisement => {}
        }
        // its numbers go on, but time has passed; an encoder's dates are off by less than that anyway
        let goes_on = match entry.before {
            Before::Nothing(_) => false,
            Before::Programme(previous) => place.start - previous.end() >= SHORTEST_MISSED,
            Before::Advertisement => true,
        };
        if interrupted && goes_on {
            self.hole(source, place.start, None, now);
        }
        self.interruptions.clear();
        self.first.get_or_insert(place.start);
        self.passed = Some((place.end(), now));
        if entry.is_advertisement {
            events.push(Event::Advertisement);
            let (start, end) = (place.start, place.end());
            self.breaks.push(Break { source, start, end, why: Why::Advertisement });
        } else {
            self.last = Some(id);
            self.ledger.account(place.start, place.end());
        }
    }

    /// Tells of advertisements and holes that no other source can have the programme for any more.
    /// `reached` says how far a source is that still goes on; `None` when there is none beside.
    pub(super) fn settle_breaks(
        &mut self,
        reached: impl Fn(SourceId) -> Option<Timestamp>,
        events: &mut Vec<Event>,
    ) {
        let excess = self.breaks.len().saturating_sub(MAX_BREAKS);
        let mut breaks = std::mem::take(&mut self.breaks);
        // that one source shows an advertisement is not why another's programme was not seen
        breaks.sort_by_key(|of| of.why == Why::Advertisement);
        for (index, of) in breaks.into_iter().enumerate() {
            let may_come = reached(of.source).is_some_and(|reached| reached < of.end);
            if may_come && index >= excess {
                self.breaks.push(of);
                continue;
            }
            for (start, end) in self.ledger.uncovered(of.start, of.end) {
                self.missed(start, end, of.why, events);
            }
        }
    }

    /// The first segment of all: what was not recorded before it was missed by a process that is gone.
    fn began(&mut self, source: SourceId, start: Timestamp) {
        let Some(first) = self.ledger.begins() else { return };
        let missed = self.not_recorded(first, start);
        // not running is what interrupted us first
        let mut interruptions = std::mem::take(&mut self.interruptions);
        interruptions.insert(0, (first, Why::Stopped));
        for (from, to) in missed {
            self.interruptions.clone_from(&interruptions);
            let pieces = self.interrupted_hole(from, to, Why::Stopped);
            self.wait_for(source, pieces);
        }
    }

    /// A segment that follows on nothing leaves a hole if what is accounted for ends before it.
    fn hole(&mut self, source: SourceId, start: Timestamp, jump: Option<Why>, now: Instant) {
        let Some(end) = self.ledger.end_before(start) else { return };
        let from = if start - end > TOLERANCE { Some(end) } else { self.behind(start, now) };
        if let Some(from) = from {
            let pieces = self.interrupted_hole(from, start, jump.unwrap_or(Why::Expired));
            self.wait_for(source, pieces);
        }
    }

    /// Where the last segment ends, if what was missed since may reach up to `start`, though that is accounted
    /// for: the clock went back to before what was recorded, and the hole lies there.
    fn behind(&self, start: Timestamp, now: Instant) -> Option<Timestamp> {
        let (end, at) = self.passed?;
        // the stream cannot have gone on for longer than that
        let since = now.saturating_duration_since(at) + LONGEST_SILENCE;
        let longest = TimeDelta::from_std(since).unwrap_or(TimeDelta::MAX);
        let missed = start - end;
        (missed > TOLERANCE && missed <= longest).then_some(end)
    }

    /// Lets holes in the lists of `source` wait to see whether another has what is in them.
    fn wait_for(&mut self, source: SourceId, holes: Vec<(Timestamp, Timestamp, Why)>) {
        let pieces = holes.into_iter().map(|(start, end, why)| Break { source, start, end, why });
        self.breaks.extend(pieces);
    }

    /// Divides a hole by what interrupted us, each for its time; where nothing did, by `otherwise`.
    fn interrupted_hole(
        &mut self,
        start: Timestamp,
        end: Timestamp,
        otherwise: Why,
    ) -> Vec<(Timestamp, Timestamp, Why)> {
        let mut pieces = Vec::new();
        let interruptions = std::mem::take(&mut self.interruptions);
        let (mut from, mut why) = (start, None);
        for (at, next) in interruptions {
            // what lies before the first was not seen for its reason either
            if let Some(why) = why.filter(|_| at - from > TOLERANCE && end - at > TOLERANCE) {
                pieces.push((from, at, why));
                from = at;
            }
            if at < end || why.is_none() {
                why = Some(next);
            }
        }
        pieces.push((from, end, why.unwrap_or(otherwise)));
        pieces
    }

    /// Compares where a segment begins with where the one before it ends.
    fn join(
        &self,
        source: SourceId,
        previous: &Place,
        place: &Place,
        explained: bool,
        events: &mut Vec<Event>,
    ) {
        let Some(by) = skew(previous, place) else { return };
        events.push(Event::Skew { source, by });
        // an encoder's dates are no steady clock
        let jitter =
            if self.trusts_clock { TOLERANCE } else { TOLERANCE.max(place.duration.delta() / 2) };
        if by.abs() > jitter && !explained {
            #[expect(clippy::cast_precision_loss, reason = "for people")]
            let seconds = by.num_microseconds().unwrap_or(i64::MAX) as f64 / 1e6;
            let detail = format!("the publisher's clock jumped by {seconds} s");
            events.push(Event::Discontinuity { start: place.start, jumped: by, detail });
        }
    }

    fn missed(&mut self, start: Timestamp, end: Timestamp, why: Why, events: &mut Vec<Event>) {
        let detail = match why {
            Why::Stopped => "this downloader was not running",
            Why::Offline => "the channel was not live",
            Why::Refused => "the channel's playlists were refused",
            Why::TimeOut => "nothing answered",
            Why::SequenceJump => "the publisher skipped numbers",
            Why::Advertisement => "the publisher shows an advertisement instead",
            _ => "gone from the list before it was seen",
        };
        let (duration, detail) = (end - start, detail.to_owned());
        events.push(Event::Missed { start, duration, why, detail });
        self.ledger.account(start, end);
    }
}

/// By how much a segment's date differs from the end of the one before it, by the publisher's own
/// clock.
pub(super) fn skew(previous: &Place, place: &Place) -> Option<TimeDelta> {
    let stated = previous.origin == Origin::Stated && place.origin == Origin::Stated;
    let by = place.start - previous.end();
    (stated && by != TimeDelta::zero()).then_some(by)
}

/// Why a segment may not be decrypted, if it may not.
pub(crate) fn locked(segment: &Segment) -> Option<String> {
    let section_key = segment.map.as_ref().and_then(|map| map.key.as_ref());
    let mut keys = segment.key.iter().chain(section_key);
    keys.find_map(|key| fetch::undecipherable(key))
}

/// Why a segment cannot be fetched at all, if it cannot.
pub(super) fn unfetchable(segment: &Segment) -> Option<(Why, String)> {
    if segment.gap {
        return Some((Why::Gap, "announced by the publisher".to_owned()));
    }
    if let Some(problem) = locked(segment) {
        return Some((Why::Refused, problem));
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
