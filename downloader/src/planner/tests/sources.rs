//! A feed that is followed at several addresses, some of which show advertisements.

use super::*;

/// Which source each job goes by, and its number.
fn jobs(bench: &mut Bench) -> Vec<(SourceId, u64)> {
    bench.jobs().iter().map(|job| (job.source, job.number)).collect()
}

/// As [`dated`], numbered from `first` on.
fn renumbered(numbers: std::ops::RangeInclusive<u64>, first: u64) -> String {
    let before = format!("SEQUENCE:{}\n", numbers.start());
    dated(numbers).replace(&before, &format!("SEQUENCE:{first}\n"))
}

#[test]
fn what_two_sources_list_is_fetched_once() {
    let mut bench = Bench::new();
    assert_eq!(bench.show(&dated(5..=7)), [5, 6, 7]);
    bench.save([5]);
    let other = bench.open("http://host/live.m3u8?token=2");
    bench.observe_in(other, &renumbered(5..=8, 100), &[]);
    assert_eq!(jobs(&mut bench), [(other, 103)], "the others are saved or under way");
    bench.observe(&dated(6..=8));
    assert_eq!(jobs(&mut bench), []);
    bench.save([6, 7, 8]);
    bench.observe_in(other, &renumbered(6..=9, 101), &[]);
    bench.observe(&dated(7..=9));
    assert_eq!(jobs(&mut bench), [(other, 104)]);
    assert_eq!(bench.missed(), []);
}

#[test]
fn where_one_source_fails_another_is_asked() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=5));
    let other = bench.open("http://host/live.m3u8?token=2");
    bench.observe_in(other, &dated(5..=5), &[]);
    bench.refuse(5, Retry::Later);
    bench.wait(1);
    let first = jobs(&mut bench);
    bench.refuse(5, Retry::Later);
    bench.wait(2);
    let second = jobs(&mut bench);
    assert_eq!([first[0].0, second[0].0].iter().collect::<BTreeSet<_>>().len(), 2);
}

#[test]
fn a_segment_under_way_is_told_to_be_elsewhere_once_it_is() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=6));
    bench.save([6]);
    let [five, six] = [bench.id(5), bench.id(6)];
    let other = bench.open("http://host/live.m3u8?token=2");
    bench.observe_in(other, &dated(5..=6), &[]);
    assert!(bench.events.contains(&Event::Elsewhere { id: five }));
    assert!(!bench.events.contains(&Event::Elsewhere { id: six }), "it is saved");
    let job = bench.planner.elsewhere(five).unwrap();
    assert_eq!((job.source, job.number, job.attempt), (other, 5, 1), "the one that is under way");
    bench.close(other);
    bench.observe(&dated(5..=7));
    assert!(bench.planner.elsewhere(five).is_none());
}

#[test]
fn a_source_that_ended_counts_until_another_shows_what_there_is() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.save([6, 7]);
    bench.refuse(5, Retry::WhileListed);
    bench.close(bench.source);
    assert_eq!(bench.missed(), [], "it may be listed elsewhere");
    let other = bench.open("http://host/other.m3u8");
    bench.observe_in(other, &dated(6..=8), &[]);
    assert_eq!(bench.missed(), [(10.0, 2.0, Why::Expired)]);
    assert_eq!(jobs(&mut bench), [(other, 8)]);
}

#[test]
fn an_address_that_is_taken_up_again_goes_on_where_it_was() {
    let mut bench = Bench::new();
    bench.show(&undated(5..=7));
    bench.save(5..=7);
    bench.close(bench.source);
    bench.wait(10);
    let again = bench.open("http://host/live.m3u8?token=9");
    bench.observe_in(again, &undated(7..=9), &[]);
    let starts: Vec<_> = bench.jobs().iter().map(|job| (job.number, job.start)).collect();
    assert_eq!(starts, [(8, at(600.0)), (9, at(602.0))], "carried on from before");
}

#[test]
fn what_the_other_source_has_not_shown_yet_is_waited_for() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    let other = bench.open("http://host/live.m3u8?token=2");
    bench.observe_in(other, &dated(5..=7), &[]);
    bench.save(5..=7);
    bench.show(&dated(6..=8));
    bench.refuse(8, Retry::WhileListed);
    bench.close(bench.source);
    assert_eq!(bench.missed(), [], "the other may list it, too, once it is loaded again");
    bench.observe_in(other, &dated(6..=8), &[]);
    assert_eq!(jobs(&mut bench), [(other, 8)]);
    bench.save([8]);
    assert_eq!(bench.missed(), []);
}

