//! One address that a feed is followed at: its numbers, and how its lists follow one another. Pure.

use std::collections::BTreeMap;

use common::base::time::Timestamp;
use common::format::hls::{MediaPlaylist, Segment};
use common::io::store::notes::Why;
use tokio::time::Instant;
use url::Url;

use super::entry::{Before, Entry};
use super::numbering::{Numbering, Relation, Sighting};
use super::stretches::Stretches;
use super::timeline::{self, Place};
use super::{MAX_LISTED, SegmentId, SourceId};

/// How many segments may appear beyond what the elapsed time explains before numbers were skipped.
const SPARE_SEGMENTS: f64 = 3.0;

/// A segment of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) number: u64,
    pub(super) segment: &'a Segment,
    pub(super) is_advertisement: bool,
}

/// The newest rows of a list, at most [`MAX_LISTED`] of them.
pub(super) fn rows<'a>(list: &'a MediaPlaylist, advertisements: &[bool]) -> Vec<Row<'a>> {
    let passed_over = list.segments.len().saturating_sub(MAX_LISTED);
    let row = |(index, segment)| Row {
        number: list.number_of(index),
        segment,
        is_advertisement: advertisements.get(index).copied().unwrap_or(false),
    };
    list.segments.iter().enumerate().skip(passed_over).map(row).collect()
}

/// One address, and what its lists have shown.
#[derive(Debug)]
pub(super) struct Source {
    /// Without its query.
    address: Url,
    /// Whether nobody loads its list any more.
    pub(super) ended: bool,
    /// Whether its clock jumped.
    pub(super) doubted: bool,
    /// Tells this numbering from all others of the feed.
    pub(super) numbering: u32,
    /// The first one of it.
    first_numbering: u32,
    pub(super) numbers: Numbering,
    /// Where its discontinuities were.
    pub(super) stretches: Stretches,
    /// Which segments its numbers are, as far as they are remembered.
    pub(super) ids: BTreeMap<u64, SegmentId>,
    /// The last of the newest list, the newest first.
    pub(super) edge: Vec<SegmentId>,
    newest: Option<Newest>,
    /// Whether the last list was said to be at its end.
    is_final: bool,
    last_list: Option<LastList>,
}

/// The list that was seen last.
#[derive(Clone, Copy, Debug)]
struct LastList {
    at: Instant,
    /// Its last number.
    last: u64,
    /// When a list was last seen that did not have that number yet; the first one that has it, if there was none.
    not_before: Instant,
    /// How many segments it has.
    length: usize,
    /// The mean duration of its segments in seconds.
    mean: f64,
}

/// The newest segment that was placed in the present numbering.
#[derive(Clone, Copy, Debug)]
struct Newest {
    number: u64,
    place: Place,
    is_advertisement: bool,
}

impl Source {
    pub(super) fn new(address: &Url, numbering: u32) -> Self {
        Self {
            address: without_query(address),
            ended: false,
            doubted: false,
            numbering,
            first_numbering: numbering,
            numbers: Numbering::default(),
            stretches: Stretches::default(),
            ids: BTreeMap::new(),
            edge: Vec::new(),
            newest: None,
            is_final: false,
            last_list: None,
        }
    }

    /// Whether `address` is this one, but for its query.
    pub(super) fn is_at(&self, address: &Url) -> bool {
        self.address == without_query(address)
    }

    /// How far its lists have come.
    pub(super) fn reached(&self) -> Option<Timestamp> {
        self.newest.map(|newest| newest.place.end())
    }

