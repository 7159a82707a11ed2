//! Attempts that are slow, and those that begin beside them.

use super::*;

/// What is slow is found out at once, and is waited for nevertheless.
fn hasty() -> Patience {
    let limits = Limits { soft: Duration::from_millis(50), ..for_ever().whole };
    Patience { headers: limits, whole: limits, ..for_ever() }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_asked_again_over_another_connection() {
    let bench = Bench::patient(hasty()).await;
    bench.origin.serve("/live/7.ts", [Response::silence(), Response::ok(packets(2))]);
    let attempt = bench.done(&bench.job(segment())).await;
    assert_eq!(failure(&attempt), None);
    assert_eq!(bench.stored(), [(Completeness::Full, packets(2))]);
    let ports = bench.ports();
    assert_eq!(ports.len(), 2);
    assert_ne!(ports[0], ports[1]);
}

#[tokio::test]
async fn a_body_that_stalls_is_overtaken_and_leaves_nothing() {
    let bench = Bench::patient(hasty()).await;
    let stalled = Response::stalled(&packets(1), 376);
    bench.origin.serve("/live/7.ts", [stalled, Response::ok(packets(2))]);
    let attempt = bench.done(&bench.job(segment())).await;
    assert_eq!(failure(&attempt), None);
    bench.until_only_published().await;
    assert_eq!(bench.stored(), [(Completeness::Full, packets(2))]);
    assert_eq!(bench.ports().len(), 2);
}

#[tokio::test]
async fn the_first_attempt_wins_if_it_is_whole_before_the_second() {
    let bench = Bench::patient(hasty()).await;
    let late = Response::ok(packets(2)).after(Duration::from_millis(300));
    bench.origin.serve("/live/7.ts", [late, Response::silence()]);
    let attempt = bench.done(&bench.job(segment())).await;
    assert_eq!(failure(&attempt), None);
    assert_eq!(bench.stored(), [(Completeness::Full, packets(2))]);
    assert_eq!(bench.ports().len(), 2, "there was a second");
}

/// Fetches what begins to come, and lets time fly once it has.
async fn fetch_stalling(bench: &Bench, response: Response) -> Attempt {
    let fly = async {
        until_some_arrived(bench, 188).await;
        tokio::time::pause();
    };
    let (attempt, ()) = tokio::join!(bench.fetch(response), fly);
    tokio::time::resume();
    attempt
}

#[tokio::test]
async fn an_answer_that_begins_in_time_is_slow_only_as_a_whole() {
    let headers = Limits { soft: Duration::from_mins(10), ..for_ever().headers };
    let bench = Bench::patient(Patience { headers, idle: Duration::from_mins(30), ..for_ever() });
    let bench = bench.await;
    let spare = Arc::clone(&bench.fetcher.means.second_attempts);
    let all = spare.available_permits();
    let watch = async {
        until_some_arrived(&bench, 188).await;
        tokio::time::sleep(Duration::from_mins(9)).await;
        for _ in 0..120 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(spare.available_permits(), all, "there is no second attempt");
        }
    };
    let fetch = fetch_stalling(&bench, Response::stalled(&packets(1), 376));
    let (attempt, ()) = tokio::join!(fetch, watch);
    assert_eq!(failure(&attempt), Some((Why::TimeOut, Retry::Later)));
    assert_eq!(bench.stored(), [(Completeness::Partial, packets(1))]);
}

#[tokio::test]
async fn of_two_that_fail_the_better_copy_is_kept_and_the_more_telling_reason() {
    let late = Duration::from_millis(300);
    let first = |count| Response::truncated_after(&packets(count), 188 * 5, late);
    let cut = || Response::truncated(&packets(2), 188 * 5);
    for (name, answers, kept, why) in [
        ("the first", [first(3), cut()], 3, (Why::Truncated, Retry::Later)),
        ("the second", [first(1), cut()], 2, (Why::Truncated, Retry::Later)),
        ("404", [first(3), Response::status(404)], 3, (Why::Expired, Retry::WhileListed)),
    ] {
        let bench = Bench::patient(hasty()).await;
        bench.origin.serve("/live/7.ts", answers);
        let attempt = bench.done(&bench.job(segment())).await;
        assert_eq!(failure(&attempt), Some(why), "{name}");
        bench.until_only_published().await;
        assert_eq!(bench.stored(), [(Completeness::Partial, packets(kept))], "{name}");
        assert_eq!(bench.ports().len(), 2, "{name}");
    }
}

