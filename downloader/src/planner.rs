//! What to fetch, what to skip, what is missing: a pure function of the lists, of what is stored and
//! of the time.
//!
//! The [`Planner`] remembers what it was shown and told; it does no I/O and reads no clock. A feed may
//! be followed at several addresses at a time, each a *source* with numbers of its own; a segment that
//! two of them list is one segment. Whoever drives it opens and closes sources ([`Planner::open`],
//! [`Planner::close`]), shows it each list ([`Planner::observe`]), tells it what the store has of the
//! hours it asks about ([`Planner::admit`]), carries out the jobs it hands out ([`Planner::due`]) and
//! reports how they ended ([`Planner::finish`]). What people should know of comes out as [`Event`]s.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use common::base::time::{Hour, Timestamp};
use common::format::hls::MediaPlaylist;
use common::format::segment::Completeness;
use common::io::store::notes::Why;
use tokio::time::Instant;
use url::Url;

mod allowance;
mod entry;
mod events;
mod intake;
mod ledger;
mod numbering;
mod source;
mod stretches;
mod taken;
mod terms;
mod timeline;

pub(crate) use terms::{
    Attempt, Claim, Event, Failure, Job, Now, Overwritten, Retry, Saved, SegmentId, SourceId,
    Trust, Urgency,
};

use crate::known::Known;
use crate::recall::Recall;
use allowance::Allowance;
pub(crate) use entry::without_query;
use entry::{Entry, Settling, State};
pub(crate) use events::locked;
use events::{Account, given_up, unfetchable};
use intake::Intake;
use numbering::Relation;
use source::{Source, rows};
use timeline::Place;

/// Of a list with more segments only the newest are looked at: half a day of the shortest ones.
const MAX_LISTED: usize = 20_000;
/// How many segments are remembered; a publisher that renumbers without end must not fill the memory.
const MAX_ENTRIES: usize = 2 * MAX_LISTED;
/// How many of the newest segments go before the backlog.
const EDGE_SEGMENTS: usize = 3;
/// After how many segments in a row that came odd each time it is the publisher's way.
const ALL_ODD: u32 = 3;
/// How many sources that ended are remembered while those that are open show advertisements; as many as may be
/// open.
const MAX_ENDED: usize = 3;
/// How many fetches all others leave free for the newest segment of a list.
const KEPT_FREE: usize = 2;

/// A list, and what is known of it beside its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) list: &'a MediaPlaylist,
    /// What its addresses are relative to.
    pub(crate) base: &'a Arc<Url>,
    /// Which of its segments are advertisements; one that is not told is none.
    pub(crate) advertisements: &'a [bool],
}

/// Remembers the segments of one feed across lists, addresses and troubles.
#[derive(Debug, Default)]
pub(crate) struct Planner {
    trust: Trust,
    sources: BTreeMap<SourceId, Source>,
    /// Segments that are listed or not settled.
    entries: BTreeMap<SegmentId, Entry>,
    account: Account,
    in_flight: usize,
    retries: Allowance,
    /// How many segments in a row were odd however often they were asked for.
    odd_in_a_row: u32,
    next_source: u32,
    next_segment: u64,
    next_numbering: u32,
}

impl Planner {
    /// A planner that has seen nothing, but knows what was recorded before.
    pub(crate) fn new(trust: Trust, recalled: &Recall) -> Self {
        Self { trust, account: Account::new(trust.clock, recalled), ..Self::default() }
    }

    /// Begins to follow the feed at `address`, beside the sources that are open. One that ended at the
    /// same address, whatever its query, is taken up again, unless its clock was doubted: a fresh address is
    /// asked for then to see whether that was right.
    pub(crate) fn open(&mut self, address: &Url) -> SourceId {
        let ended = self
            .sources
            .iter_mut()
            .find(|(_, known)| known.ended && !known.doubted && known.is_at(address));
        if let Some((id, source)) = ended {
            source.ended = false;
            return *id;
        }
        let id = SourceId(self.next_source);
        self.next_source += 1;
        let source = Source::new(address, self.new_numbering());
        self.sources.insert(id, source);
        id
    }