#[test]
fn advertisements_alone_do_not_replace_what_ended() {
    let mut bench = Bench::new();
    bench.show(&undated(5..=7));
    bench.save(5..=7);
    bench.close(bench.source);
    let other = bench.open("http://other/live.m3u8");
    bench.observe_in(other, &undated(100..=101), &[100, 101]);
    bench.observe_in(other, &undated(6..=8), &[]);
    assert_eq!(jobs(&mut bench), [(other, 8)], "6 and 7 are known from the one that ended");
}

#[test]
fn a_segment_is_listed_while_any_source_lists_it() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    let other = bench.open("http://host/live.m3u8?token=2");
    bench.observe_in(other, &dated(5..=7), &[]);
    bench.refuse(5, Retry::WhileListed);
    bench.close(bench.source);
    assert_eq!(bench.missed(), []);
    bench.observe_in(other, &dated(5..=8), &[]);
    assert_eq!(jobs(&mut bench), [(other, 8), (other, 5)]);
    bench.refuse(5, Retry::WhileListed);
    bench.observe_in(other, &dated(6..=9), &[]);
    assert_eq!(bench.missed(), [(10.0, 2.0, Why::Expired)]);
}

#[test]
fn lists_without_dates_are_compared_by_number_and_address() {
    let mut bench = Bench::new();
    bench.show(&undated(5..=7));
    bench.save([5, 6]);
    let other = bench.open("http://other/live.m3u8");
    bench.observe_in(other, &undated(6..=8), &[]);
    let starts: Vec<_> = bench.jobs().iter().map(|job| (job.number, job.start)).collect();
    assert_eq!(starts, [(8, at(600.0))]);
}

#[test]
fn advertisements_are_not_fetched_and_leave_their_reason() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=6));
    bench.observe_in(bench.source, &dated(5..=9), &[7, 8]);
    assert_eq!(bench.numbers_due(), [9]);
    let expected = [(14.0, 2.0, Why::Advertisement), (16.0, 2.0, Why::Advertisement)];
    assert_eq!(bench.missed(), expected);
    bench.observe_in(bench.source, &dated(6..=9), &[7, 8]);
    assert_eq!(bench.missed(), [], "it is told once");
}

#[test]
fn an_advertisement_beside_the_programme_is_no_hole() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    let other = bench.open("http://host/live.m3u8?token=2");
    bench.observe_in(other, &dated(6..=8), &[6, 7, 8]);
    assert_eq!(bench.missed(), []);
    assert_eq!(bench.show(&dated(6..=8)), [8], "the old one has the programme");
    bench.observe_in(other, &dated(7..=9), &[7, 8, 9]);
    bench.close(bench.source);
    assert_eq!(bench.missed(), [(18.0, 2.0, Why::Advertisement)]);
    bench.observe_in(other, &dated(8..=10), &[8, 9]);
    assert_eq!(jobs(&mut bench), [(other, 10)]);
    assert_eq!(bench.missed(), []);
}

#[test]
fn an_advertisement_waits_no_longer_than_the_other_source_takes() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=6));
    let other = bench.open("http://host/live.m3u8?token=2");
    bench.observe_in(other, &dated(6..=7), &[7]);
    assert_eq!(bench.missed(), []);
    let jump = dated(8..=8);
    bench.show(&jump);
    assert_eq!(bench.missed(), [(14.0, 2.0, Why::Expired)], "the old one has left it out");
}

#[test]
fn what_was_taken_for_an_advertisement_is_fetched_once_it_is_none() {
    let mut bench = Bench::new();
    bench.observe_in(bench.source, &dated(5..=7), &[6, 7]);
    assert_eq!(bench.numbers_due(), [5]);
    assert_eq!(bench.show(&dated(5..=7)), [6, 7]);
}

#[test]
fn an_advertisement_in_its_place_is_not_the_segment() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.save([5, 6]);
    bench.refuse(7, Retry::Later);
    bench.close(bench.source);
    let again = bench.open("http://host/live.m3u8?token=2");
    let hidden = dated(5..=8).replace("7.ts", "advertisement.ts");
    bench.observe_in(again, &hidden, &[7]);
    bench.wait(1);
    let asked: Vec<_> =
        bench.jobs().iter().map(|job| (job.number, job.segment.uri.clone())).collect();
    assert_eq!(asked, [(8, "8.ts".to_owned()), (7, "7.ts".to_owned())]);
    bench.refuse(7, Retry::WhileListed);
    assert_eq!(bench.missed(), [(14.0, 2.0, Why::Expired)]);
}

#[test]
fn a_delta_update_keeps_what_it_leaves_out() {
    let mut bench = Bench::new();
    let map = "#EXT-X-MAP:URI=\"init.mp4\"\n";
    bench.show(&format!("{map}{}", dated(5..=8)));
    bench.save([6, 7, 8]);
    bench.refuse(5, Retry::WhileListed);
    let delta = dated(8..=9).replace("SEQUENCE:8", "SEQUENCE:5\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3");
    bench.observe(&delta);
    assert_eq!(bench.missed(), [], "number 5 is listed");
    let maps: Vec<_> =
        bench.jobs().iter().map(|job| (job.number, job.segment.map.is_some())).collect();
    assert_eq!(maps, [(9, true)], "what the tags before said holds on");
    bench.observe(&dated(6..=9));
    assert_eq!(bench.missed(), [(10.0, 2.0, Why::Expired)]);
}