#[tokio::test]
async fn an_attempt_that_fails_at_once_is_not_repeated_here() {
    let bench = Bench::patient(for_ever()).await;
    bench.origin.serve("/live/7.ts", [Response::status(404), Response::ok(packets(1))]);
    let attempt = bench.done(&bench.job(segment())).await;
    assert_eq!(failure(&attempt), Some((Why::Expired, Retry::WhileListed)));
    assert_eq!(bench.ports().len(), 1);
}

#[tokio::test]
async fn a_connection_that_was_slow_is_not_used_again() {
    for (patience, delay) in [(for_ever(), 0), (hasty(), 200)] {
        let bench = Bench::with(|means| {
            means.patience = patience;
            means.second_attempts = Arc::new(Semaphore::new(0));
        });
        let bench = bench.await;
        let delay = Duration::from_millis(delay);
        let slow = Response::ok(packets(1)).after(delay);
        bench.origin.serve("/live/7.ts", [slow, Response::ok(packets(1))]);
        for _ in 0..2 {
            assert_eq!(failure(&bench.done(&bench.job(segment())).await), None);
        }
        let ports = bench.ports();
        assert_eq!(ports.len(), 2, "without a permit there is no second attempt");
        assert_eq!(ports[0] == ports[1], delay.is_zero(), "after {delay:?}");
    }
}

#[tokio::test]
async fn connections_are_left_again_at_once_only_after_something_was_quick() {
    for (patience, delay) in [(for_ever(), 0), (hasty(), 200)] {
        let bench = Bench::patient(patience).await;
        let leaving = &bench.fetcher.permits.leaving;
        assert!(leaving.is_due(), "something was slow before");
        let answer = Response::ok(packets(1)).after(Duration::from_millis(delay));
        assert_eq!(failure(&bench.fetch(answer).await), None);
        assert_eq!(leaving.is_due(), delay == 0, "after {delay} ms");
    }
}

#[tokio::test]
async fn a_second_attempt_takes_no_connection_that_is_kept() {
    let limits = Limits { soft: Duration::from_millis(500), ..for_ever().whole };
    let bench = Bench::patient(Patience { headers: limits, whole: limits, ..for_ever() }).await;
    // the kept connections are left now, and not again at once
    bench.fetcher.means.client.leave_connections();
    let quick = || Response::ok(packets(1)).after(Duration::from_millis(20));
    bench.origin.serve("/live/7.ts", [quick(), quick(), Response::silence(), quick()]);
    let job = bench.job(segment());
    let both = tokio::join!(bench.done(&job), bench.done(&job));
    assert_eq!((failure(&both.0), failure(&both.1)), (None, None));
    let attempt = bench.done(&job).await;
    assert_eq!(failure(&attempt), None);
    let ports = bench.ports();
    assert_ne!(ports[0], ports[1]);
    assert!(ports[..2].contains(&ports[2]), "the first attempt takes one that is kept");
    assert!(!ports[..2].contains(&ports[3]), "{ports:?}");
}

#[tokio::test]
async fn hard_time_outs_end_what_is_slow() {
    let short = Limits { soft: Duration::from_hours(1), hard: Duration::from_millis(200) };
    let bench = Bench::patient(Patience { headers: short, ..for_ever() }).await;
    let attempt = bench.fetch(Response::silence()).await;
    assert_eq!(failure(&attempt), Some((Why::TimeOut, Retry::Later)));
    assert_eq!(bench.stored(), []);

    let whole = Limits { soft: Duration::from_hours(2), hard: Duration::from_mins(30) };
    let bench = Bench::patient(Patience { whole, ..for_ever() }).await;
    let dripping = Response::dripping(&packets(1), Duration::from_mins(1), 188 * 1000);
    let attempt = fetch_stalling(&bench, dripping).await;
    assert_eq!(failure(&attempt), Some((Why::TimeOut, Retry::Later)));
    assert_eq!(bench.stored()[0].0, Completeness::Partial);
}

