//! What to fetch, what to skip, what is missing: a pure function of the lists, of what is stored and
//! of the time.
//!
//! The [`Planner`] remembers what it was shown and told; it does no I/O and reads no clock. Whoever
//! drives it shows it each list ([`Planner::observe`]), tells it what the store has of the hours it
//! asks about ([`Planner::admit`]), carries out the jobs it hands out ([`Planner::due`]) and reports
//! how they ended ([`Planner::finish`]). What people should know of comes out as [`Event`]s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use common::base::time::{Hour, Timestamp};
use common::format::hls::{MediaPlaylist, Segment};
use common::io::store::notes::Why;
use tokio::time::Instant;
use url::Url;

mod entry;
mod events;
mod numbering;
mod poll;
mod terms;
mod timeline;

pub(crate) use poll::{delay, target_duration};
pub(crate) use terms::{Attempt, Event, Failure, Job, JobId, Now, Retry, Saved};

use crate::known::Known;
use entry::{Entry, Settling, State};
use events::{Edge, given_up, unfetchable};
use numbering::{Numbering, Relation, Sighting};
use timeline::{Place, Slot};

/// Of a list with more segments only the newest are looked at: half a day of the shortest ones.
const MAX_LISTED: usize = 20_000;
/// How many segments are remembered; a publisher that renumbers without end must not fill the memory.
const MAX_ENTRIES: usize = 2 * MAX_LISTED;
/// How many of the newest segments go before the backlog.
const EDGE_SEGMENTS: u64 = 3;
/// How many fetches the backlog leaves free for the newest segments.
const KEPT_FREE: usize = 2;

/// Remembers the segments of one feed across lists, addresses and troubles.
#[derive(Debug, Default)]
pub(crate) struct Planner {
    numbering: Numbering,
    /// How many times the publisher renumbered.
    renumberings: u32,
    /// Segments that are listed or not settled.
    entries: BTreeMap<JobId, Entry>,
    /// The newest segment that was placed in this numbering.
    newest: Option<(u64, Place)>,
    /// What was seen of the edge before the fresh segments.
    edge: Edge,
    /// What the newest list was: to tell whether the next one brings news.
    shown: Option<Shown>,
    in_flight: usize,
}

/// What makes a list different from the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    first: u64,
    count: usize,
    last_uri: Option<String>,
    end_list: bool,
}

impl Planner {
    /// Takes in a list. Returns whether it differs from the one before, and what it tells.
    pub(crate) fn observe(
        &mut self,
        list: &MediaPlaylist,
        base: &Arc<Url>,
        now: Now,
    ) -> (bool, Vec<Event>) {
        let changed = self.is_news(list);
        let mut events = Vec::new();
        let skipped = list.segments.len().saturating_sub(MAX_LISTED);
        let listed: Vec<(u64, &Segment)> = (skipped..list.segments.len())
            .map(|index| (list.number_of(index), &list.segments[index]))
            .collect();
        if listed.is_empty() {
            return (changed, events);
        }
        let before = self.numbering.clone();
        let relation = self.relate(&listed);
        if relation == Relation::Renumbered {
            self.renumberings += 1;
            self.newest = None;
            events.push(Event::Renumbered);
        }
        self.edge.note_list(relation, &listed, now.instant);
        self.list_known(&listed, base, &mut events);
        let fresh = self
            .fresh(&listed, |number| relation == Relation::Continues && before.has_seen(number));
        if !fresh.is_empty() {
            self.take_in_fresh(list, &listed, base, &fresh, now.wall);
        }
        self.forget(&mut events);
        (changed, events)
    }

    /// The hours of segments that wait to be admitted.
    pub(crate) fn fresh_hours(&self) -> BTreeSet<Hour> {
        let fresh = self.entries.values().filter(|entry| entry.state == State::Fresh);
        fresh.map(|entry| entry.place.start.hour()).collect()
    }

