//! Taking in one list of one source: which segments it repeats, which are listed no longer, which are
//! new, and which of those another source has shown before. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::hls::{MediaPlaylist, Segment};
use common::io::store::notes::Why;

use super::entry::{Before, Doubt, Entry, Listing, State};
use super::events::{given_up, skew};
use super::ledger::TOLERANCE;
use super::source::{Row, Source};
use super::taken::Taken;
use super::timeline::{self, Origin, Place, Slot};
use super::{EDGE_SEGMENTS, Event, Now, Planner, SegmentId, Shown, SourceId, slack};
use crate::rhythm::target_duration;

/// By how much the places of one segment in lists of two addresses may differ, where only their first segments
/// are dated: hours of durations that are rounded.
const MOST_DRIFT: TimeDelta = TimeDelta::minutes(1);

/// A list that is being taken in.
pub(super) struct Intake<'a> {
    planner: &'a mut Planner,
    id: SourceId,
    /// Taken out of the planner's for as long.
    source: &'a mut Source,
    pub(super) rows: Vec<Row<'a>>,
    shown: &'a Shown<'a>,
    now: Now,
    /// The segment before the first row, where a delta update leaves that out.
    left_out: Option<Arc<Segment>>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        planner: &'a mut Planner,
        (id, source): (SourceId, &'a mut Source),
        rows: Vec<Row<'a>>,
        shown: &'a Shown<'a>,
        now: Now,
    ) -> Self {
        let left_out = last_left_out(shown.list)
            .and_then(|number| planner.entries.get(source.ids.get(&number)?))
            .and_then(|entry| entry.listing_in(id))
            .map(|listing| Arc::clone(&listing.segment));
        for row in rows.iter().filter(|row| row.segment.discontinuity) {
            source.stretches.begin(row.number);
        }
        source.stretches.forget_before(rows.first().map_or(0, |row| row.number));
        Self { planner, id, source, rows, shown, now, left_out }
    }

    /// Marks which segments are listed and which no longer.
    pub(super) fn list_known(&mut self, events: &mut Vec<Event>) {
        let rows: BTreeMap<u64, Row<'_>> = self.rows.iter().map(|row| (row.number, *row)).collect();
        let list = self.shown.list;
        let newest = self.rows.last().map_or(0, |row| row.number);
        for (number, segment) in self.source.ids.clone() {
            let row = rows.get(&number).map(|row| (self.listing(row), row.is_advertisement));
            let Some(entry) = self.planner.entries.get_mut(&segment) else { continue };
            // what a delta update leaves out is listed as before (RFC 8216bis §4.4.5.2)
            let is_left_out = (list.media_sequence..list.number_of(0)).contains(&number);
            match row {
                // an advertisement in its place is not the programme at another address
                Some((_, true)) if !entry.is_advertisement => {
                    let settling = entry.unlist(self.id);
                    events.extend(given_up(entry, settling));
                }
                Some((listing, is_advertisement)) => {
                    entry.relist(listing, is_advertisement, self.now.instant);
                }
                // an edge that lags will have it again
                None if is_left_out || number > newest => {}
                None => {
                    let settling = entry.unlist(self.id);
                    events.extend(given_up(entry, settling));
                }
            }
        }
    }

    /// The numbers that are neither remembered nor settled.
    pub(super) fn fresh(&self, is_settled: impl Fn(u64) -> bool) -> BTreeSet<u64> {
        let numbers = self.rows.iter().map(|row| row.number);
        let remembered = |number: &u64| self.source.ids.contains_key(number);
        numbers.filter(|number| !remembered(number) && !is_settled(*number)).collect()
    }

    /// Places the list, and takes in what is `fresh` in it.
    pub(super) fn take_in(
        &mut self,
        fresh: &BTreeSet<u64>,
        jump: Option<Why>,
        events: &mut Vec<Event>,
    ) {
        if self.source.is_renumbered() {
            self.give_up_superseded(fresh, events);
        }
        if let (Some(_), Some(row)) = (jump, self.rows.first()) {
            // one may have been announced before a segment that was never listed
            self.source.stretches.begin(row.number);
        }
        let elsewhere = Elsewhere::new(self.planner, self.id);
        let before = self.source.place_before(&self.rows);
        let slack = slack(target_duration(self.shown.list));
        let twins = self.numbered_twins(&elsewhere, before, slack);
        let (slots, sure) = self.slots(&twins);
        let places = timeline::place(&slots, before, self.now.wall, slack);
        for (index, place) in places.iter().enumerate() {
            let row = self.rows[index];
            if !fresh.contains(&row.number) {
                continue;
            }
            let before = self.source.before(&self.rows, &places, index, jump);
            let listing = self.listing(&row);
            let twin = twins[index].or_else(|| elsewhere.dated(&row, place));
            if twin.is_none() {
                self.doubt(&row, &before, place, events);
            }
            let id = match twin {
                Some(twin) => self.join(twin, listing, place, events),
                None => self.enter(
                    &row,
                    Entry::new(listing, *place, before, sure[index], self.now.instant),
                ),
            };
            self.source.ids.insert(row.number, id);
        }
        self.source.placed(&self.rows, &places);
    }

    /// Gives up what waits for another attempt at an address, and doubts what is under way there, where the
    /// source may have something else by now, as an encoder that began anew does which names its segments by
    /// their numbers.
    fn give_up_superseded(&mut self, fresh: &BTreeSet<u64>, events: &mut Vec<Event>) {
        let rows = self.rows.iter().filter(|row| fresh.contains(&row.number));
        let taken = Taken::new(rows.map(|row| row.segment));
        for entry in self.planner.entries.values_mut() {
            let is_old = |listing: &Listing| listing.numbering != self.source.numbering;
            let claim = |old: &Listing| taken.claim(&old.segment, entry.place.start);
            if entry.state == State::InFlight {
                // of what another source lists as well, only the attempt knows where it went
                let attempts = entry.under_way_by(self.id).filter(|(old, _)| is_old(old));
                attempts.for_each(|(old, overwritten)| overwritten.set(claim(old)));
                continue;
            }
            let Some(claim) = entry.listing_in(self.id).filter(|old| is_old(old)).map(claim) else {
                continue;
            };
            let settling = entry.superseded(claim);
            events.extend(given_up(entry, settling));
        }
    }

    /// The segments of other sources that the rows are, by their numbers: in lists without a date by address
    /// as well, and where numbers alone tell unless they are of different times, as those of two
    /// broadcasts are.
    fn numbered_twins(
        &self,
        elsewhere: &Elsewhere,
        before: Option<Place>,
        slack: TimeDelta,
    ) -> Vec<Option<SegmentId>> {
        let none = vec![None; self.rows.len()];
        // its own source is taken out meanwhile
        if self.planner.sources.is_empty() {
            return none;
        }
        if self.planner.trust.numbers {
            let (slots, _) = self.slots(&none);
            let rough = timeline::place(&slots, before, self.now.wall, slack);
            let twin = |(row, place): (&Row<'_>, &Place)| {
                let known = elsewhere.numbered(self.planner, row, |_| true)?;
                let by = self.planner.entries.get(&known)?.place.start - place.start;
                (by.abs() <= MOST_DRIFT).then_some(known)
            };
            return self.rows.iter().zip(&rough).map(twin).collect();
        }
        if self.rows.iter().any(|row| timeline::stated(row.segment).is_some()) {
            return none;
        }
        let twin = |row: &Row<'_>| {
            let same = |entry: &Entry| entry.is_numbered(row.number, &row.segment.uri);
            elsewhere.numbered(self.planner, row, same)
        };
        self.rows.iter().map(twin).collect()
    }

    /// Remembers which segments are the newest.
    pub(super) fn note_edge(&mut self) {
        let newest = self.rows.iter().rev().filter(|row| !row.is_advertisement);
        let ids = newest.take(EDGE_SEGMENTS).filter_map(|row| self.source.ids.get(&row.number));
        self.source.edge = ids.copied().collect();
    }

    /// Notices when the list goes on from the newest segment of the programme that was known before, and so has
    /// whatever was published since. One that ends with that may be old, unless nothing can follow.
    pub(super) fn note_followed(&mut self) {
        let end = self.rows.last().map_or(0, |row| row.number);
        let end = if self.shown.list.end_list { end.saturating_add(1) } else { end };
        let listed = self.shown.list.media_sequence..end;
        let Some(last) = self.planner.account.last else { return };
        if self.source.ids.iter().any(|(number, id)| *id == last && listed.contains(number)) {
            self.planner.account.followed();
        }
    }

    fn listing(&self, row: &Row<'_>) -> Listing {
        let mut segment = row.segment.clone();
        if let Some(before) = &self.left_out
            && segment.map.is_none()
            && segment.key.is_none()
        {
            // what the tags that were left out said holds on
            (segment.map, segment.key) = (before.map.clone(), before.key.clone());
        }
        Listing {
            source: self.id,
            numbering: self.source.numbering,
            number: row.number,
            stretch: self.source.stretches.of(row.number),
            segment: Arc::new(segment),
            base: Arc::clone(self.shown.base),
            version: self.shown.list.version,
        }
    }

    /// What is known of each row before it is placed, and whether its duration is the publisher's.
    fn slots(&self, twins: &[Option<SegmentId>]) -> (Vec<Slot>, Vec<bool>) {
        let target = self.shown.list.target_duration;
        let entries = &self.planner.entries;
        let slot = |(index, row): (usize, &Row<'_>)| {
            let next = self.rows.get(index + 1).map(|next| next.segment);
            let (duration, is_sure) = timeline::duration(row.segment, next, target);
            let known = self.source.ids.get(&row.number).copied().or(twins[index]);
            let placed = known.and_then(|id| entries.get(&id)).map(|entry| entry.place);
            let stated = timeline::believed(row.segment, self.now.wall);
            (Slot { stated, duration, placed }, is_sure)
        };
        self.rows.iter().enumerate().map(slot).unzip()
    }

    /// Notices that the publisher's clock jumps before `row`, where that should not be.
    fn doubt(&mut self, row: &Row<'_>, before: &Before, place: &Place, events: &mut Vec<Event>) {
        let Before::Programme(previous) = before else { return };
        let jumps = skew(previous, place).is_some_and(|by| by.abs() > TOLERANCE);
        if self.planner.trust.clock && jumps && !row.segment.discontinuity {
            self.source.doubted = true;
            events.push(Event::Doubted { source: self.id });
        }
    }

    /// Another source has shown the segment before.
    fn join(
        &mut self,
        id: SegmentId,
        listing: Listing,
        place: &Place,
        events: &mut Vec<Event>,
    ) -> SegmentId {
        if let Some(entry) = self.planner.entries.get_mut(&id) {
            if entry.state == State::InFlight {
                events.push(Event::Elsewhere { id });
            }
            entry.relist(listing, false, self.now.instant);
            if place.origin == Origin::Stated && !self.source.doubted {
                entry.confirm(self.now.instant);
            }
        }
        id
    }

    fn enter(&mut self, row: &Row<'_>, mut entry: Entry) -> SegmentId {
        let id = SegmentId(self.planner.next_segment);
        self.planner.next_segment += 1;
        entry.is_advertisement = row.is_advertisement;
        if self.source.doubted {
            entry.doubt.get_or_insert(Doubt::Clock);
        }
        self.planner.entries.insert(id, entry);
        id
    }
}

