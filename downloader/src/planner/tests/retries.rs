//! Segments that were refused, and those that are tried though their list is gone.

use super::*;

#[test]
fn an_address_that_is_used_again_is_not_asked_for_what_was_there() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=8));
    bench.save([5, 6]);
    bench.refuse(7, Retry::Later);
    bench.refuse(8, Retry::Later);
    bench.wait(60);
    // the encoder began anew and has come to the seventh segment again
    let again = dated(40..=41).replace("SEQUENCE:40", "SEQUENCE:0");
    let again = again.replace("40.ts", "6.ts?new").replace("41.ts", "7.ts?new");
    bench.observe(&again);
    let mut asked: Vec<_> = bench
        .jobs()
        .into_iter()
        .map(|job| (job.start, job.segment.uri.clone(), job.overwritten.is_likely()))
        .collect();
    asked.sort_unstable();
    let expected = [(16.0, "8.ts", true), (80.0, "6.ts?new", false), (82.0, "7.ts?new", false)];
    let expected = expected.map(|(start, uri, likely)| (at(start), uri.to_owned(), likely));
    assert_eq!(asked, expected, "the old 7.ts is gone, 8.ts may be there yet");
    assert_eq!(bench.missed(), [(14.0, 2.0, Why::Expired), (18.0, 62.0, Why::Expired)]);
}

#[test]
fn what_is_under_way_at_an_address_that_is_used_again_is_doubted() {
    let mut bench = Bench::new();
    bench.observe(&dated(5..=9));
    let mut old = bench.jobs();
    old.sort_by_key(|job| job.number);
    let again = dated(40..=41).replace("SEQUENCE:40", "SEQUENCE:0");
    let again = again.replace("40.ts", "5.ts?new").replace("41.ts", "6.ts?new");
    bench.observe(&again);
    let claims = old.iter().map(|job| (job.overwritten.is_likely(), job.overwritten.is_certain()));
    let (free, soon, taken) = ((false, false), (true, false), (true, true));
    assert_eq!(claims.collect::<Vec<_>>(), [taken, taken, soon, soon, free]);
    bench.missed();
    for job in &old[2..] {
        let failure = Failure { why: Why::TimeOut, detail: String::new(), retry: Retry::Later };
        let ended = bench.planner.finish(job.id, Attempt::failed(failure), bench.now.instant);
        bench.events.extend(ended);
    }
    let missed = [(14.0, 2.0, Why::TimeOut), (16.0, 2.0, Why::TimeOut)];
    assert_eq!(bench.missed(), missed, "only 9.ts is asked for again");
}

/// An encoder that began anew, which has another segment at the address of the seventh.
fn anew() -> String {
    let again = dated(40..=41).replace("SEQUENCE:40", "SEQUENCE:0");
    again.replace("40.ts", "7.ts").replace("41.ts", "8.ts")
}

/// Ends an attempt at that segment for good as far as its address goes, or for now; returns where it is asked
/// for after a second, and whether another may be there.
fn asked_again(bench: &mut Bench, id: SegmentId, retry: Retry) -> Vec<(SourceId, bool)> {
    let gone = Failure { why: Why::Expired, detail: String::new(), retry };
    let ended = bench.planner.finish(id, Attempt::failed(gone), bench.now.instant);
    bench.events.extend(ended);
    bench.wait(1);
    let again = bench.jobs().into_iter().filter(|job| job.id == id);
    again.map(|job| (job.source, job.overwritten.is_likely())).collect()
}

#[test]
fn what_another_source_lists_is_had_from_there() {
    for was_listed_there in [true, false] {
        let mut bench = Bench::new();
        bench.observe(&dated(5..=8));
        let (seven, old) = (bench.id(7), bench.jobs());
        let old = old.into_iter().find(|job| job.id == seven).unwrap();
        let other = bench.open("http://host/other.m3u8");
        if was_listed_there {
            bench.observe_in(other, &dated(5..=8), &[]);
            bench.observe(&anew());
        } else {
            bench.observe(&anew());
            bench.observe_in(other, &dated(5..=8), &[]);
        }
        assert!(old.overwritten.is_certain(), "where it was asked for is another");
        let there = bench.planner.elsewhere(seven).unwrap();
        assert_eq!((there.source, there.overwritten.is_likely()), (other, false));
        assert_eq!(asked_again(&mut bench, seven, Retry::Later), [(other, false)]);
        let again = asked_again(&mut bench, seven, Retry::WhileListed);
        assert_eq!(again, [], "not before it is seen there again");
        assert!(!bench.missed().contains(&(14.0, 2.0, Why::Expired)));
    }
    let mut bench = Bench::new();
    bench.observe(&dated(5..=8));
    let seven = bench.id(7);
    bench.jobs();
    bench.observe(&anew());
    assert_eq!(asked_again(&mut bench, seven, Retry::Later), [], "no other lists it");
    assert!(bench.missed().contains(&(14.0, 2.0, Why::Expired)));
}

