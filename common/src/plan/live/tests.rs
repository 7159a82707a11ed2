use super::*;
use crate::base::hash::ContentHash;
use crate::base::time::Hour;

/// Segments of two seconds; their seconds from ten o'clock.
fn hours(starts: &[i64]) -> Vec<Arc<HourListing>> {
    named(&starts.iter().map(|start| (*start, "full")).collect::<Vec<_>>())
}

fn named(segments: &[(i64, &str)]) -> Vec<Arc<HourListing>> {
    let mut hours: Vec<(Hour, Vec<String>)> = Vec::new();
    for (start, word) in segments {
        let at = second(*start);
        let (minute, within) = (start.rem_euclid(3600) / 60, start.rem_euclid(60));
        let hash = ContentHash::of(format!("{start} {word}").as_bytes());
        let name = format!("{minute:02}:{within:02}.000000-2.0-{word}-{hash}.ts");
        match hours.iter_mut().find(|(hour, _)| *hour == at.hour()) {
            Some((_, names)) => names.push(name),
            None => hours.push((at.hour(), vec![name])),
        }
    }
    hours.sort_unstable();
    let listing = |(hour, names)| Arc::new(HourListing::new(hour, names, |_: &str| Some(1)));
    hours.into_iter().map(listing).collect()
}

fn second(number: i64) -> Timestamp {
    "2026-11-20T10".parse::<Hour>().unwrap().start() + TimeDelta::seconds(number)
}

fn from_ten() -> Option<TimeRange> {
    TimeRange::new(second(0), Timestamp::MAX)
}

/// The seconds at which the announced segments start.
fn starts(announced: &Announced) -> Vec<i64> {
    let segments = announced.parts().iter().flat_map(Part::segments);
    segments.map(|segment| (segment.start() - second(0)).num_seconds()).collect()
}

/// Advances, and returns what is announced.
fn after(announced: &mut Announced, stored: &[i64], now: i64) -> Vec<i64> {
    announced.advance(&hours(stored), from_ten(), second(now));
    starts(announced)
}

#[test]
fn a_late_segment_is_waited_for() {
    let mut line = Announced::default();
    assert_eq!(after(&mut line, &[0, 2, 4], 6), [0, 2, 4]);
    assert_eq!(after(&mut line, &[0, 2, 4, 8], 10), [0, 2, 4], "6 may come");
    assert_eq!(after(&mut line, &[0, 2, 4, 8, 10], 12), [0, 2, 4]);
    assert_eq!(after(&mut line, &[0, 2, 4, 6, 8, 10], 13), [0, 2, 4, 6, 8, 10], "it came");
}

#[test]
fn a_hole_is_announced_once_it_is_far_behind_the_newest() {
    let mut line = Announced::default();
    let stored = [0, 2, 6, 8, 10, 12, 14, 16];
    assert_eq!(after(&mut line, &stored[..7], 16), [0, 2], "12 s behind");
    assert_eq!(after(&mut line, &stored, 17), [0, 2], "14 s behind");
    let stored = [0, 2, 6, 8, 10, 12, 14, 16, 18];
    assert_eq!(after(&mut line, &stored, 18), stored, "16 s behind");
    let late = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18];
    assert_eq!(after(&mut line, &late, 19), stored, "too late");
}

#[test]
fn a_hole_is_announced_when_nothing_newer_comes() {
    let mut line = Announced::default();
    assert_eq!(after(&mut line, &[0, 2, 6], 8), [0, 2]);
    assert_eq!(after(&mut line, &[0, 2, 6], 22), [0, 2]);
    assert_eq!(after(&mut line, &[0, 2, 6], 23), [0, 2, 6], "15 s have passed");
}

#[test]
fn a_damaged_segment_waits_for_a_better_one() {
    let mut line = Announced::default();
    let advance = |line: &mut Announced, stored: &[(i64, &str)], now| {
        line.advance(&named(stored), from_ten(), second(now));
        let segments = line.parts().iter().flat_map(Part::segments);
        segments.map(|segment| segment.completeness().token()).collect::<Vec<_>>()
    };
    assert_eq!(advance(&mut line, &[(0, "full"), (2, "partial")], 4), ["full"]);
    let both = [(0, "full"), (2, "partial"), (2, "full")];
    assert_eq!(advance(&mut line, &both, 5), ["full", "full"]);

    let mut line = Announced::default();
    assert_eq!(advance(&mut line, &[(0, "full"), (2, "partial")], 4), ["full"]);
    assert_eq!(advance(&mut line, &[(0, "full"), (2, "partial")], 19), ["full", "partial"]);
    assert_eq!(advance(&mut line, &both, 20), ["full", "partial"], "what was announced stays");
}

#[test]
fn an_earlier_segment_does_not_come_in_between() {
    let mut line = Announced::default();
    assert_eq!(after(&mut line, &[0, 2, 4], 6), [0, 2, 4]);
    // the same stretch as another node cut it, found first by a fresh walk
    assert_eq!(after(&mut line, &[-1, 0, 1, 2, 3, 4, 5, 6], 8), [0, 2, 4, 6]);
}

#[test]
fn a_line_goes_on_over_the_hour() {
    let mut line = Announced::default();
    assert_eq!(after(&mut line, &[3596], 0), [3596]);
    assert_eq!(after(&mut line, &[3596, 3598, 3600], 0), [3596, 3598, 3600]);
    assert_eq!(after(&mut line, &[3596, 3598, 3600, 3602], 0), [3596, 3598, 3600, 3602]);
    assert_eq!(line.parts().len(), 2);
}