/// The number of the last segment that a delta update leaves out.
fn last_left_out(list: &MediaPlaylist) -> Option<u64> {
    if list.skipped_segments > 0 { list.number_of(0).checked_sub(1) } else { None }
}

/// Segments that only other sources list, to find the same ones by.
struct Elsewhere {
    id: SourceId,
    by_start: BTreeMap<Timestamp, (SegmentId, Place)>,
}

impl Elsewhere {
    fn new(planner: &Planner, id: SourceId) -> Self {
        let others = planner
            .entries
            .iter()
            .filter(|(_, entry)| !entry.is_advertisement && entry.listing_in(id).is_none());
        let by_start = others.map(|(id, entry)| (entry.place.start, (*id, entry.place)));
        Self { id, by_start: by_start.collect() }
    }

    /// The segment of the programme that lies where `row` does, by the publisher's clock.
    fn dated(&self, row: &Row<'_>, place: &Place) -> Option<SegmentId> {
        if row.is_advertisement || place.origin == Origin::Arrival {
            return None;
        }
        let near = self.by_start.range(place.start - TOLERANCE..=place.start + TOLERANCE);
        let same = |known: &Place| {
            known.origin != Origin::Arrival && (known.end() - place.end()).abs() <= TOLERANCE
        };
        near.map(|(_, known)| known).find(|(_, known)| same(known)).map(|(id, _)| *id)
    }

    /// The segment that another source gives the same number, and that is the `same` otherwise.
    fn numbered(
        &self,
        planner: &Planner,
        row: &Row<'_>,
        same: impl Fn(&Entry) -> bool,
    ) -> Option<SegmentId> {
        let others = planner.sources.iter().filter(|(id, _)| **id != self.id);
        let same_number = others.filter_map(|(_, source)| source.ids.get(&row.number));
        same_number.copied().find(|id| {
            let entry = planner.entries.get(id);
            entry.is_some_and(|entry| !entry.is_advertisement && same(entry))
        })
    }
}
