//! Segments that wait for a disk that does not answer. The clock stands still while a thread hangs, so that
//! the tests move it.

use std::time::Duration;

use common::io::store::Hang;

use super::super::landing::TRIED_FOR;
use super::*;

/// A holding above a disk that may hang.
struct Bench {
    base: tempfile::TempDir,
    store: Store,
    holding: Holding,
    stored: Stored,
    stop: CancellationToken,
    disk: Hang,
}

/// Waits on the real clock, while the other one stands still.
async fn until(otherwise: &str, is_so: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "{otherwise}");
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Bench {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let disk = Hang::default();
        let store = disk.under(Store::open(base.path(), Access::Write).unwrap());
        let holding = Holding::new(100, &Metrics::empty());
        let (stop, stored) = (CancellationToken::new(), Stored::default());
        Self { base, store, holding, stored, stop, disk }
    }

    fn target(&self, seconds: i64) -> Target {
        Target {
            store: self.store.clone(),
            feed: Feed { channel: "c".parse().unwrap(), quality: "source".parse().unwrap() },
            start: at(seconds),
            duration: MediaDuration::from_seconds(2.0).unwrap(),
            stored: self.stored.clone(),
        }
    }

    /// Lands segments of four bytes that begin at these seconds side by side.
    fn land(&self, starts: std::ops::Range<i64>) -> JoinSet<Attempt> {
        let mut landing = JoinSet::new();
        for start in starts {
            let place = self.holding.enter_unanswered(0, at(start));
            place.grow(4).unwrap();
            let held = Held {
                pieces: vec![Bytes::from_static(b"vide")],
                place,
                target: self.target(start),
                completeness: Completeness::Full,
                failure: None,
                format: None,
                stop: self.stop.clone(),
                late: None,
            };
            landing.spawn(held.land());
        }
        landing
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