    /// Ends a source. What it listed last counts as listed until another source shows what there is: the
    /// newest of it, that one may not have shown yet.
    pub(crate) fn close(&mut self, id: SourceId) -> Vec<Event> {
        let mut events = Vec::new();
        if let btree_map::Entry::Occupied(mut source) = self.sources.entry(id) {
            // one that never showed anything has nothing that could be taken up again
            if source.get().ids.is_empty() {
                source.remove();
            } else {
                source.get_mut().ended = true;
            }
        }
        self.bound_ended(&mut events);
        self.settle_breaks(&mut events);
        events
    }

    /// Takes in a list of an open source; tells what it says.
    pub(crate) fn observe(&mut self, id: SourceId, shown: &Shown<'_>, now: Now) -> Vec<Event> {
        let mut events = Vec::new();
        let rows = rows(shown.list, shown.advertisements);
        if rows.is_empty() {
            return events;
        }
        let Some(mut source) = self.sources.remove(&id) else { return events };
        let before = source.numbers.clone();
        let relation = source.relate(id, &rows, shown.list.end_list, &self.entries);
        if relation == Relation::Renumbered {
            self.unlist_all(id, &source, &mut events);
            source.renumber(self.new_numbering());
            events.push(Event::Renumbered);
        }
        let jump = source.jump(relation, &rows, now.instant);
        self.account.heard(now.instant);
        let mut intake = Intake::new(self, (id, &mut source), rows, shown, now);
        intake.list_known(&mut events);
        let continues = relation == Relation::Continues;
        let fresh = intake.fresh(|number| continues && before.has_seen(number));
        if !fresh.is_empty() {
            intake.take_in(&fresh, jump, &mut events);
        }
        intake.note_edge();
        intake.note_followed();
        let has_programme = intake.rows.iter().any(|row| !row.is_advertisement);
        self.sources.insert(id, source);
        if has_programme {
            self.drop_ended(&mut events);
        }
        self.forget(&mut events);
        events
    }

    /// The hours of segments that wait to be admitted.
    pub(crate) fn fresh_hours(&self) -> BTreeSet<Hour> {
        let fresh = self.entries.values().filter(|entry| entry.state == State::Fresh);
        fresh.map(|entry| entry.place.start.hour()).collect()
    }

    /// Decides about the segments that were taken in, given what the store has of their hours.
    pub(crate) fn admit(&mut self, known: &Known, now: Now) -> Vec<Event> {
        let mut events = Vec::new();
        if self.entries.values().any(|entry| entry.state == State::Fresh) {
            self.admit_fresh(known, now, &mut events);
        }
        self.settle_breaks(&mut events);
        events
    }

    fn admit_fresh(&mut self, known: &Known, now: Now, events: &mut Vec<Event>) {
        let twins: BTreeSet<(Timestamp, i64)> = self
            .entries
            .values()
            .filter(|entry| entry.listed && entry.was_saved())
            .map(|entry| (entry.place.start, entry.place.duration.micros()))
            .collect();
        let fresh = self.entries.iter_mut().filter(|(_, entry)| entry.state == State::Fresh);
        for (id, entry) in fresh {
            let Place { start, duration, .. } = entry.place;
            // other content of the same moment, listed beside what we saved, is not stored yet
            let is_stored =
                known.contains(start, duration) && !twins.contains(&(start, duration.micros()));
            self.account.pass(*id, entry, is_stored, now.instant, events);
            let wanted = !is_stored && !entry.is_advertisement;
            entry.state = if wanted { State::Due(now.instant) } else { State::Settled };
            if wanted && let Some((why, detail)) = unfetchable(entry.segment()) {
                entry.state = State::Settled;
                let duration = duration.delta();
                events.push(Event::Missed { start, duration, why, detail });
            }
        }
    }