    /// What a list, which `is_final` or not, is to those before; takes its numbers in.
    pub(super) fn relate(
        &mut self,
        id: SourceId,
        rows: &[Row<'_>],
        is_final: bool,
        entries: &BTreeMap<SegmentId, Entry>,
    ) -> Relation {
        let was_final = std::mem::replace(&mut self.is_final, is_final) && !is_final;
        let list: Vec<Sighting<'_>> =
            rows.iter().map(|row| sighting(row.number, row.segment)).collect();
        let ids = &self.ids;
        let remembered = |number| {
            let listing = entries.get(ids.get(&number)?)?.listing_in(id)?;
            Some(sighting(number, &listing.segment))
        };
        self.numbers.take_in(&list, was_final, remembered)
    }

    /// Whether it began to number anew at some time.
    pub(super) fn is_renumbered(&self) -> bool {
        self.numbering != self.first_numbering
    }

    /// Begins a new numbering.
    pub(super) fn renumber(&mut self, numbering: u32) {
        self.numbering = numbering;
        self.newest = None;
        self.stretches = Stretches::default();
        self.ids.clear();
        self.edge.clear();
    }

    /// Why numbers are missing between the lists before and this one, if they are.
    pub(super) fn jump(
        &mut self,
        relation: Relation,
        rows: &[Row<'_>],
        now: Instant,
    ) -> Option<Why> {
        let last = rows.last().map_or(0, |row| row.number);
        let before = self.last_list;
        let not_before = match before {
            Some(before) if before.last == last => before.not_before,
            Some(before) => before.at,
            None => now,
        };
        let (length, mean) = (rows.len(), mean_seconds(rows));
        self.last_list = Some(LastList { at: now, last, not_before, length, mean });
        let (Relation::Jumps { .. }, Some(before)) = (relation, before) else { return None };
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let appeared = last.saturating_sub(before.last) as f64;
        // who publishes anew behind a gap begins with a short list; a full one went on unseen, as behind a
        // cache that stood still, and its end may have been old when it was seen
        let since = if length < before.length { before.at } else { before.not_before };
        let explained = now.saturating_duration_since(since).as_secs_f64() / before.mean;
        let skipped = appeared > explained + SPARE_SEGMENTS;
        Some(if skipped { Why::SequenceJump } else { Why::Expired })
    }

    /// What the row at `index` comes after, given the places of all rows.
    pub(super) fn before(
        &self,
        rows: &[Row<'_>],
        places: &[Place],
        index: usize,
        jump: Option<Why>,
    ) -> Before {
        let row = index.checked_sub(1).and_then(|before| rows.get(before).zip(places.get(before)));
        let (is_advertisement, place) = match (row, self.newest_before(rows)) {
            (Some((row, place)), _) => (row.is_advertisement, *place),
            (None, Some(newest)) => (newest.is_advertisement, newest.place),
            (None, None) => return Before::Nothing(jump),
        };
        if is_advertisement { Before::Advertisement } else { Before::Programme(place) }
    }

    /// The place of the segment before the first row, if that is known.
    pub(super) fn place_before(&self, rows: &[Row<'_>]) -> Option<Place> {
        self.newest_before(rows).map(|newest| newest.place)
    }

    /// Takes in where the last row lies.
    pub(super) fn placed(&mut self, rows: &[Row<'_>], places: &[Place]) {
        let Some((row, place)) = rows.last().zip(places.last()) else { return };
        let Row { number, is_advertisement, .. } = *row;
        if self.newest.is_none_or(|newest| newest.number < number) {
            self.newest = Some(Newest { number, place: *place, is_advertisement });
        }
    }

    fn newest_before(&self, rows: &[Row<'_>]) -> Option<Newest> {
        let first = rows.first()?.number;
        self.newest.filter(|newest| newest.number.checked_add(1) == Some(first))
    }
}

fn sighting(number: u64, segment: &Segment) -> Sighting<'_> {
    Sighting { number, uri: &segment.uri, stated: timeline::stated(segment) }
}

fn without_query(address: &Url) -> Url {
    let mut plain = address.clone();
    plain.set_query(None);
    plain
}

/// The mean duration of the segments, at least a tenth of a second.
fn mean_seconds(rows: &[Row<'_>]) -> f64 {
    let sum: f64 = rows.iter().filter_map(|row| row.segment.duration).sum();
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let mean = sum / rows.len() as f64;
    mean.max(0.1)
}