#[test]
fn what_comes_odd_is_asked_for_a_few_times_unless_all_is_odd() {
    let mut bench = Bench::new();
    let mut attempts = |number: u64| {
        bench.show(&dated(number..=number));
        for attempt in 1..100 {
            bench.refuse(number, Retry::AFewTimes);
            bench.wait(60);
            if bench.numbers_due() == NONE {
                return attempt;
            }
        }
        panic!("it is asked for without end");
    };
    assert_eq!([5, 6, 7, 8, 9].map(&mut attempts), [5, 5, 5, 2, 2]);
    bench.show(&dated(10..=10));
    bench.save([10]);
    let mut attempts = 1;
    bench.show(&dated(11..=11));
    bench.refuse(11, Retry::AFewTimes);
    bench.wait(60);
    while bench.numbers_due() != NONE {
        attempts += 1;
        bench.refuse(11, Retry::AFewTimes);
        bench.wait(60);
    }
    assert_eq!(attempts, 5, "one that was whole ends that");
}

#[test]
fn what_is_whole_in_the_end_was_not_odd() {
    let mut bench = Bench::new();
    for number in 5..=7 {
        bench.show(&dated(number..=number));
        for _ in 0..2 {
            bench.refuse(number, Retry::AFewTimes);
            bench.wait(60);
            assert_eq!(bench.numbers_due(), [number]);
        }
        bench.save([number]);
    }
    bench.show(&dated(8..=8));
    for _ in 0..4 {
        bench.refuse(8, Retry::AFewTimes);
        bench.wait(60);
        assert_eq!(bench.numbers_due(), [8], "it has as many attempts as any");
    }
}

#[test]
fn retries_do_not_become_the_load() {
    let mut bench = Bench::new();
    bench.show(&dated(0..=199));
    let mut asked = 0;
    for _ in 0..100 {
        for number in bench.under_way() {
            bench.refuse(number, Retry::After(Duration::ZERO));
        }
        asked += bench.jobs().iter().filter(|job| job.attempt > 1).count();
    }
    assert_eq!(asked, 16);
    assert!(bench.planner.next_due(bench.now.instant).is_some(), "they go on later");
    bench.wait(1);
    for number in bench.under_way() {
        bench.refuse(number, Retry::After(Duration::ZERO));
    }
    let again = bench.jobs().iter().filter(|job| job.attempt > 1).count();
    assert_eq!(again, 4);
}

#[test]
fn what_no_list_told_before_a_stop_is_missing() {
    let mut bench = Bench::new();
    bench.now.wall = at(17.0);
    bench.show(&dated(5..=7));
    bench.save(5..=7);
    bench.wait(3);
    assert_eq!(bench.planner.stop(bench.now), [], "a list may be on its way");
    bench.wait(40);
    bench.planner.interrupted(Why::Offline, bench.now.wall);
    let events = bench.planner.stop(bench.now);
    bench.events.extend(events);
    assert_eq!(bench.missed(), [(16.0, 44.0, Why::Offline)]);
}

#[test]
fn a_segment_that_waits_for_the_disk_leaves_room_for_another() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    for number in 5..=7 {
        let id = bench.id(number);
        bench.planner.held(id);
    }
    assert_eq!(bench.show(&dated(7..=15)).len(), 7, "the newest, and six others");
    bench.save([5]);
    assert_eq!(bench.planner.in_flight, 7);
}

#[test]
fn an_edge_that_lags_does_not_make_a_refusal_final() {
    let mut bench = Bench::new();
    bench.show(&dated(10..=15));
    bench.save(10..=14);
    bench.refuse(15, Retry::WhileListed);
    assert_eq!(bench.show(&dated(9..=14)), [9]);
    bench.save([9]);
    assert_eq!(bench.missed(), []);
    assert_eq!(bench.show(&dated(11..=16)), [15, 16]);
}

