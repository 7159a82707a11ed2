//! Segments that are suspect however whole they are, and what ends that.

use super::*;

#[test]
fn a_clock_that_jumps_is_doubted_until_another_source_confirms_it() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.save(5..=7);
    let jump = "#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:16.5Z\n#EXTINF:2.0,\n8.ts\n";
    let jumped = format!("{}{jump}", dated(5..=7));
    bench.observe(&jumped);
    assert!(bench.events.contains(&Event::Doubted { source: bench.source }));
    let doubts: Vec<_> = bench.jobs().iter().map(|job| job.doubt.is_some()).collect();
    assert_eq!(doubts, [true]);
    let saved = Saved { completeness: Completeness::Suspect, size: 1, is_new: true };
    bench.finish(8, Attempt { saved: Some(saved), ..Attempt::default() });
    let other = bench.open("http://host/live.m3u8?token=2");
    bench.observe_in(other, &jumped, &[]);
    let again: Vec<_> = bench.jobs().iter().map(|job| (job.number, job.doubt)).collect();
    assert_eq!(again, [(8, None)], "both say so");
}

#[test]
fn a_clock_that_was_doubted_is_not_doubted_for_ever() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.save(5..=7);
    let second = |number, at| {
        format!("#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:{at}Z\n#EXTINF:2.0,\n{number}.ts\n")
    };
    bench.show(&format!("{}{}", dated(5..=7), second(8, "16.5")));
    bench.save([8]);
    bench.close(bench.source);
    let fresh = bench.open("http://host/live.m3u8?token=2");
    let (eight, nine) = (second(8, "16.5"), second(9, "18.5"));
    bench.observe_in(fresh, &format!("#EXT-X-MEDIA-SEQUENCE:8\n{eight}{nine}"), &[]);
    let again: Vec<_> = bench.jobs().iter().map(|job| (job.number, job.doubt)).collect();
    assert_eq!(again, [(8, None), (9, None)], "its list shows no jump");
}

#[test]
fn only_a_clock_that_is_trusted_is_doubted() {
    let jump = "#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:16.5Z\n#EXTINF:2.0,\n8.ts\n";
    let announced = jump.replace("#EXTINF", "#EXT-X-DISCONTINUITY\n#EXTINF");
    for (trusted, text) in [(false, jump), (true, &announced)] {
        let mut bench = Bench::new();
        bench.planner.trust.clock = trusted;
        bench.observe(&format!("{}{text}", dated(5..=7)));
        assert!(bench.jobs().iter().all(|job| job.doubt.is_none()));
    }
}

#[test]
fn that_another_source_guesses_the_same_duration_proves_nothing() {
    let mut bench = Bench::new();
    let vague = dated(5..=7).replace("#EXTINF:2.0,\n7.ts", "#EXTINF:,\n7.ts");
    bench.show(&vague);
    bench.save([5, 6]);
    let saved = Saved { completeness: Completeness::Suspect, size: 1, is_new: true };
    bench.finish(7, Attempt { saved: Some(saved), ..Attempt::default() });
    let other = bench.open("http://host/other.m3u8");
    bench.observe_in(other, &vague, &[]);
    assert_eq!(bench.numbers_due(), NONE);
}

/// What became of the eighth segment, which is asked for while its date is in doubt, and confirmed meanwhile.
fn confirmed_meanwhile(completeness: Completeness, is_held: bool) -> Bench {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.save(5..=7);
    let jumped = format!("{}{}", dated(5..=7), dates_of(&dated(20..=20)));
    bench.observe(&jumped);
    assert!(bench.jobs()[0].doubt.is_some());
    let id = bench.id(8);
    if is_held {
        bench.planner.held(id);
    }
    let other = bench.open("http://host/live.m3u8?token=2");
    bench.observe_in(other, &jumped, &[]);
    assert_eq!(bench.numbers_due(), NONE, "it is under way");
    let saved = Saved { completeness, size: 1, is_new: true };
    bench.finish(8, Attempt { saved: Some(saved), ..Attempt::default() });
    bench
}

#[test]
fn what_was_asked_for_in_doubt_is_asked_for_again_once_that_is_gone() {
    for is_held in [false, true] {
        let mut bench = confirmed_meanwhile(Completeness::Suspect, is_held);
        let again: Vec<_> = bench.jobs().iter().map(|job| (job.number, job.doubt)).collect();
        assert_eq!(again, [(8, None)], "held: {is_held}");
        bench.save([8]);
        assert_eq!(bench.numbers_due(), NONE);
        let mut bench = confirmed_meanwhile(Completeness::Full, is_held);
        assert_eq!(bench.numbers_due(), NONE, "the attempt beside it knew that it is right");
    }
}

#[test]
fn what_is_stored_in_doubt_is_not_missing() {
    let suspect = Saved { completeness: Completeness::Suspect, size: 1, is_new: true };
    let gone = Failure { why: Why::Expired, detail: String::new(), retry: Retry::Never };
    let mut bench = confirmed_meanwhile(Completeness::Suspect, true);
    bench.refuse(8, gone.retry);
    assert_eq!(bench.missed(), []);
    // it is not listed any more when it lands
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.save(5..=7);
    let jumped = format!("{}{}", dated(5..=7), dates_of(&dated(20..=20)));
    bench.observe(&jumped);
    bench.jobs();
    let (eight, other) = (bench.id(8), bench.open("http://host/live.m3u8?token=2"));
    bench.planner.held(eight);
    bench.observe_in(other, &jumped, &[]);
    bench.close(other);
    let later = dated(21..=23).replace("SEQUENCE:21", "SEQUENCE:9");
    bench.observe(&later);
    bench.save([9, 10, 11]);
    bench.finish(8, Attempt { saved: Some(suspect), ..Attempt::default() });
    assert_eq!((bench.numbers_due(), bench.missed()), (NONE.to_vec(), vec![]));
}

#[test]
fn what_stays_in_doubt_is_not_asked_for_again() {
    let mut bench = confirmed_meanwhile(Completeness::Suspect, false);
    bench.jobs();
    // nothing confirmed it since
    let saved = Saved { completeness: Completeness::Suspect, size: 1, is_new: true };
    bench.finish(8, Attempt { saved: Some(saved), ..Attempt::default() });
    assert_eq!(bench.numbers_due(), NONE);
}
