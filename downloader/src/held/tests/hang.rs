//! Segments that wait for a disk that does not answer. The clock stands still while a thread hangs, so that
//! the tests move it.

use std::collections::BTreeSet;
use std::time::Duration;

use common::io::store::Hang;

use super::super::landing::TRIED_FOR;
use super::*;

mod stopping;

/// A holding above a disk that may hang.
struct Bench {
    base: tempfile::TempDir,
    store: Store,
    holding: Holding,
    stored: Stored,
    stop: CancellationToken,
    /// What hangs over the feed.
    stuck: Stuck,
    disk: Hang,
}

/// Waits on the real clock, while the other one stands still.
async fn until(otherwise: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "{otherwise}");
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// As [`until`], while the other clock goes on as well.
async fn until_at_last(otherwise: &str, is_so: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "{otherwise}");
        tokio::time::advance(Duration::from_millis(100)).await;
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What comes of the next that lands, while the other clock stands still.
async fn landed(landing: &mut JoinSet<Attempt>) -> Attempt {
    let mut landed = None;
    until("nothing lands", || {
        landed = landing.try_join_next();
        landed.is_some()
    })
    .await;
    landed.unwrap().unwrap()
}

/// Lets all tasks do what they can.
async fn all_go_on() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

impl Bench {
    fn new() -> Self {
        let base = folder_in_memory();
        let disk = Hang::default();
        let store = disk.under(Store::open(base.path(), Access::Write).unwrap());
        let holding = Holding::new(100, &Metrics::empty());
        let (stop, stored) = (CancellationToken::new(), Stored::default());
        let stuck = Stuck::default();
        Self { base, store, holding, stored, stop, stuck, disk }
    }

    fn target(&self, seconds: i64) -> Target {
        Target {
            store: self.store.clone(),
            feed: Feed { channel: "c".parse().unwrap(), quality: "source".parse().unwrap() },
            start: at(seconds),
            duration: MediaDuration::from_seconds(2.0).unwrap(),
            stored: self.stored.clone(),
            stuck: self.stuck.clone(),
        }
    }

    /// A segment of four bytes that waits.
    fn hold(&self, start: i64) -> Held {
        let place = self.holding.enter_unanswered(0, at(start));
        place.grow(4).unwrap();
        Held {
            pieces: vec![Bytes::from_static(b"vide")],
            size: 4,
            place,
            target: self.target(start),
            completeness: Completeness::Full,
            failure: None,
            format: None,
            stop: self.stop.clone(),
            late: None,
        }
    }

    /// Lands segments that begin at these seconds side by side.
    fn land(&self, starts: std::ops::Range<i64>) -> JoinSet<Attempt> {
        starts.map(|start| self.hold(start).land()).collect()
    }

    /// Begins a file in a thread for `work` that is waited for for five seconds; fails with whether there
    /// was one.
    fn begin_file(&self, work: Work) -> impl Future<Output = Result<(), bool>> + use<> {
        let (holding, store, target) = (self.holding.clone(), self.store.clone(), self.target(0));
        async move {
            let begin = move |_: &Store| drop(target.begin());
            let asked = holding.ask(work, Duration::from_secs(5), &store, begin).await;
            asked.map_err(|late| late.is_some())
        }
    }

    fn names(&self) -> usize {
        let hour = self.base.path().join("c/source/1970-01-01T00");
        std::fs::read_dir(hour).map_or(0, Iterator::count)
    }