    /// Decides about the segments that were taken in, given what the store has of their hours.
    pub(crate) fn admit(&mut self, known: &Known, now: Now) -> Vec<Event> {
        let twins: BTreeSet<(Timestamp, i64)> = self
            .entries
            .values()
            .filter(|entry| entry.listed && entry.was_saved())
            .map(|entry| (entry.place.start, entry.place.duration.micros()))
            .collect();
        let mut edge = std::mem::take(&mut self.edge);
        let mut events = Vec::new();
        for (id, entry) in &mut self.entries {
            if entry.state != State::Fresh {
                continue;
            }
            let Place { start, duration, .. } = entry.place;
            // other content of the same moment, listed beside what we saved, is not stored yet
            let is_stored =
                known.contains(start, duration) && !twins.contains(&(start, duration.micros()));
            edge.pass(*id, entry, is_stored, known.last_end(), &mut events);
            entry.state = if is_stored { State::Settled } else { State::Due(now.instant) };
            if !is_stored && let Some((why, detail)) = unfetchable(&entry.segment) {
                entry.state = State::Settled;
                let duration = duration.delta();
                events.push(Event::Missed { start, duration, why, detail });
            }
        }
        self.edge = edge;
        events
    }

    /// The segments to begin fetching now, so that at most `limit` are under way: the newest first,
    /// then the oldest, since those are the next to expire.
    pub(crate) fn due(&mut self, now: Instant, limit: usize) -> Vec<Job> {
        let edge_begins =
            self.numbering.highest().map_or(0, |highest| highest.saturating_sub(EDGE_SEGMENTS - 1));
        let present = self.renumberings;
        let is_edge = |id: &JobId| id.numbering == present && id.number >= edge_begins;
        let mut backlog = self
            .entries
            .values()
            .filter(|entry| entry.state == State::InFlight && !entry.at_edge)
            .count();
        let ready = |id: &JobId, entry: &Entry| entry.is_ready(now).then_some(*id);
        let ready: Vec<JobId> =
            self.entries.iter().filter_map(|(id, entry)| ready(id, entry)).collect();
        let newest = ready.iter().filter(|id| is_edge(id));
        let others = ready.iter().filter(|id| !is_edge(id));
        let mut jobs = Vec::new();
        for id in newest.chain(others) {
            let at_edge = is_edge(id);
            if self.in_flight >= limit || (!at_edge && backlog + KEPT_FREE >= limit) {
                break;
            }
            backlog += usize::from(!at_edge);
            self.in_flight += 1;
            jobs.extend(self.entries.get_mut(id).map(|entry| entry.start(*id, at_edge)));
        }
        jobs
    }

    /// When a segment becomes due that is not yet.
    pub(crate) fn next_due(&self, now: Instant) -> Option<Instant> {
        let due = |entry: &Entry| match entry.state {
            State::Due(at) if at > now => Some(at),
            _ => None,
        };
        self.entries.values().filter_map(due).min()
    }

    /// Takes in how a job ended.
    pub(crate) fn finish(&mut self, id: JobId, attempt: Attempt, now: Instant) -> Option<Event> {
        let entry = self.entries.get_mut(&id)?;
        self.in_flight = self.in_flight.saturating_sub(1);
        let settling = entry.finish(attempt, now);
        let event = given_up(entry, settling);
        if entry.state == State::Settled && !entry.listed {
            self.entries.remove(&id);
        }
        event
    }

    /// Ends the recording, when no job is under way any more: what was not saved is missing.
    pub(crate) fn stop(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for entry in self.entries.values_mut() {
            let settling = entry.stop();
            events.extend(given_up(entry, settling));
        }
        events
    }

    /// Says why segments may have been missed until the next list.
    pub(crate) fn interrupted(&mut self, why: Why) {
        self.edge.interrupted(why);
    }

    fn is_news(&mut self, list: &MediaPlaylist) -> bool {
        let shown = Shown {
            first: list.media_sequence,
            count: list.segments.len(),
            last_uri: list.segments.last().map(|segment| segment.uri.clone()),
            end_list: list.end_list,
        };
        let changed = self.shown.as_ref() != Some(&shown);
        self.shown = Some(shown);
        changed
    }