#[test]
fn each_of_two_attempts_is_told_what_is_where_it_went() {
    let mut bench = Bench::new();
    bench.observe(&dated(5..=8));
    let (seven, old) = (bench.id(7), bench.jobs());
    let first = old.into_iter().find(|job| job.id == seven).unwrap();
    let other = bench.open("http://host/other.m3u8");
    bench.observe_in(other, &dated(5..=8), &[]);
    let beside = bench.planner.elsewhere(seven).unwrap();
    bench.observe_in(other, &dated(6..=9), &[]);
    bench.planner.elsewhere(seven).unwrap();
    bench.observe_in(other, &anew(), &[]);
    let claims = |job: &Job| (job.overwritten.is_likely(), job.overwritten.is_certain());
    assert_eq!((claims(&first), claims(&beside)), ((false, false), (true, true)));
    bench.observe(&anew());
    assert_eq!((claims(&first), claims(&beside)), ((true, true), (true, true)));
}

#[test]
fn an_edge_that_lags_for_long_takes_no_address() {
    let mut bench = Bench::new();
    bench.observe(&dated(5..=9));
    let old = bench.jobs();
    for _ in 0..=numbering::MAX_REGRESSIONS {
        bench.observe(&dated(5..=7));
    }
    assert!(bench.events.contains(&Event::Renumbered));
    assert!(old.iter().all(|job| !job.overwritten.is_likely()), "8.ts and 9.ts are what they were");
}

#[test]
fn a_list_that_numbers_the_same_segments_anew_takes_no_address() {
    let mut bench = Bench::new();
    bench.observe(&dated(5..=8));
    let old = bench.jobs();
    bench.observe(&dated(6..=9).replace("SEQUENCE:6", "SEQUENCE:0"));
    assert!(bench.events.contains(&Event::Renumbered));
    assert!(old.iter().all(|job| !job.overwritten.is_likely()));
    // elsewhere it is what it was
    let mut bench = Bench::new();
    bench.observe(&dated(5..=8));
    let seven = bench.id(7);
    bench.refuse(7, Retry::Later);
    let again = dated(40..=41).replace("SEQUENCE:40", "SEQUENCE:0");
    bench.observe(&again.replace("40.ts", "5.ts").replace("41.ts", "6.ts"));
    let other = bench.open("http://host/other.m3u8");
    bench.observe_in(other, &dated(6..=8), &[]);
    bench.wait(1);
    let again = bench.jobs().into_iter().find(|job| job.id == seven).unwrap();
    assert_eq!((again.source, again.overwritten.is_likely()), (other, false));
}

#[test]
fn a_segment_that_left_the_list_before_it_was_tried_is_still_tried() {
    let mut bench = Bench::new();
    bench.show(&dated(0..=20));
    bench.save(18..=20);
    bench.save(0..=4);
    assert_eq!(bench.show(&dated(18..=21)), [21, 5, 6, 7, 8, 9, 10]);
    bench.refuse(5, Retry::WhileListed);
    assert_eq!(bench.missed(), [(10.0, 2.0, Why::Expired)]);
}

#[test]
fn a_refused_segment_is_asked_for_at_each_reload_and_final_when_unlisted() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.save([6, 7]);
    bench.refuse(5, Retry::WhileListed);
    assert!(bench.jobs().is_empty(), "not before the reload");
    assert_eq!(bench.show(&dated(5..=7)), [5]);
    bench.refuse(5, Retry::WhileListed);
    bench.show(&dated(6..=8));
    assert_eq!(bench.missed(), [(10.0, 2.0, Why::Expired)]);
    assert_eq!(bench.show(&dated(5..=8)), NONE, "an edge that lags does not bring it back");
}

#[test]
fn passing_trouble_is_retried_without_a_reload() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=5));
    bench.refuse(5, Retry::Later);
    assert!(bench.jobs().is_empty());
    let due = bench.planner.next_due(bench.now.instant).unwrap();
    assert_eq!(due - bench.now.instant, Duration::from_millis(500));
    bench.wait(1);
    let jobs = bench.jobs();
    assert_eq!((jobs[0].number, jobs[0].attempt), (5, 2));
    assert_eq!(bench.missed(), []);
}

#[test]
fn changed_addresses_are_used_for_the_next_attempt() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=5));
    bench.refuse(5, Retry::WhileListed);
    bench.observe(&dated(5..=5).replace("5.ts", "5.ts?token=new"));
    assert_eq!(bench.jobs()[0].segment.uri, "5.ts?token=new");
}