#[test]
fn what_is_deleted_at_the_front_moves_the_number() {
    let mut line = Announced::default();
    after(&mut line, &[3596, 3598, 3600, 3602], 0);
    assert_eq!(after(&mut line, &[3600, 3602, 3604], 0), [3600, 3602, 3604]);
    assert_eq!(line.removed(), 2);
    assert_eq!(line.before().unwrap().start(), second(3598));
}

#[test]
fn a_window_moves_on_and_is_never_empty() {
    let mut line = Announced::default();
    after(&mut line, &[3594, 3596, 3598, 3600, 3602], 0);
    line.forget_before(second(3596));
    assert_eq!((starts(&line), line.removed()), (vec![3596, 3598, 3600, 3602], 1));
    line.forget_before(second(3597));
    assert_eq!(line.removed(), 1, "3596 is not over yet");
    line.forget_before(second(3602));
    assert_eq!((starts(&line), line.removed()), (vec![3602], 4));
    assert_eq!(line.before().unwrap().start(), second(3600));
    line.forget_before(second(9999));
    assert_eq!((starts(&line), line.removed()), (vec![3602], 4));
}

/// The seconds at which the gaps start.
fn gaps(announced: &Announced) -> Vec<i64> {
    announced.gaps().iter().map(|gap| (*gap - second(0)).num_seconds()).collect()
}

#[test]
fn what_is_stored_no_longer_keeps_its_place_as_a_gap() {
    let mut line = Announced::default();
    after(&mut line, &[0, 2, 4, 3596, 3598, 3600], 7200);
    for _ in 0..2 {
        assert_eq!(after(&mut line, &[0, 4, 3598, 3600], 7200), [0, 2, 4, 3596, 3598, 3600]);
        assert_eq!((gaps(&line), line.removed()), (vec![2, 3596], 0));
    }
    assert_eq!(line.parts().len(), 6);
    let name = |line: &Announced| line.parts()[1].first().file_name();
    let hidden = name(&line);
    assert_eq!(after(&mut line, &[0, 2, 4, 3600, 3602], 7200), [0, 2, 4, 3596, 3598, 3600, 3602]);
    assert_eq!(gaps(&line), [3596, 3598], "2 is back");
    assert_eq!(after(&mut line, &[0, 4, 3600, 3602], 7200), [0, 2, 4, 3596, 3598, 3600, 3602]);
    assert_eq!((gaps(&line), name(&line)), (vec![2, 3596, 3598], hidden));
}

#[test]
fn a_gap_at_the_front_is_taken_away() {
    let mut line = Announced::default();
    after(&mut line, &[0, 2, 4, 6], 8);
    assert_eq!(after(&mut line, &[0, 6], 8), [0, 2, 4, 6]);
    assert_eq!(after(&mut line, &[6], 8), [6]);
    assert_eq!((gaps(&line), line.removed()), (vec![], 3));
    assert_eq!(after(&mut line, &[1], 8), [6], "nothing comes before it");
    assert_eq!((gaps(&line), line.removed()), (vec![6], 3), "what comes goes on from there");
    assert_eq!(after(&mut line, &[], 8), [6]);
    assert_eq!(after(&mut line, &[1, 8], 10), [8]);
    assert_eq!((gaps(&line), line.removed()), (vec![], 4));
}

#[test]
fn a_line_that_begins_anew_gives_no_number_twice() {
    let mut line = Announced::default();
    after(&mut line, &[3598, 3600, 3602], 3604);
    assert!(!line.begins_after(second(3599)) && line.begins_after(second(3598)));
    line.begin_anew();
    assert_eq!(after(&mut line, &[0, 2, 3598, 3600, 3602], 4), [0, 2]);
    assert_eq!((line.removed(), line.before()), (3, None));
}

#[test]
fn a_segment_from_the_future_keeps_nothing_out() {
    let mut line = Announced::default();
    assert_eq!(after(&mut line, &[0, 2, 1800], 4), [0, 2], "it may have a wrong date");
    assert_eq!(after(&mut line, &[0, 2, 4, 1800], 600), [0, 2, 4], "however long it lies there");
    let two = [0, 2, 4, 1800, 1860];
    assert_eq!(after(&mut line, &two, 600), [0, 2, 4], "and however many there are");
    let goes_on = [0, 2, 4, 1800, 1802, 1804, 1806, 1808, 1810, 1812, 1814];
    assert_eq!(after(&mut line, &goes_on, 601), goes_on, "a publisher whose clock is ahead");

    let mut line = Announced::default();
    assert_eq!(after(&mut line, &[0, 2, 64], 4), [0, 2]);
    assert_eq!(after(&mut line, &[0, 2, 4, 64], 63), [0, 2, 4], "not before its time");
    let real: Vec<i64> = (0..=62).step_by(2).chain([64]).collect();
    assert_eq!(after(&mut line, &real, 66), real);
}

#[test]
fn a_segment_alone_keeps_nothing_out_when_its_time_comes() {
    let mut line = Announced::default();
    let mut stored = vec![0, 2, 120];
    assert_eq!(after(&mut line, &stored, 119), [0, 2]);
    // the publisher's clock is more than a minute behind ours
    for (now, next) in (120..).zip((4..60).step_by(2)) {
        stored.insert(stored.len() - 1, next);
        assert_eq!(after(&mut line, &stored, now), stored[..stored.len() - 1]);
    }
    assert_eq!(after(&mut line, &stored, 170), stored, "nothing else comes");
}
