//! Properties of segment names and selection, for random input.
//!
//! Covered: printing reads back; reading never panics; selection does not depend on the listing's
//! order, is in order of time, joins within the tolerance except at a hole, puts holes exactly where
//! full cover is missing, and equals a slow reference that follows the contract sentence by
//! sentence. Left out: durations that no EXTINF can print to, since names are made from numbers here.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use chrono::TimeDelta;
use common::base::hash::ContentHash;
use common::base::time::{Hour, TimeRange, Timestamp};
use common::format::segment::{Completeness, MediaDuration, SegmentName, SegmentPath, Tail};
use common::plan::listing::{HourListing, StoredSegment};
use common::plan::select::{JOIN_TOLERANCE, Piece, best_segments};
use proptest::prelude::*;
use proptest::sample::select;

fn completeness() -> impl Strategy<Value = Completeness> {
    use Completeness::{Full, Partial, Suspect};
    // mostly full, as in life, so that long runs are walked
    select(vec![Full, Full, Full, Full, Suspect, Partial])
}

prop_compose! {
    fn name()(
        micros in 0..3_600_000_000_i64,
        seconds in 0.0..=3600.0_f64,
        completeness in completeness(),
        hash in any::<[u8; 8]>(),
    ) -> SegmentName {
        let duration = MediaDuration::from_seconds(seconds).unwrap();
        let tail = Tail::Published(completeness, ContentHash::of(&hash));
        SegmentName::new(Timestamp::from_micros(micros), duration, tail)
    }
}

proptest! {
    #[test]
    fn printing_reads_back(name in name()) {
        prop_assert_eq!(name.to_string().parse(), Ok(name));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*", name in name(), at in any::<prop::sample::Index>()) {
        let _ = text.parse::<SegmentPath>();
        let good = name.to_string();
        let (before, after) = good.split_at(at.index(good.len()));
        // one foreign character in an otherwise good name
        let _ = format!("{before}{}{after}", text.chars().next().unwrap_or('-')).parse::<SegmentPath>();
    }
}

/// A file of the hour: (milliseconds into it, milliseconds long, completeness, hash seed, size).
type File = (i64, i64, Completeness, u8, u64);

fn files() -> impl Strategy<Value = Vec<File>> {
    // starts on a coarse grid with small offsets, so that rivals, joins and overlaps are common
    let start = (0..30_i64, select(vec![0, 0, 0, 5, 10, 11, -5, -10, -11]));
    let file = (
        start,
        select(vec![0, 1000, 2000, 2000, 2000, 2010, 7000]),
        completeness(),
        0..3_u8,
        0..3_u64,
    );
    let file = file.prop_map(|((slot, offset), length, completeness, hash, size)| {
        (60_000 + slot * 2000 + offset, length, completeness, hash, size)
    });
    prop::collection::vec(file, 0..40)
}

fn hour() -> Hour {
    "2026-11-20T10".parse().unwrap()
}

fn at(millis: i64) -> Timestamp {
    hour().start() + TimeDelta::milliseconds(millis)
}

fn listing(files: &[File]) -> HourListing {
    let files = files.iter().map(|(start, length, completeness, hash, size)| {
        let seconds = f64::from(i32::try_from(*length).unwrap()) / 1000.0;
        let duration = MediaDuration::from_seconds(seconds).unwrap();
        let tail = Tail::Published(*completeness, ContentHash::of(&[*hash]));
        (SegmentName::new(at(*start), duration, tail).to_string(), *size)
    });
    // two files of one name cannot lie in one folder
    let sizes: std::collections::BTreeMap<String, u64> = files.collect();
    HourListing::new(hour(), sizes.keys(), |name| sizes.get(name).copied())
}

/// Spans whose ends often fall on the grid of the files, where the rules turn.
fn range() -> impl Strategy<Value = TimeRange> {
    let edge = || (25..65_i64, prop_oneof![Just(0), -2000..2000_i64]);
    let edges = (edge(), edge()).prop_map(|edges| {
        let (start, end) = edges;
        (at(start.0 * 2000 + start.1), at(end.0 * 2000 + end.1))
    });
    edges.prop_filter_map("no span", |(start, end)| TimeRange::new(start, end))
}