#[test]
fn what_one_source_cannot_have_is_fetched_once_another_shows_it() {
    for (hidden, shown) in [
        (dated(5..=6).replace("6.ts", "#EXT-X-GAP\n6.ts").replace("#EXTINF:2.0,\n#", "#"), ""),
        (dated(5..=6).replace("#EXTINF:2.0,\n6", "#EXTINF:2.0,\n#EXT-X-BYTERANGE:x\n6"), ""),
        (dated(5..=6), "other"),
    ] {
        let mut bench = Bench::new();
        let asked = bench.show(&hidden);
        let is_hidden = shown.is_empty();
        assert_eq!(asked.len(), if is_hidden { 1 } else { 2 }, "{hidden}");
        bench.save(asked);
        let other = bench.open("http://host/other.m3u8");
        bench.observe_in(other, &dated(5..=6), &[]);
        let again: Vec<u64> = if is_hidden { vec![6] } else { Vec::new() };
        assert_eq!(bench.numbers_due(), again);
    }
}

#[test]
fn dates_that_jitter_are_no_news_where_clocks_are_not_trusted() {
    let jump =
        |by: &str| format!("#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:{by}Z\n#EXTINF:2.0,\n8.ts\n");
    for (trusts, by, is_told) in
        [(true, "16.012", true), (false, "16.012", false), (false, "17.100", true)]
    {
        let mut bench = Bench::new();
        bench.planner = Planner::new(Trust { clock: trusts, numbers: false }, &Recall::default());
        bench.source = bench.open("http://host/live.m3u8");
        bench.observe(&format!("{}{}", dated(5..=7), jump(by)));
        let told = |event: &Event| matches!(event, Event::Discontinuity { .. });
        assert_eq!(bench.events.iter().any(told), is_told, "{trusts} {by}");
        assert!(bench.events.iter().any(|event| matches!(event, Event::Skew { .. })));
    }
}

#[test]
fn addresses_that_never_showed_anything_are_forgotten() {
    let mut bench = Bench::new();
    for token in 0..100 {
        let source = bench.open(&format!("http://host/{token}/live.m3u8"));
        bench.close(source);
    }
    assert_eq!(bench.planner.sources.len(), 1);
    bench.show(&dated(5..=7));
    bench.close(bench.source);
    assert_eq!(bench.planner.sources.len(), 1, "this one has");
}

#[test]
fn sources_that_showed_advertisements_alone_are_bounded_and_replace_nothing() {
    let mut bench = Bench::new();
    let shows = |bench: &mut Bench, address: &str, numbers, advertisements: &[u64]| {
        let source = bench.open(address);
        bench.observe_in(source, &dated(numbers), advertisements);
        bench.close(source);
    };
    bench.show(&dated(5..=7));
    bench.save([6, 7]);
    bench.refuse(5, Retry::WhileListed);
    bench.close(bench.source);
    for token in 8..108 {
        let address = format!("http://host/{token}/live.m3u8");
        shows(&mut bench, &address, token..=token + 2, &[token, token + 1, token + 2]);
    }
    assert_eq!(bench.planner.sources.len(), MAX_ENDED);
    assert!(bench.planner.entries.len() <= 3 * (MAX_ENDED + 1), "{}", bench.planner.entries.len());
    let missed = bench.missed();
    assert!(missed.iter().all(|(.., why)| *why == Why::Advertisement), "{missed:?}");
    shows(&mut bench, "http://host/live.m3u8", 5..=8, &[]);
    assert_eq!(jobs(&mut bench).len(), 2, "number 5 may be there again, and 8 is new");
}

#[test]
fn after_a_failure_the_source_that_was_not_asked_is() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=5));
    let other = bench.open("http://host/other.m3u8");
    bench.observe_in(other, &dated(5..=5), &[]);
    for expected in [other, bench.source, other] {
        bench.refuse(5, Retry::Later);
        bench.wait(20);
        let jobs = bench.jobs();
        assert_eq!(jobs.iter().map(|job| job.source).collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn where_numbers_tell_a_segment_is_the_same_at_whatever_date() {
    // only the first of each list is dated, and what follows is a little longer than it says
    let listed = |first: u64, last: u64, drift: f64| {
        let text = undated(first..=last);
        let start = at(f64::from(u32::try_from(first).unwrap()) * 2.0 + drift);
        text.replacen("#EXTINF", &format!("#EXT-X-PROGRAM-DATE-TIME:{start}Z\n#EXTINF"), 1)
    };
    for (numbers, drift, asked) in
        [(true, 5.0, vec![8]), (false, 5.0, vec![6, 7, 8]), (true, 3600.0, vec![6, 7, 8])]
    {
        let mut bench = Bench::new();
        bench.planner = Planner::new(Trust { clock: false, numbers }, &Recall::default());
        bench.source = bench.open("http://host/1/live.m3u8");
        bench.show(&listed(5, 7, 0.0));
        bench.save(5..=7);
        let other = bench.open("http://host/2/live.m3u8");
        let list = listed(6, 8, drift).replace(".ts", ".ts/sig/2");
        bench.observe_in(other, &list, &[]);
        assert_eq!(
            bench.numbers_due().into_iter().collect::<BTreeSet<_>>(),
            asked.into_iter().collect()
        );
    }
}