#[tokio::test]
async fn silence_ends_when_the_other_attempt_is_refused_or_the_segment_is_elsewhere() {
    let bench = Bench::patient(hasty()).await;
    bench.origin.serve("/live/7.ts", [Response::silence(), Response::status(404)]);
    let attempt = bench.done(&bench.job(segment())).await;
    assert_eq!(failure(&attempt), Some((Why::Expired, Retry::WhileListed)));

    bench.origin.serve("/live/7.ts", [Response::silence()]);
    let there =
        Job { base: Arc::new(bench.origin.url("/there/list.m3u8")), ..bench.job(segment()) };
    bench.origin.serve("/there/7.ts", [Response::silence()]);
    let (_tell, elsewhere) = watch::channel(Some(Arc::new(there)));
    let Fetched::Done(attempt) = bench.fetcher.fetch(&bench.job(segment()), &elsewhere).await
    else {
        panic!("the disk takes it");
    };
    assert_eq!(failure(&attempt), Some((Why::TimeOut, Retry::After(Duration::ZERO))));
}

#[tokio::test]
async fn an_origin_that_is_slow_and_refuses_a_second_attempt_is_waited_for() {
    let busy = [("Retry-After", "1")];
    for (name, refusal) in [
        ("busy", Response::new(429, &busy, b"")),
        ("429", Response::status(429)),
        ("503", Response::status(503)),
        ("500", Response::status(500)),
        ("408", Response::status(408)),
        ("closed", Response::closed()),
    ] {
        let bench = Bench::patient(hasty()).await;
        let late = Response::ok(packets(2)).after(Duration::from_millis(300));
        bench.origin.serve("/live/7.ts", [late, refusal]);
        let attempt = bench.done(&bench.job(segment())).await;
        assert_eq!(failure(&attempt), None, "{name}");
        assert_eq!(bench.stored(), [(Completeness::Full, packets(2))], "{name}");
    }
}

#[tokio::test]
async fn what_is_refused_in_passing_is_asked_for_again_while_the_first_says_nothing() {
    let headers = Limits { hard: Duration::from_secs(10), ..hasty().headers };
    let bench = Bench::patient(Patience { headers, ..hasty() }).await;
    let answers =
        [Response::silence(), Response::status(503), Response::closed(), Response::ok(packets(1))];
    bench.origin.serve("/live/7.ts", answers);
    let attempt = bench.done(&bench.job(segment())).await;
    assert_eq!(failure(&attempt), None);
    assert_eq!(bench.stored(), [(Completeness::Full, packets(1))]);
    assert_eq!(bench.ports().len(), 4);
}

#[tokio::test]
async fn a_definite_refusal_ends_silence_once() {
    for (status, why) in [
        (401, Why::Refused),
        (403, Why::Refused),
        (404, Why::Expired),
        (410, Why::Expired),
        (451, Why::Refused),
    ] {
        let bench = Bench::patient(hasty()).await;
        let job = bench.job(segment());
        bench.origin.serve("/live/7.ts", [Response::silence(), Response::status(status)]);
        let attempt = bench.done(&job).await;
        assert_eq!(failure(&attempt), Some((why, Retry::WhileListed)), "{status}");
        let late = Response::ok(packets(2)).after(Duration::from_millis(300));
        bench.origin.serve("/live/7.ts", [late, Response::status(status)]);
        assert_eq!(failure(&bench.done(&job).await), None, "{status}");
    }
}

#[tokio::test]
async fn a_second_attempt_that_receives_is_not_given_up_for_another_address() {
    let bench = Bench::patient(hasty()).await;
    let gate = Arc::default();
    let dripping = Response::dripping(&packets(1), Duration::from_millis(50), 188 * 20);
    bench.origin.serve("/live/7.ts", [Response::silence(), dripping.held_by(&gate)]);
    let (tell, elsewhere) = watch::channel(None);
    let job = bench.job(segment());
    let fetch = bench.fetcher.fetch(&job, &elsewhere);
    let listed = async {
        until_some_arrived(&bench, 188).await;
        tell.send_replace(Some(Arc::new(job.clone())));
        gate.notify_one();
    };
    let (fetched, ()) = tokio::join!(fetch, listed);
    let Fetched::Done(attempt) = fetched else { panic!("the disk takes it") };
    assert_eq!(failure(&attempt), None);
    bench.until_only_published().await;
    assert_eq!(bench.stored(), [(Completeness::Full, packets(1).repeat(20))]);
}

