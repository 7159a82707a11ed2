//! Properties of selection, for random listings of several hours.
//!
//! Covered: it equals a slow reference that follows the contract sentence by sentence; it does not
//! depend on the order of the names; it joins within the tolerance except at a hole, and has holes
//! exactly where full cover is missing; what it selected, selected again, is the same. Left out: odd
//! forms of names, which are in `prop_segment.rs`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use common::base::hash::ContentHash;
use common::base::time::{Hour, TimeRange, Timestamp};
use common::format::segment::{Completeness, MediaDuration, SegmentName, Tail};
use common::plan::listing::HourListing;
use common::plan::select::{Hole, JOIN_TOLERANCE, Piece, Selection, best_segments};
use proptest::prelude::*;
use proptest::sample::select;

/// A file's name and size.
#[derive(Clone, Debug)]
struct File {
    start: Timestamp,
    name: SegmentName,
    size: u64,
}

impl File {
    fn published(&self) -> (Completeness, ContentHash) {
        self.name.published().unwrap()
    }

    fn end(&self) -> Timestamp {
        self.start + self.name.duration().delta()
    }

    fn path(&self) -> String {
        format!("{}/{}", self.start.hour(), self.name)
    }
}

fn at(millis: i64) -> Timestamp {
    let hour: Hour = "2026-11-20T10".parse().unwrap();
    hour.start() + TimeDelta::milliseconds(millis)
}

/// Mostly full, as in life, so that long runs are walked.
fn completeness() -> impl Strategy<Value = Completeness> {
    use Completeness::{Full, Partial, Suspect};
    select(vec![Full, Full, Full, Full, Full, Full, Suspect, Partial])
}

/// Milliseconds from ten o'clock: about the beginnings, middles and ends of four hours, on a coarse
/// grid with small offsets, so that rivals, joins and overlaps are common, also from hour to hour.
fn instant() -> impl Strategy<Value = i64> {
    let place = select(vec![0, 2_000, 4_000, 1_800_000, 3_594_000, 3_596_000, 3_598_000]);
    (0..4_i64, place, select(vec![0, 0, 0, 5, 10, 11, -5, -10, -11]))
        .prop_map(|(hour, place, offset)| hour * 3_600_000 + place + offset)
}

prop_compose! {
    fn file()(
        start in instant(),
        seconds in select(vec![0.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.01, 7.0, 1790.0, 3600.0]),
        completeness in completeness(),
        hash in 0..3_u8,
        size in 0..3_u64,
    ) -> File {
        let start = at(start);
        let duration = MediaDuration::from_seconds(seconds).unwrap();
        let tail = Tail::Published(completeness, ContentHash::of(&[hash]));
        File { start, name: SegmentName::new(start, duration, tail), size }
    }
}

/// Files of different paths.
fn files() -> impl Strategy<Value = Vec<File>> {
    prop::collection::vec(file(), 0..50).prop_map(|files| {
        let by_path: BTreeMap<String, File> =
            files.into_iter().map(|file| (file.path(), file)).collect();
        by_path.into_values().collect()
    })
}

fn range() -> impl Strategy<Value = TimeRange> {
    (instant(), instant())
        .prop_filter_map("no span", |(start, end)| TimeRange::new(at(start), at(end)))
}

fn listings(files: &[File]) -> Vec<Arc<HourListing>> {
    let mut hours: BTreeMap<Hour, Vec<&File>> = BTreeMap::new();
    for file in files {
        hours.entry(file.start.hour()).or_default().push(file);
    }
    let listing = |(hour, files): (Hour, Vec<&File>)| {
        let names: Vec<String> = files.iter().map(|file| file.name.to_string()).collect();
        let size_of = |name: &str| {
            let found = files.iter().find(|file| file.name.to_string() == name);
            found.map(|file| file.size)
        };
        Arc::new(HourListing::new(hour, names, size_of))
    };
    hours.into_iter().map(listing).collect()
}

fn selected(files: &[File], range: TimeRange) -> Selection {
    best_segments(&listings(files), range)
}

/// The paths selected, `None` where there is a hole.
fn paths(selection: &Selection) -> Vec<Option<String>> {
    let path = |piece| match piece {
        Piece::Segment(segment) => Some(format!("{segment:?}")),
        Piece::Hole(_) => None,
    };
    selection.pieces().map(path).collect()
}