    /// The segments to begin fetching now, so that at most `limit` are under way: the newest first,
    /// then the oldest, since those are the next to expire.
    pub(crate) fn due(&mut self, now: Instant, limit: usize) -> Vec<Job> {
        let under_way = self.entries.values().filter(|entry| entry.state == State::InFlight);
        let mut others = under_way.filter(|entry| entry.urgency != Urgency::Newest).count();
        let ready = self.entries.iter().filter(|(_, entry)| entry.is_ready(now));
        let mut ready: Vec<_> = ready.map(|(id, _)| (*id, self.urgency(*id))).collect();
        ready.sort_by_key(|(_, urgency)| *urgency == Urgency::Backlog);
        let mut jobs = Vec::new();
        for (id, urgency) in ready {
            let can_wait = urgency != Urgency::Newest;
            if self.in_flight >= limit {
                break;
            }
            if can_wait && others + KEPT_FREE.min(limit - 1) >= limit {
                continue;
            }
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            if entry.is_retry() && !self.retries.take(now) {
                continue;
            }
            others += usize::from(can_wait);
            self.in_flight += 1;
            jobs.push(entry.start(id, urgency, now));
        }
        jobs
    }

    /// How near to the edge of any list a segment is.
    fn urgency(&self, id: SegmentId) -> Urgency {
        let edges = || self.sources.values().map(|source| &source.edge);
        if edges().any(|edge| edge.first() == Some(&id)) {
            Urgency::Newest
        } else if edges().any(|edge| edge.contains(&id)) {
            Urgency::AtEdge
        } else {
            Urgency::Backlog
        }
    }

    /// What a job under way is by the list of another source that has its segment, if one has.
    pub(crate) fn elsewhere(&mut self, id: SegmentId) -> Option<Job> {
        self.entries.get_mut(&id)?.elsewhere(id)
    }

    /// When a segment becomes due that is not yet.
    pub(crate) fn next_due(&self, now: Instant) -> Option<Instant> {
        let due = self.entries.values().filter_map(Entry::due_at).filter(|at| *at > now).min();
        due.into_iter().chain(self.retries.next(now)).min()
    }