#[tokio::test]
async fn a_second_attempt_goes_where_else_the_segment_is_listed() {
    let soft = Limits { soft: Duration::from_millis(200), ..for_ever().whole };
    let bench = Bench::patient(Patience { headers: soft, whole: soft, ..for_ever() }).await;
    // what drips here is moved meanwhile
    let dripping = Response::dripping(&packets(1), Duration::from_mins(1), 188 * 20);
    bench.origin.serve("/live/7.ts", [dripping, Response::status(404)]);
    bench.origin.serve("/there/7.ts", [Response::ok(packets(20))]);
    let job = bench.job(segment());
    let base = Arc::new(bench.origin.url("/there/list.m3u8"));
    let there = Job { base, source: SourceId(1), ..job.clone() };
    let (_tell, elsewhere) = watch::channel(Some(Arc::new(there)));
    let Fetched::Done(attempt) = bench.fetcher.fetch(&job, &elsewhere).await else {
        panic!("the disk takes it")
    };
    assert_eq!((failure(&attempt), attempt.elsewhere), (None, Some(SourceId(1))));
    bench.until_only_published().await;
    assert_eq!(bench.stored(), [(Completeness::Full, packets(20))]);
    assert_eq!(bench.ports().len(), 1);
}

#[tokio::test]
async fn what_comes_from_an_address_that_is_used_again_is_not_full() {
    for (claim, first, rest) in [
        (Claim::Free, Some(Completeness::Full), Some(Completeness::Full)),
        (Claim::Soon, Some(Completeness::Suspect), Some(Completeness::Suspect)),
        // what had begun to come is what was there before, or began with what is there now
        (Claim::Taken, None, Some(Completeness::Suspect)),
    ] {
        let bench = Bench::patient(for_ever()).await;
        let job = bench.job(segment());
        job.overwritten.set(claim);
        bench.origin.serve("/live/7.ts", [Response::ok(packets(2))]);
        let saved = |attempt: &Attempt| attempt.saved.map(|saved| saved.completeness);
        let attempt = bench.done(&job).await;
        assert_eq!(saved(&attempt), first, "{claim:?}");
        let gone = (Why::Expired, Retry::WhileListed);
        assert_eq!(failure(&attempt), first.is_none().then_some(gone), "{claim:?}");

        let bench = Bench::patient(for_ever()).await;
        let job = bench.job(segment());
        let dripping = Response::dripping(&packets(1), Duration::from_millis(50), 188 * 20);
        let gate = Arc::default();
        bench.origin.serve("/live/7.ts", [dripping.held_by(&gate)]);
        let used_again = async {
            until_some_arrived(&bench, 188).await;
            job.overwritten.set(claim);
            gate.notify_one();
        };
        let (attempt, ()) = tokio::join!(bench.done(&job), used_again);
        assert_eq!((saved(&attempt), failure(&attempt)), (rest, None), "{claim:?}");
    }
}

#[test]
fn second_attempts_come_long_before_the_end_of_patience() {
    let Patience { headers, whole, idle, .. } = Patience::default();
    let seconds = |limits: Limits| (limits.soft.as_secs(), limits.hard.as_secs());
    assert_eq!((seconds(headers), seconds(whole), idle.as_secs()), ((5, 60), (15, 240), 20));
}

#[tokio::test]
async fn an_initialization_section_that_is_slow_is_asked_for_again() {
    let bench = Bench::patient(hasty()).await;
    bench.origin.serve("/live/main.mp4", [Response::silence(), Response::ok(section())]);
    bench.origin.serve("/live/7.ts", [Response::ok("\0\0\0\x0cmoofwhol")]);
    let attempt = bench.done(&bench.job(with_section())).await;
    assert_eq!(failure(&attempt), None);
    bench.until_only_published().await;
    let expected = [section(), b"\0\0\0\x0cmoofwhol"].concat();
    assert_eq!(bench.stored(), [(Completeness::Full, expected)]);
}

#[tokio::test]
async fn an_initialization_section_that_drips_is_given_up() {
    let aside = Duration::from_millis(300);
    let bench = Bench::patient(Patience { aside, ..for_ever() }).await;
    let dripping = Response::dripping(b"x", Duration::from_millis(20), 1000);
    bench.origin.serve("/live/main.mp4", [dripping]);
    let attempt = bench.done(&bench.job(with_section())).await;
    assert_eq!(failure(&attempt), Some((Why::TimeOut, Retry::Later)));
}