/// The contract, sentence by sentence and without regard for speed.
fn reference(files: &[File], range: TimeRange) -> Vec<Option<String>> {
    let mut starts: Vec<Timestamp> = files.iter().map(|file| file.start).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut chosen = Vec::new();
    let mut previous: Option<&File> = None;
    for start in starts {
        let candidate = candidate(files.iter().filter(|file| file.start == start));
        let is_over = previous.is_some_and(|last| last.end() >= range.end());
        if candidate.start >= range.end() || is_over {
            break;
        }
        let hole = match previous {
            None if candidate.start > range.start() => true,
            None if candidate.end() > range.start() => false,
            None => continue,
            Some(last) => {
                let gap = candidate.start - last.end();
                if gap < -TimeDelta::milliseconds(10) {
                    continue;
                }
                gap > TimeDelta::milliseconds(10) || last.published().0 != Completeness::Full
            }
        };
        chosen.extend(hole.then_some(None));
        chosen.push(Some(candidate.path()));
        previous = Some(candidate);
    }
    let complete = previous
        .is_some_and(|last| last.published().0 == Completeness::Full && last.end() >= range.end());
    chosen.extend((!complete).then_some(None));
    chosen
}

/// The one that counts of files of one start.
fn candidate<'a>(rivals: impl Iterator<Item = &'a File> + Clone) -> &'a File {
    let full = rivals
        .clone()
        .filter(|rival| rival.published().0 == Completeness::Full)
        .max_by_key(|rival| (rival.name.duration().micros(), rival.size, rival.published().1));
    let damaged = rivals.min_by_key(|rival| {
        let suspect_first = rival.published().0 != Completeness::Suspect;
        (suspect_first, Reverse(rival.size), rival.name.to_string())
    });
    full.or(damaged).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_equals_the_reference(files in files(), range in range()) {
        prop_assert_eq!(paths(&selected(&files, range)), reference(&files, range));
    }

    #[test]
    fn it_does_not_depend_on_the_order(
        (files, shuffled) in files().prop_flat_map(|files| (Just(files.clone()), Just(files).prop_shuffle())),
        range in range(),
    ) {
        prop_assert_eq!(selected(&files, range), selected(&shuffled, range));
    }

    #[test]
    fn selecting_from_what_was_selected_selects_the_same(files in files(), range in range()) {
        let selection = selected(&files, range);
        let kept: Vec<String> = paths(&selection).into_iter().flatten().collect();
        let kept: Vec<File> = files.into_iter().filter(|file| kept.contains(&file.path())).collect();
        prop_assert_eq!(paths(&selected(&kept, range)), paths(&selection));
    }

    #[test]
    fn neighbours_join_and_holes_are_where_full_cover_is_missing(files in files(), range in range()) {
        let selection = selected(&files, range);
        let pieces: Vec<Piece<'_>> = selection.pieces().collect();
        for pair in pieces.windows(2) {
            match pair {
                [Piece::Segment(a), Piece::Segment(b)] => {
                    prop_assert_eq!(a.completeness(), Completeness::Full);
                    prop_assert!((b.start() - a.end()).abs() <= JOIN_TOLERANCE);
                    prop_assert!(a.start() < b.start());
                }
                [Piece::Hole(hole), Piece::Segment(next)] => prop_assert_eq!(hole.end, next.start()),
                [Piece::Segment(last), Piece::Hole(hole)] if last.completeness() == Completeness::Full => {
                    prop_assert_eq!(hole.start, last.end());
                }
                [Piece::Segment(last), Piece::Hole(hole)] => prop_assert_eq!(hole.start, last.start()),
                other => prop_assert!(false, "two holes in a row: {:?}", other),
            }
        }
        for Hole { start, end } in selection.holes() {
            prop_assert!(start < end, "{:?}", (start, end));
        }
        if let Some(Piece::Hole(first)) = pieces.first() {
            prop_assert_eq!(first.start, range.start());
        }
        if let Some(Piece::Hole(last)) = pieces.last() {
            prop_assert_eq!(last.end, range.end());
        }
        let is_whole = selection.holes().next().is_none();
        prop_assert_eq!(is_whole, covers_in_full(&pieces, range));
        prop_assert_eq!(is_whole, selection.is_whole());
        prop_assert_eq!(selection.len(), selection.segments().count());
    }
}

/// Whether `pieces` are full segments from the beginning of `range` to its end.
fn covers_in_full(pieces: &[Piece<'_>], range: TimeRange) -> bool {
    let mut covered_to = range.start();
    for (index, piece) in pieces.iter().enumerate() {
        let Piece::Segment(segment) = piece else { return false };
        let tolerance = if index == 0 { TimeDelta::zero() } else { JOIN_TOLERANCE };
        let follows = segment.start() <= covered_to + tolerance;
        if segment.completeness() != Completeness::Full || !follows {
            return false;
        }
        covered_to = segment.end();
    }
    covered_to >= range.end()
}