/// The contract, sentence by sentence and without regard for speed: the names chosen, `None` where
/// there is a hole.
fn reference(segments: &[StoredSegment], range: TimeRange) -> Vec<Option<String>> {
    let mut starts: Vec<Timestamp> = segments.iter().map(|segment| segment.start).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut chosen = Vec::new();
    let mut previous: Option<&StoredSegment> = None;
    for start in starts {
        let rivals = || segments.iter().filter(|segment| segment.start == start);
        let full = rivals()
            .filter(|rival| rival.completeness == Completeness::Full)
            .max_by_key(|rival| (rival.duration(), rival.size, rival.hash));
        let damaged = || {
            rivals().min_by_key(|rival| {
                let suspect_first = rival.completeness != Completeness::Suspect;
                (suspect_first, std::cmp::Reverse(rival.size), rival.file_name.clone())
            })
        };
        let candidate = full.or_else(damaged).unwrap();
        if candidate.start >= range.end() || previous.is_some_and(|last| last.end() >= range.end())
        {
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
                gap > TimeDelta::milliseconds(10) || last.completeness != Completeness::Full
            }
        };
        chosen.extend(hole.then_some(None));
        chosen.push(Some(candidate.file_name.to_string()));
        previous = Some(candidate);
    }
    let complete = previous
        .is_some_and(|last| last.completeness == Completeness::Full && last.end() >= range.end());
    chosen.extend((!complete).then_some(None));
    chosen
}

proptest! {
    #[test]
    fn selection_equals_the_reference(files in files(), range in range()) {
        let listing = listing(&files);
        let selection = best_segments([&listing], range);
        let chosen: Vec<Option<String>> = selection.pieces.iter().map(|piece| match piece {
            Piece::Segment(segment) => Some(segment.file_name.to_string()),
            Piece::Hole(_) => None,
        }).collect();
        prop_assert_eq!(chosen, reference(&listing.segments, range));
    }

    #[test]
    fn selection_does_not_depend_on_the_order(
        (files, shuffled) in files().prop_flat_map(|files| (Just(files.clone()), Just(files).prop_shuffle())),
        range in range(),
    ) {
        // equal names with unequal sizes would make two different folders
        let (files, shuffled) = (without_sizes(files), without_sizes(shuffled));
        let (one, other) = (listing(&files), listing(&shuffled));
        prop_assert_eq!(best_segments([&one], range), best_segments([&other], range));
    }

    #[test]
    fn neighbours_join_and_holes_are_where_full_cover_is_missing(files in files(), range in range()) {
        let listing = listing(&files);
        let selection = best_segments([&listing], range);
        for pair in selection.pieces.windows(2) {
            match pair {
                [Piece::Segment(a), Piece::Segment(b)] => {
                    prop_assert_eq!(a.completeness, Completeness::Full);
                    prop_assert!((b.start - a.end()).abs() <= JOIN_TOLERANCE);
                    prop_assert!(a.start < b.start);
                }
                [Piece::Hole(hole), Piece::Segment(next)] => prop_assert_eq!(hole.end, next.start),
                [Piece::Segment(last), Piece::Hole(hole)] if last.completeness == Completeness::Full => {
                    prop_assert_eq!(hole.start, last.end());
                }
                [Piece::Segment(last), Piece::Hole(hole)] => prop_assert_eq!(hole.start, last.start),
                other => prop_assert!(false, "two holes in a row: {:?}", other),
            }
        }
        for hole in selection.holes() {
            prop_assert!(hole.start < hole.end, "{:?}", hole);
        }
    }
}

fn without_sizes(mut files: Vec<File>) -> Vec<File> {
    for file in &mut files {
        file.4 = 1;
    }
    files
}
