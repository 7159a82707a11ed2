use chrono::TimeDelta;

use super::*;
use crate::base::hash::ContentHash;
use crate::base::time::Hour;

fn source() -> FolderName {
    "source".parse().unwrap()
}

fn ten() -> Hour {
    "2026-11-20T10".parse().unwrap()
}

/// An hour with segments of two seconds that start at these seconds.
fn listing(hour: Hour, starts: impl IntoIterator<Item = u32>) -> Arc<HourListing> {
    let hash = ContentHash::of(b"");
    let names = starts
        .into_iter()
        .map(|second| format!("{:02}:{:02}-2-full-{hash}.ts", second / 60, second % 60));
    Arc::new(HourListing::new(hour, names, |_| None))
}

/// A range in seconds from ten o'clock.
fn seconds(start: i64, end: i64) -> TimeRange {
    let at = |second| ten().start() + TimeDelta::seconds(second);
    TimeRange::new(at(start), at(end)).unwrap()
}

fn plan(hours: &[Arc<HourListing>], ranges: &[TimeRange], holes: Holes) -> Result<Plan, CutError> {
    Plan::new(&source(), hours, ranges, holes)
}

#[test]
fn ranges_keep_their_order_and_may_repeat() {
    let hours = [listing(ten(), [0, 2, 4, 6])];
    let ranges = [seconds(4, 8), seconds(0, 3), seconds(4, 8)];
    let starts = |range: &PlannedRange| -> Vec<i64> {
        range.selection.segments().map(|s| (s.start() - ten().start()).num_seconds()).collect()
    };
    let plan = plan(&hours, &ranges, Holes::Refuse).unwrap();
    let planned: Vec<_> = plan.ranges.iter().map(starts).collect();
    assert_eq!(planned, [vec![4, 6], vec![0, 2], vec![4, 6]]);
    assert_eq!(plan.segments(), 6);
    assert_eq!(plan.into_files().count(), 6);
}

#[test]
fn missing_spans_are_named_unless_they_are_allowed() {
    let hours = [listing(ten(), [0, 2, 6, 8])];
    let ranges = [seconds(1, 10), seconds(6, 12)];
    let error = plan(&hours, &ranges, Holes::Refuse).unwrap_err();
    assert_eq!(
        error.to_string(),
        "source lacks 2026-11-20 10:00:04.000 to 10:00:06.000, 10:00:10.000 to 10:00:12.000"
    );
    let plan = plan(&hours, &ranges, Holes::Allow).unwrap();
    let holes: Vec<usize> =
        plan.ranges.iter().map(|range| range.selection.holes().count()).collect();
    assert_eq!(holes, [1, 1]);
    assert_eq!(plan.segments(), 6);
}

#[test]
fn a_range_without_video_is_refused_even_where_holes_are_allowed() {
    let hours = [listing(ten(), [0, 2])];
    let error = plan(&hours, &[seconds(0, 4), seconds(10, 12)], Holes::Allow).unwrap_err();
    assert_eq!(
        error.to_string(),
        "source has no video from 2026-11-20 10:00:10.000 to 10:00:12.000"
    );
}

#[test]
fn the_length_of_all_ranges_together_is_bounded() {
    let hours = [listing(ten(), [0])];
    let half = MAX_HOURS * 3600 / 2;
    let fits = [seconds(0, half), seconds(0, half)];
    assert!(plan(&hours, &fits, Holes::Allow).is_ok());
    let too_long = [seconds(0, half), seconds(0, half + 1)];
    assert_eq!(plan(&hours, &too_long, Holes::Allow), Err(CutError::TooLong));
}

#[test]
fn other_hours_do_not_disturb_a_range() {
    let eleven = ten().next().unwrap();
    let hours = [listing(ten(), [3598]), listing(eleven, [0, 2])];
    let over_the_hour = plan(&hours, &[seconds(3599, 3604)], Holes::Refuse).unwrap();
    assert_eq!(over_the_hour.segments(), 3);
    let after = plan(&hours, &[seconds(3600, 3602)], Holes::Refuse).unwrap();
    assert_eq!(after.segments(), 1);
}

#[test]
fn the_sentence_stays_short_and_dates_every_day() {
    let every_other = (0..100).map(|index| index * 4);
    let hours = [listing(ten(), every_other)];
    let sentence = plan(&hours, &[seconds(0, 400)], Holes::Refuse).unwrap_err().to_string();
    assert!(sentence.ends_with(" and 92 more"), "{sentence}");
    assert!(sentence.len() < 400, "{sentence}");

    let midnight = "2026-11-21T00".parse::<Hour>().unwrap().start();
    let hole = Hole {
        start: midnight - TimeDelta::microseconds(1_500_001),
        end: midnight + TimeDelta::milliseconds(500),
    };
    assert_eq!(
        Missing::from(hole).to_string(),
        "2026-11-20 23:59:58.499999 to 2026-11-21 00:00:00.500"
    );
}

#[test]
fn what_joins_a_range_lies_beside_it() {
    let eleven = "2026-11-20T11".parse().unwrap();
    let hours = [listing(ten(), (3580..3600).step_by(2)), listing(eleven, [0, 2, 6])];
    let beside = |start, end| {
        let plan = plan(&hours, &[seconds(start, end)], Holes::Allow).unwrap();
        let beside = plan.ranges[0].beside.clone();
        let second = |stored: &StoredSegment| (stored.start - ten().start()).num_seconds();
        let before: Vec<i64> = beside.before.iter().map(second).collect();
        (before, beside.behind.as_ref().map(second))
    };
    assert_eq!(beside(3587, 3599), (vec![3584, 3582, 3580], Some(3600)));
    assert_eq!(beside(3580, 3602), (vec![], Some(3602)));
    // beside a hole there is nothing
    assert_eq!(beside(3600, 3605), ((0..10).map(|n| 3598 - 2 * n).collect(), None));
    assert_eq!(beside(3605, 3608), (vec![], None));
    assert_eq!(beside(3602, 3604), ((0..11).map(|n| 3600 - 2 * n).collect(), None));
    let range = with_beside(seconds(3580, 3602));
    assert!(hours.iter().all(|listing| range.may_lie_in(listing.hour())));
}

#[test]
fn segments_tell_whether_they_join() {
    let hours = [listing(ten(), [0, 2, 6, 8])];
    let plan = plan(&hours, &[seconds(1, 10)], Holes::Allow).unwrap();
    let range = plan.ranges.into_iter().next().unwrap();
    let joins: Vec<bool> = range.into_segments().map(|stored| stored.joins).collect();
    assert_eq!(joins, [false, true, false, true]);
}