    async fn all_land(mut landing: JoinSet<Attempt>) {
        while let Some(landed) = landing.join_next().await {
            let attempt = landed.unwrap();
            assert_eq!(attempt.failure, None);
            assert_eq!(attempt.saved.map(|saved| (saved.size, saved.is_new)), Some((4, true)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_tried_finds_out_when_the_disk_answers_and_then_all_land() {
    let bench = Bench::new();
    bench.disk.at(Step::Flush, 0);
    let landing = bench.land(1..6);
    until("nobody tries", || bench.disk.count() == 1).await;
    tokio::time::advance(TRIED_FOR / 2).await;
    until("it is not told", || bench.disk.count() == 1).await;
    assert!(!bench.holding.hangs());
    tokio::time::advance(TRIED_FOR / 2).await;
    until("it is for ever", || bench.holding.hangs()).await;
    assert_eq!(bench.disk.most(), 1);
    tokio::time::advance(turns::PAUSE).await;
    until("the next one does not try", || bench.disk.count() == 2).await;
    bench.disk.release();
    Bench::all_land(landing).await;
    until("a temp file stays", || bench.names() == 5).await;
    assert!(!bench.holding.hangs());
    assert_eq!(bench.holding.report(), Parts::default());
}

#[tokio::test(start_paused = true)]
async fn what_hangs_keeps_no_turn_from_those_that_are_refused() {
    let bench = Bench::new();
    let refusing = Disk::broken();
    let other = super::Bench::new(100, refusing.clone());
    bench.disk.at(Step::Flush, 0);
    let mut landing = bench.land(1..2);
    until("nobody tries", || bench.disk.count() == 1).await;
    let refused = Held { place: bench.hold(2).place, ..other.hold(0, 2).unwrap() };
    landing.spawn(refused.land());
    tokio::time::advance(TRIED_FOR).await;
    for tries in 1..5 {
        all_go_on().await;
        tokio::time::advance(turns::PAUSE).await;
        until("what is refused is not tried", || refusing.tries() == tries).await;
    }
    assert_eq!(bench.disk.most(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_feed_whose_folder_alone_hangs_tries_no_more_than_twice_at_a_time() {
    let bench = Bench::new();
    bench.disk.at(Step::Flush, 0);
    let (first, held) = (bench.hold(1), bench.hold(7));
    let of_another = Target { stuck: Stuck::default(), ..bench.target(7) };
    let mut landing = JoinSet::new();
    landing.spawn(first.land());
    until("nobody tries", || bench.disk.count() == 1).await;
    // it is told first that it may be its turn, which comes only once the others have given way
    landing.spawn(Held { target: of_another, ..held }.land());
    all_go_on().await;
    (2..6).for_each(|start| drop(landing.spawn(bench.hold(start).land())));
    for hung in 1..=Stuck::MOST {
        until("nobody tries", || bench.disk.count() == hung).await;
        tokio::time::advance(TRIED_FOR).await;
        all_go_on().await;
        if hung < Stuck::MOST {
            // what others have written is stored
            bench.holding.disk_works();
        }
        tokio::time::advance(turns::PAUSE).await;
    }
    until("another feed does not try", || bench.disk.count() == Stuck::MOST + 1).await;
    let begun = std::fs::read_dir(bench.base.path().join("c/source/1970-01-01T00")).unwrap();
    let begun = begun.map(|file| file.unwrap().file_name().into_string().unwrap());
    let begun: BTreeSet<String> = begun.map(|name| name[..5].to_owned()).collect();
    assert_eq!(begun, ["00:01", "00:02", "00:07"].map(str::to_owned).into());
    tokio::time::advance(TRIED_FOR).await;
    all_go_on().await;
    tokio::time::advance(Stuck::ASKS_ANEW_AFTER).await;
    until_at_last("it is for ever", || bench.disk.count() > Stuck::MOST + 1).await;
    bench.disk.release();
    Bench::all_land(landing).await;
}

#[tokio::test(start_paused = true)]
async fn what_hangs_over_a_segment_is_waited_for_rather_than_written_again() {
    let bench = Bench::new();
    bench.disk.at(Step::Flush, 0);
    let landing = bench.land(1..2);
    until("nobody tries", || bench.disk.count() == 1).await;
    tokio::time::advance(TRIED_FOR).await;
    until("it is for ever", || bench.holding.hangs()).await;
    for _ in 0..5 {
        tokio::time::advance(TRIED_FOR).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.names(), 1, "one file is begun");
    bench.disk.release();
    Bench::all_land(landing).await;
    assert_eq!((bench.names(), bench.disk.most()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_one_file_is_stuck_at_is_written_anew_after_a_while_and_counts_once() {
    for (is_there, hangs) in [(false, false), (true, false), (true, true)] {
        let bench = Bench::new();
        if is_there {
            let mut draft = bench.target(1).begin().unwrap();
            draft.append(&[b"vide"]).unwrap();
            draft.publish(Completeness::Full).unwrap();
        }
        let began = Instant::now();
        let held = Held { late: Some(Late::never()), ..bench.hold(1) };
        if hangs {
            bench.disk.at(Step::Create, 0);
        }
        let is_released = async {
            if hangs {
                until_at_last("nobody tries", || bench.disk.count() == 1).await;
                tokio::time::advance(TRIED_FOR).await;
                all_go_on().await;
                bench.disk.release();
            }
        };
        let (attempt, ()) = tokio::join!(held.land(), is_released);
        assert!(began.elapsed() >= TRIED_FOR, "a disk that is slow may be about to be done");
        assert_eq!(attempt.saved.map(|saved| saved.is_new), Some(true), "it was nobody else");
        assert_eq!(bench.names(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_takes_no_room_while_what_hangs_over_it_is_waited_for() {
    let bench = Bench::new();
    let held = Held { late: Some(Late::never()), ..bench.hold(1) };
    assert_eq!(bench.holding.state().room.used(), 4);
    held.place.given_up.cancel();
    let mut landing = JoinSet::new();
    landing.spawn(held.land());
    all_go_on().await;
    assert_eq!(bench.holding.state().room.used(), 0);
    assert!(landing.try_join_next().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_hangs_over_something_given_up_is_trouble_until_it_ends() {
    let bench = Bench::new();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let late = Late::of(async move { ended.await.map_or(None, |()| None) });
    let held = Held { late: Some(late), ..bench.hold(1) };
    bench.holding.state().refused(&error());
    held.place.given_up.cancel();
    let mut landing = JoinSet::new();
    landing.spawn(held.land());
    all_go_on().await;
    bench.holding.disk_works();
    assert!(bench.holding.report().degraded, "it may be lost yet");
    end.send(()).unwrap();
    assert!(landing.join_next().await.unwrap().unwrap().failure.is_some());
    assert!(!bench.holding.report().degraded);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_hangs_for_good_takes_no_more_than_so_many_threads() {
    let stuck = Stuck::default();
    let mut asked = Vec::new();
    for minute in 0..600 {
        if !stuck.is_at(Work::Landings) {
            asked.push(minute);
            stuck.began(Work::Landings);
        }
        tokio::time::advance(Duration::from_mins(1)).await;
    }
    assert_eq!(asked, [0, 1, 6, 16], "two, one more after a while, and one after twice that");
    assert!(!stuck.is_at(Work::Segments));
    stuck.ended(Work::Landings);
    assert!(!stuck.is_at(Work::Landings));
}

#[tokio::test(start_paused = true)]
async fn a_disk_is_hopeless_some_time_after_it_was_given_what_it_does_not_answer() {
    let bench = Bench::new();
    bench.disk.at(Step::Create, 0);
    let mut asking = JoinSet::new();
    asking.spawn(bench.begin_file(Work::Segments));
    until("it is not begun", || bench.disk.count() == 1).await;
    tokio::time::advance(Duration::from_secs(5)).await;
    asking.join_next().await.unwrap().unwrap().unwrap_err();
    for (since, is_hopeless) in [(5, false), (10, false), (15, true)] {
        assert_eq!(bench.holding.is_hopeless(), is_hopeless, "after {since} s");
        tokio::time::advance(Duration::from_secs(5)).await;
    }
    bench.disk.release();
    until("it hangs for ever", || !bench.holding.hangs()).await;
    assert!(!bench.holding.is_hopeless());
}

#[tokio::test(start_paused = true)]
async fn what_is_written_is_waited_for_while_the_disk_stores_other_things() {
    for (work, works_for, stops, waits_for) in [
        (Work::Landings, 90, false, 5),
        (Work::Segments, 0, false, 5),
        (Work::Segments, 30, false, 35),
        (Work::Segments, 90, false, 60),
        (Work::Segments, 90, true, 5),
    ] {
        let bench = Bench::new();
        if stops {
            bench.holding.stopping();
        }
        bench.disk.at(Step::Create, 0);
        let mut asking = JoinSet::new();
        // one of them waits for a thread
        for _ in 0..=work.most() {
            asking.spawn(bench.begin_file(work));
        }
        until("too few begin", || bench.disk.count() == work.most()).await;
        let mut seconds = 0;
        while !asking.is_empty() {
            seconds += 1;
            tokio::time::advance(Duration::from_secs(1)).await;
            if seconds <= works_for {
                bench.holding.disk_works();
            }
            for _ in 0..2 * work.most() {
                tokio::task::yield_now().await;
            }
            while asking.try_join_next().is_some() {}
            let has_ended = asking.is_empty();
            assert_eq!(has_ended, seconds >= waits_for, "{work:?} {works_for} {seconds}");
        }
        bench.disk.release();
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_threads_hang_than_may() {
    for work in [Work::Segments, Work::Landings, Work::Listings, Work::Sweeps] {
        let bench = Bench::new();
        bench.disk.at(Step::Create, 0);
        let mut asking = JoinSet::new();
        for _ in 0..work.most() + 20 {
            asking.spawn(bench.begin_file(work));
        }
        until("too few begin", || bench.disk.count() == work.most()).await;
        tokio::time::advance(Duration::from_secs(5)).await;
        let mut had_none = 0;
        while let Some(asked) = asking.join_next().await {
            had_none += usize::from(!asked.unwrap().unwrap_err());
        }
        assert_eq!((had_none, bench.disk.most()), (20, work.most()), "{work:?}");
        assert!(bench.holding.hangs());
        bench.store.blocking(|_| ()).await;
        bench.disk.release();
        until("it hangs for ever", || !bench.holding.hangs()).await;
        until("temp files stay", || bench.disk.count() + bench.names() == 0).await;
        assert_eq!(bench.begin_file(work).await, Ok(()), "{work:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_health_tells_for_how_long_the_disk_does_not_answer() {
    let bench = Bench::new();
    bench.disk.at(Step::Create, 0);
    let mut asking = JoinSet::new();
    asking.spawn(bench.begin_file(Work::Segments));
    until("it is not begun", || bench.disk.count() == 1).await;
    assert_eq!(bench.holding.report(), Parts::default());
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(asking.join_next().await.unwrap().unwrap(), Err(true));
    let degraded = |line: &str| Parts { degraded: true, lines: vec![line.to_owned()] };
    let look = "look at the disk, or at the server that it is on";
    let told = format!(
        "disk: no answer for 5 s; 0 of 1 MiB of memory hold segments that wait, and 0 were given up; {look}"
    );
    assert_eq!(bench.holding.report(), degraded(&told));
    let place = bench.holding.enter_unanswered(0, at(1));
    place.grow(4).unwrap();
    tokio::time::advance(Duration::from_secs(37)).await;
    let told = told.replace("5 s", "42 s").replace("0 of 1", "1 of 1");
    assert_eq!(bench.holding.report(), degraded(&told));
    bench.disk.release();
    until("it hangs for ever", || !bench.holding.hangs()).await;
    let told =
        "disk: answers again; 1 of 1 MiB of memory hold segments that wait, and 0 were given up";
    assert_eq!(bench.holding.report(), degraded(told));
    drop(place);
    assert_eq!(bench.holding.report(), Parts::default());
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_hangs_now_and_then_is_told_of_once_a_minute() {
    let bench = Bench::new();
    let mut told = Vec::new();
    for second in 0..150 {
        bench.holding.state().hangs(Instant::now());
        if bench.holding.state().hang.as_ref().unwrap().is_told {
            told.push(second);
        }
        bench.holding.answered();
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(told, [0, 60, 120]);
    let place = bench.holding.enter_unanswered(0, at(1));
    for _ in 0..2 {
        tokio::time::advance(Duration::from_mins(1)).await;
        bench.holding.state().hangs(Instant::now());
        told.extend(bench.holding.state().hang.as_ref().filter(|hang| hang.is_told).map(|_| 0));
        bench.holding.answered();
    }
    assert_eq!(told.len(), 4, "while a segment waits it is one trouble");
    drop(place);
    tokio::time::advance(Duration::from_mins(1)).await;
    bench.holding.state().hangs(Instant::now());
    bench.holding.answered();
    tokio::time::advance(Duration::from_secs(30)).await;
    bench.holding.state().hangs(Instant::now());
    for told in [false, true] {
        let place = bench.holding.enter_unanswered(0, at(1));
        assert_eq!(bench.holding.state().hang.as_ref().unwrap().is_told, told);
        drop(place);
        tokio::time::advance(Duration::from_secs(30)).await;
    }
}
