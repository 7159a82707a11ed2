use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::base::hash::ContentHash;
use crate::base::time::Hour;

/// The shared vectors: listings and spans with the segments and holes that must be chosen.
const VECTORS: &str = include_str!("../../../testdata/vectors/best_segments.json");

#[derive(serde::Deserialize)]
struct Case {
    id: serde_json::Value,
    hours: BTreeMap<String, Vec<(String, u64)>>,
    start: Timestamp,
    end: Timestamp,
    expected: Vec<Option<String>>,
    has_holes: bool,
}

impl Case {
    fn listings(&self) -> Vec<Arc<HourListing>> {
        let hours = self.hours.iter().map(|(hour, files)| (hour.parse::<Hour>().unwrap(), files));
        hours
            .map(|(hour, files)| {
                let sizes: HashMap<&str, u64> =
                    files.iter().map(|(name, size)| (name.as_str(), *size)).collect();
                let names = files.iter().map(|(name, _)| name);
                Arc::new(HourListing::new(hour, names, |name| sizes.get(name).copied()))
            })
            .collect()
    }
}

#[test]
fn the_vectors_hold() {
    let cases: Vec<Case> = serde_json::from_str(VECTORS).unwrap();
    assert!(cases.len() > 700, "the vectors are there");
    for case in &cases {
        let listings = case.listings();
        let selection = select(&listings, case.start, case.end);
        let chosen: Vec<Option<String>> = selection
            .pieces()
            .map(|piece| match piece {
                Piece::Segment(s) => Some(format!("{}/{}", s.start().hour(), s.file_name())),
                Piece::Hole(_) => None,
            })
            .collect();
        assert_eq!(chosen, case.expected, "case {}", case.id);
        assert_eq!(selection.holes().next().is_some(), case.has_holes, "case {}", case.id);
    }
}

/// A listing of segments given as (second, duration, completeness).
fn listing(segments: &[(u32, f64, &str)]) -> Arc<HourListing> {
    let name = |(index, (second, duration, completeness)): (usize, &(u32, f64, &str))| {
        let hash = ContentHash::of(&index.to_be_bytes());
        format!("00:{second:02}.000000-{duration:?}-{completeness}-{hash}.ts")
    };
    let names: Vec<String> = segments.iter().enumerate().map(name).collect();
    Arc::new(HourListing::new("2026-11-20T10".parse().unwrap(), names, |_| Some(1)))
}

fn seconds(start: i64, end: i64) -> TimeRange {
    let base = "2026-11-20T10".parse::<Hour>().unwrap().start();
    TimeRange::new(base + TimeDelta::seconds(start), base + TimeDelta::seconds(end)).unwrap()
}

#[test]
fn a_hole_spans_what_is_not_covered_in_full() {
    let hour =
        listing(&[(2, 2.0, "full"), (4, 2.0, "partial"), (8, 2.0, "full"), (12, 2.0, "full")]);
    let holes: Vec<Hole> = best_segments([&hour], seconds(0, 20)).holes().collect();
    let expected = [seconds(0, 2), seconds(4, 8), seconds(10, 12), seconds(14, 20)];
    assert_eq!(holes, expected.map(|hole| Hole { start: hole.start(), end: hole.end() }));
}

#[test]
fn only_a_segment_at_the_end_reaches_it() {
    let hour = listing(&[(0, 2.0, "full"), (2, 2.0, "full")]);
    assert!(best_segments([&hour], seconds(0, 4)).reaches_end());
    assert!(!best_segments([&hour], seconds(0, 5)).reaches_end());
    assert!(!best_segments([], seconds(0, 5)).reaches_end());
}

/// The listing of an hour of full segments, given as (MM:SS.ffffff, duration).
fn full(hour: &str, segments: &[(&str, &str)]) -> Arc<HourListing> {
    let name = |(index, (start, duration)): (usize, &(&str, &str))| {
        let hash = ContentHash::of(&index.to_be_bytes());
        format!("{start}-{duration}-full-{hash}.ts")
    };
    let names: Vec<String> = segments.iter().enumerate().map(name).collect();
    Arc::new(HourListing::new(hour.parse().unwrap(), names, |_| Some(1)))
}

fn starts(selection: &Selection) -> Vec<String> {
    let short = |segment: Segment<'_>| segment.file_name().split_once('-').unwrap().0.to_owned();
    selection.segments().map(short).collect()
}

#[test]
fn a_span_that_ends_within_the_line_of_an_hour_cuts_it_short() {
    // the last one lies within the tolerance before the end of the one before it, and ends with it or
    // earlier
    let before = full("2026-11-20T10", &[("59:58.000000", "2.0")]);
    for last in [("00:09.995000", "0.005"), ("00:09.995000", "0.001")] {
        let hour = full("2026-11-20T11", &[("00:00.000000", "10.0"), last]);
        let end =
            |micros: i64| before.hour().start() + TimeDelta::microseconds(3_600_000_000 + micros);
        for (micros, expected) in [(9_998_000, 2), (10_000_000, 2), (10_000_001, 3)] {
            let selection = select([&before, &hour], before.hour().start(), end(micros));
            assert_eq!(starts(&selection).len(), expected, "{last:?} {micros}");
        }
    }
}

#[test]
fn a_segment_of_no_length_does_not_follow_itself() {
    let hour = full("2026-11-20T10", &[("00:00.000000", "2.0"), ("00:02.000000", "0.0")]);
    let all = best_segments([&hour], seconds(0, 60));
    assert_eq!(starts(&all), ["00:00.000000", "00:02.000000"]);
    let last = all.segments().last().unwrap();
    assert!(continue_after(last, [&hour], seconds(0, 60).end()).is_empty());
}

#[test]
fn parts_are_told_apart_by_what_was_picked() {
    let hour = listing(&[(0, 2.0, "full"), (2, 2.0, "full"), (4, 2.0, "full")]);
    let digest = |range| best_segments([&hour], range).parts()[0].digest();
    let digests = [seconds(0, 6), seconds(0, 4), seconds(2, 6), seconds(2, 4)].map(digest);
    let different: std::collections::HashSet<u64> = digests.into_iter().collect();
    assert_eq!(different.len(), digests.len());
}