    /// The segment of a job was received and waits for the disk; the job is finished later, and another
    /// may go on instead.
    pub(crate) fn held(&mut self, id: SegmentId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.state = State::Held;
            self.in_flight = self.in_flight.saturating_sub(1);
        }
    }

    /// Where the first segment begins that was taken in, of whatever became of it.
    pub(crate) fn first(&self) -> Option<Timestamp> {
        self.account.first
    }

    /// Takes in what was recorded before this process, which the disk was slow to tell.
    pub(crate) fn recalled(&mut self, recalled: &Recall) -> Vec<Event> {
        let mut events = Vec::new();
        self.account.recalled(recalled, &mut events);
        events
    }

    /// A copy of so many bytes waits for the disk, of a segment of which a better one is wanted.
    pub(crate) fn copy_held(&mut self, id: SegmentId, completeness: Completeness, size: u64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.copy_held(completeness, size);
        }
    }

    /// Takes in what became of such a copy.
    pub(crate) fn copy_landed(&mut self, id: SegmentId, saved: Option<Saved>) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.copy_landed(saved);
        }
    }

    /// Takes in how a job ended.
    pub(crate) fn finish(
        &mut self,
        id: SegmentId,
        attempt: Attempt,
        now: Instant,
    ) -> Option<Event> {
        let entry = self.entries.get_mut(&id)?;
        if entry.state == State::InFlight {
            self.in_flight = self.in_flight.saturating_sub(1);
        }
        let is_full = attempt.saved.is_some_and(|saved| saved.completeness == Completeness::Full);
        let settling = entry.finish(attempt, self.odd_in_a_row >= ALL_ODD, now);
        if is_full {
            self.odd_in_a_row = 0;
        } else if entry.is_odd() {
            self.odd_in_a_row += 1;
        }
        let event = given_up(entry, settling);
        if entry.state == State::Settled && !entry.listed {
            self.entries.remove(&id);
        }
        event
    }

    /// Ends the recording, when no job is under way any more: what was not saved is missing, and what
    /// came since the last list.
    pub(crate) fn stop(&mut self, now: Now) -> Vec<Event> {
        let mut events = Vec::new();
        self.account.stopped(now, &mut events);
        for entry in self.entries.values_mut() {
            let settling = entry.stop();
            events.extend(given_up(entry, settling));
        }
        for source in self.sources.values_mut() {
            source.ended = true;
        }
        self.settle_breaks(&mut events);
        events
    }

    /// Says why segments may be missed from now until the next list.
    pub(crate) fn interrupted(&mut self, why: Why, now: Timestamp) {
        self.account.interrupted(why, now);
    }

    fn new_numbering(&mut self) -> u32 {
        self.next_numbering += 1;
        self.next_numbering
    }

    fn settle_breaks(&mut self, events: &mut Vec<Event>) {
        let sources = &self.sources;
        let reached = |of: SourceId| {
            let others = sources.iter().filter(|(id, source)| **id != of && !source.ended);
            others.map(|(_, source)| source.reached().unwrap_or(Timestamp::from_micros(0))).max()
        };
        self.account.settle_breaks(reached, events);
    }

    /// Forgets the sources that ended.
    fn drop_ended(&mut self, events: &mut Vec<Event>) {
        let ended = self.sources.extract_if(.., |_, source| source.ended);
        for (id, source) in ended.collect::<Vec<_>>() {
            self.unlist_all(id, &source, events);
        }
    }

    /// Forgets the sources that ended beyond [`MAX_ENDED`], first those that never showed the programme, then
    /// those that showed the oldest of it.
    fn bound_ended(&mut self, events: &mut Vec<Event>) {
        let reached = |source: &Source| {
            let entries = source.ids.values().filter_map(|id| self.entries.get(id));
            let programme = entries.filter(|entry| !entry.is_advertisement);
            programme.map(|entry| entry.place.end()).max()
        };
        let ended = self.sources.iter().filter(|(_, source)| source.ended);
        let mut ended: Vec<_> = ended.map(|(id, source)| (reached(source), *id)).collect();
        ended.sort_unstable();
        let excess = ended.len().saturating_sub(MAX_ENDED);
        for (_, id) in ended.into_iter().take(excess) {
            if let Some(source) = self.sources.remove(&id) {
                self.unlist_all(id, &source, events);
            }
        }
    }

    /// Nothing is listed in `source` any more.
    fn unlist_all(&mut self, id: SourceId, source: &Source, events: &mut Vec<Event>) {
        for segment in source.ids.values() {
            if let Some(entry) = self.entries.get_mut(segment) {
                let settling = entry.unlist(id);
                events.extend(given_up(entry, settling));
            }
        }
    }

    /// Forgets what is settled, and beyond [`MAX_ENTRIES`] the oldest that is no longer listed.
    fn forget(&mut self, events: &mut Vec<Event>) {
        let count = self.entries.len();
        self.entries.retain(|_, entry| entry.listed || entry.state != State::Settled);
        let mut excess = self.entries.len().saturating_sub(MAX_ENTRIES);
        self.entries.retain(|_, entry| {
            if excess == 0 || entry.listed || matches!(entry.state, State::InFlight | State::Held) {
                return true;
            }
            excess -= 1;
            let detail = "too many others wait".to_owned();
            events.extend(given_up(entry, Settling::GivenUp(Why::Expired, detail)));
            false
        });
        if self.entries.len() < count {
            let entries = &self.entries;
            for source in self.sources.values_mut() {
                source.ids.retain(|_, id| entries.contains_key(id));
            }
        }
    }
}

/// How far a list placed by its arrival may be off.
fn slack(target: Duration) -> TimeDelta {
    TimeDelta::from_std(target * 3).unwrap_or(TimeDelta::MAX) + TimeDelta::seconds(5)
}

#[cfg(test)]
mod tests;