    fn relate(&mut self, listed: &[(u64, &Segment)]) -> Relation {
        let list: Vec<Sighting<'_>> =
            listed.iter().map(|(number, segment)| sighting(*number, segment)).collect();
        let numbering = self.renumberings;
        let remembered = |number| {
            let entry = self.entries.get(&JobId { numbering, number })?;
            Some(sighting(number, &entry.segment))
        };
        self.numbering.take_in(&list, remembered)
    }

    /// Marks which segments are listed and which no longer.
    fn list_known(&mut self, listed: &[(u64, &Segment)], base: &Arc<Url>, events: &mut Vec<Event>) {
        let numbers: BTreeMap<u64, &Segment> = listed.iter().copied().collect();
        for (id, entry) in &mut self.entries {
            let segment = numbers.get(&id.number).filter(|_| id.numbering == self.renumberings);
            if let Some(segment) = segment {
                entry.relist(Arc::new((*segment).clone()), Arc::clone(base));
            } else if entry.listed {
                let settling = entry.unlist();
                events.extend(given_up(entry, settling));
            }
        }
    }

    /// The numbers that are neither remembered nor settled.
    fn fresh(&self, listed: &[(u64, &Segment)], is_settled: impl Fn(u64) -> bool) -> BTreeSet<u64> {
        let numbering = self.renumberings;
        let remembered = |number| self.entries.contains_key(&JobId { numbering, number });
        let numbers = listed.iter().map(|(number, _)| *number);
        numbers.filter(|number| !remembered(*number) && !is_settled(*number)).collect()
    }

    fn take_in_fresh(
        &mut self,
        list: &MediaPlaylist,
        listed: &[(u64, &Segment)],
        base: &Arc<Url>,
        fresh: &BTreeSet<u64>,
        now: Timestamp,
    ) {
        let numbering = self.renumberings;
        let mut sure = Vec::new();
        let mut slots = Vec::new();
        for (index, (number, segment)) in listed.iter().enumerate() {
            let next = listed.get(index + 1).map(|(_, next)| *next);
            let (duration, is_sure) = timeline::duration(segment, next, list.target_duration);
            let known = self.entries.get(&JobId { numbering, number: *number });
            let placed = known.map(|entry| entry.place);
            slots.push(Slot { stated: timeline::believed(segment, now), duration, placed });
            sure.push(is_sure);
        }
        let first = listed.first().map(|(number, _)| *number);
        let newest = self.newest.filter(|(number, _)| number.checked_add(1) == first);
        let before = newest.map(|(_, place)| place);
        let places = timeline::place(&slots, before, now, slack(target_duration(list)));
        for (((number, segment), place), is_sure) in listed.iter().zip(places).zip(sure) {
            if fresh.contains(number) {
                let id = JobId { numbering, number: *number };
                let segment = Arc::new((*segment).clone());
                let entry = Entry::new(segment, Arc::clone(base), place, is_sure);
                self.entries.insert(id, entry);
            }
            if self.newest.is_none_or(|(newest, _)| newest < *number) {
                self.newest = Some((*number, place));
            }
        }
    }

    /// Forgets what is settled, and beyond [`MAX_ENTRIES`] the oldest that is no longer listed.
    fn forget(&mut self, events: &mut Vec<Event>) {
        self.entries.retain(|_, entry| entry.listed || entry.state != State::Settled);
        let mut excess = self.entries.len().saturating_sub(MAX_ENTRIES);
        self.entries.retain(|_, entry| {
            if excess == 0 || entry.listed || entry.state == State::InFlight {
                return true;
            }
            excess -= 1;
            let detail = "too many others wait".to_owned();
            events.extend(given_up(entry, Settling::GivenUp(Why::Expired, detail)));
            false
        });
    }
}

fn sighting(number: u64, segment: &Segment) -> Sighting<'_> {
    Sighting { number, uri: &segment.uri, stated: timeline::stated(segment) }
}

/// How far a list placed by its arrival may be off.
fn slack(target: Duration) -> TimeDelta {
    TimeDelta::from_std(target * 3).unwrap_or(TimeDelta::MAX) + TimeDelta::seconds(5)
}

#[cfg(test)]
mod tests;
