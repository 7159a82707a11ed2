//! Why time is missing that no segment was listed for.

use super::*;

#[test]
fn a_hole_has_the_reason_of_the_interruption() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.planner.interrupted(Why::Offline, bench.now.wall);
    bench.wait(60);
    bench.show(&dated(40..=42));
    assert_eq!(bench.missed(), [(16.0, 64.0, Why::Offline)]);
}

#[test]
fn a_hole_with_several_interruptions_is_told_by_each_for_its_time() {
    let hole = |interruptions: &[(i64, Why)]| {
        let mut bench = Bench::new();
        bench.now.wall = at(17.0);
        bench.show(&dated(5..=7));
        for (seconds, why) in interruptions {
            bench.planner.interrupted(*why, bench.now.wall + TimeDelta::seconds(*seconds));
        }
        bench.wait(60);
        bench.show(&dated(40..=42));
        bench.missed()
    };
    let expected = [(16.0, 14.0, Why::TimeOut), (30.0, 50.0, Why::Offline)];
    assert_eq!(hole(&[(3, Why::TimeOut), (13, Why::Offline), (14, Why::Offline)]), expected);
    assert_eq!(hole(&[(300, Why::TimeOut), (400, Why::Offline)]), [(16.0, 64.0, Why::TimeOut)]);
    assert_eq!(hole(&[(-9, Why::TimeOut), (-8, Why::Offline)]), [(16.0, 64.0, Why::Offline)]);
    let many: Vec<_> =
        (0..99).map(|n| (n, if n % 2 == 0 { Why::TimeOut } else { Why::Refused })).collect();
    assert_eq!(hole(&many).len(), 15, "the last of 16 is the newest, which is later");
}

#[test]
fn a_hole_in_one_source_waits_for_another_that_is_behind() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    let other = bench.open("http://host/other.m3u8");
    bench.observe_in(other, &dated(10..=11), &[]);
    assert_eq!(bench.missed(), [], "the old one may have it");
    bench.show(&dated(8..=9));
    assert_eq!(bench.missed(), []);
    bench.show(&dated(9..=12));
    assert_eq!(bench.missed(), [], "and had it");
    bench.wait(60);
    bench.observe_in(other, &dated(20..=21), &[]);
    bench.close(bench.source);
    assert_eq!(bench.missed(), [(26.0, 14.0, Why::Expired)], "nobody else can");
}

#[test]
fn a_hole_after_the_clock_went_back_is_told_up_to_what_is_there() {
    let mut bench = Bench::new();
    bench.show(&dated(20..=23));
    // the next segment is dated 26 s before it should be
    let back = |numbers: std::ops::RangeInclusive<u64>, sequence: u64| {
        let before = format!("SEQUENCE:{}\n", numbers.start());
        dated(numbers).replace(&before, &format!("SEQUENCE:{sequence}\n"))
    };
    bench.show(&format!("{}{}", dated(21..=23), dates_of(&back(11..=11, 24))));
    bench.wait(20);
    bench.show(&back(21..=23, 34));
    assert_eq!(bench.missed(), [(24.0, 16.0, Why::Expired)], "up to 40, where the first begins");
}

#[test]
fn an_interruption_without_a_hole_is_forgotten() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.planner.interrupted(Why::Offline, bench.now.wall);
    bench.show(&dated(6..=8));
    bench.wait(60);
    bench.show(&dated(30..=32));
    assert_eq!(bench.missed(), [(18.0, 42.0, Why::Expired)]);
}

/// Loads fail for ten seconds from number 7 on, then `before` is listed, and later `after`: what is missed.
fn missed_after_failures(before: &str, after: &str) -> Vec<(f64, f64, Why)> {
    let mut bench = Bench::new();
    bench.now.wall = at(17.0);
    bench.show(&dated(5..=7));
    bench.planner.interrupted(Why::TimeOut, bench.now.wall);
    bench.wait(10);
    bench.show(before);
    bench.wait(20);
    bench.show(after);
    bench.missed()
}

#[test]
fn an_interruption_that_missed_nothing_explains_no_pause_of_the_encoder() {
    let late = dated(20..=21).replace("SEQUENCE:20", "SEQUENCE:8");
    let on = |known| format!("{}{}", dated(known), dates_of(&late));
    let delta = late.replace("SEQUENCE:8", "SEQUENCE:5\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3");
    // it stood still when it was seen again, and went on later; or was seen again when it went on
    for before in [dated(5..=7), dated(7..=7), on(5..=7), on(7..=7), delta] {
        assert_eq!(missed_after_failures(&before, &on(7..=7)), [], "{before}");
    }
    // an edge that lags and a list of before show nothing of what came since; and what has left the list, may
    // have
    for before in [dated(5..=6), dated(5..=7), late.clone()] {
        let missed = missed_after_failures(&before, &late);
        assert_eq!(missed, [(16.0, 24.0, Why::TimeOut)], "{before}");
    }
    let anew = dated(20..=22).replace("SEQUENCE:20", "SEQUENCE:5");
    assert_eq!(missed_after_failures(&anew, &anew), [(16.0, 24.0, Why::TimeOut)], "another 7");
}

#[test]
fn what_was_not_live_is_told_where_numbers_go_on() {
    let later = dated(1810..=1812).replace("SEQUENCE:1810", "SEQUENCE:16");
    let jumped = |event: &Event| matches!(event, Event::Discontinuity { .. });
    for later in [format!("{}{}", dated(14..=15), dates_of(&later)), later.clone()] {
        let mut bench = Bench::new();
        bench.now.wall = at(32.0);
        bench.show(&format!("{}#EXT-X-ENDLIST\n", dated(10..=15)));
        bench.planner.interrupted(Why::Offline, bench.now.wall);
        bench.wait(3600);
        bench.show(&later);
        assert!(!bench.events.iter().any(jumped), "time has passed, no clock has jumped");
        assert_eq!(bench.missed(), [(32.0, 3588.0, Why::Offline)], "{later}");
    }
    // a load that failed before the end was seen missed nothing
    let (mut bench, ended) = (Bench::new(), format!("{}#EXT-X-ENDLIST\n", dated(10..=15)));
    bench.now.wall = at(32.0);
    bench.show(&dated(10..=15));
    bench.planner.interrupted(Why::TimeOut, bench.now.wall);
    bench.wait(60);
    bench.show(&ended);
    bench.planner.interrupted(Why::Offline, bench.now.wall);
    bench.wait(3540);
    bench.show(&later);
    assert_eq!(bench.missed(), [(32.0, 3588.0, Why::Offline)]);
}

#[test]
fn an_interruption_makes_no_hole_of_dates_that_are_a_little_off() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.planner.interrupted(Why::TimeOut, bench.now.wall);
    bench.show(&dated(6..=8).replace("00:16.000", "00:16.040"));
    assert_eq!(bench.missed(), []);
}

#[test]
fn what_was_missed_before_the_start_and_what_since_are_told_apart() {
    let recalled = Recall { spans: vec![(at(0.0), at(100.0))] };
    let mut bench = Bench::after(&recalled);
    bench.planner.interrupted(Why::Offline, at(600.0));
    bench.wait(600);
    bench.show(&dated(600..=602));
    let expected = [(100.0, 500.0, Why::Stopped), (600.0, 600.0, Why::Offline)];
    assert_eq!(bench.missed(), expected);
}
