use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use common::io::store::{Access, Step};
use tokio::task::JoinSet;

use super::*;
use crate::planner::Attempt;
use crate::testing::folder_in_memory;

mod hang;

/// A disk that refuses as long as it is broken, and notes what is tried.
#[derive(Clone, Default)]
struct Disk {
    broken: Arc<AtomicBool>,
    tries: Arc<AtomicU64>,
    under_way: Arc<AtomicU64>,
}

impl Disk {
    fn broken() -> Self {
        let disk = Self::default();
        disk.broken.store(true, Ordering::Relaxed);
        disk
    }

    fn tries(&self) -> u64 {
        self.tries.load(Ordering::Relaxed)
    }

    fn check(&self, step: Step) -> io::Result<()> {
        if matches!(step, Step::Remove | Step::List) {
            return Ok(());
        }
        if step == Step::Create {
            self.tries.fetch_add(1, Ordering::Relaxed);
            assert_eq!(self.under_way.fetch_add(1, Ordering::Relaxed), 0, "one try at a time");
        }
        let broken = self.broken.load(Ordering::Relaxed);
        if broken || step == Step::FlushFolder {
            self.under_way.fetch_sub(1, Ordering::Relaxed);
        }
        if broken { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

/// A holding above a disk.
struct Bench {
    _base: tempfile::TempDir,
    store: Store,
    metrics: Metrics,
    holding: Holding,
    stored: Stored,
    stop: CancellationToken,
    disk: Disk,
    /// What was stored, in that order: those that wait for it are told by threads that may overtake each other.
    order: Arc<Mutex<Vec<String>>>,
}

fn error() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

impl Bench {
    fn new(room: u64, disk: Disk) -> Self {
        let base = folder_in_memory();
        let (checked, order) = (disk.clone(), Arc::<Mutex<Vec<String>>>::default());
        let (hour, stored) = (base.path().join("c/source/1970-01-01T00"), Arc::clone(&order));
        let store = Store::open(base.path(), Access::Write).unwrap();
        let store = store.with_faults(move |step| {
            if step == Step::FlushFolder {
                let mut stored = stored.lock().unwrap();
                let names = std::fs::read_dir(&hour).into_iter().flatten();
                let names = names.map(|file| file.unwrap().file_name().into_string().unwrap());
                let new: Vec<_> = names.filter(|name| !stored.contains(name)).collect();
                stored.extend(new);
            }
            checked.check(step)
        });
        let metrics = Metrics::empty();
        let holding = Holding::new(room, &metrics);
        let (stop, stored) = (CancellationToken::new(), Stored::default());
        Self { _base: base, store, metrics, holding, stored, stop, disk, order }
    }

    /// A segment of four bytes that waits.
    fn hold(&self, rank: usize, seconds: i64) -> Result<Held, Failure> {
        let place = self.holding.enter(rank, at(seconds), &error());
        place.grow(4)?;
        let feed = Feed { channel: "c".parse().unwrap(), quality: "source".parse().unwrap() };
        let target = Target {
            store: self.store.clone(),
            feed,
            start: at(seconds),
            duration: MediaDuration::from_seconds(2.0).unwrap(),
            stored: self.stored.clone(),
            stuck: Stuck::default(),
        };
        let pieces = vec![Bytes::from_static(b"vi"), Bytes::from_static(b"de")];
        Ok(Held {
            pieces,
            size: 4,
            place,
            target,
            completeness: Completeness::Full,
            failure: None,
            format: None,
            stop: self.stop.clone(),
            late: None,
        })
    }

    /// Lands segments that begin at these seconds side by side.
    fn land(&self, starts: &[i64]) -> JoinSet<Attempt> {
        starts.iter().map(|start| self.hold(0, *start).unwrap().land()).collect()
    }

    fn shows(&self, sample: &str) {
        let text = self.metrics.render();
        assert!(text.contains(&format!("\n{sample}\n")), "{sample} in {text}");
    }

    fn names(&self) -> usize {
        let feed = Feed { channel: "c".parse().unwrap(), quality: "source".parse().unwrap() };
        let hours = self.store.hours(&feed).unwrap();
        hours.into_iter().map(|hour| self.store.file_names(&feed, hour).unwrap().len()).sum()
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_disk_is_mended_all_land_the_oldest_first_and_one_at_a_time() {
    let bench = Bench::new(100, Disk::broken());
    let mut landing = bench.land(&[3, 1, 4, 2]);
    bench.shows("segments_held_bytes 16");
    while bench.disk.tries() < 8 {
        tokio::time::sleep(turns::PAUSE / 4).await;
    }
    assert_eq!(bench.names(), 0);
    bench.disk.broken.store(false, Ordering::Relaxed);
    while let Some(Ok(attempt)) = landing.join_next().await {
        assert_eq!(attempt.failure, None);
        assert_eq!(attempt.saved.map(|saved| (saved.size, saved.is_new)), Some((4, true)));
    }
    let mut stored = bench.order.lock().unwrap().clone();
    assert_eq!(stored.len(), 4);
    // whichever finds out that the disk is mended, and then the oldest
    stored.remove(0);
    assert!(stored.is_sorted(), "{stored:?}");
    assert_eq!(bench.names(), 4);
    bench.shows("segments_held_bytes 0");
    bench.shows("segments_given_up_total 0");
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_refuses_is_tried_about_every_second_however_many_wait() {
    let bench = Bench::new(100, Disk::broken());
    let _landing = bench.land(&[1, 2, 3, 4, 5, 6, 7, 8]);
    let began = Instant::now();
    while bench.disk.tries() < 20 {
        tokio::time::sleep(turns::PAUSE / 10).await;
    }
    assert!(began.elapsed() >= turns::PAUSE * 19, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_oldest_of_the_lowest_quality_is_given_up_for_a_better_one() {
    let bench = Bench::new(12, Disk::broken());
    let best = bench.hold(0, 1).unwrap();
    let (older, newer) = (bench.hold(1, 2).unwrap(), bench.hold(1, 3).unwrap());
    let (stays, better) = (newer.land(), bench.hold(0, 4).unwrap());
    let attempt = older.land().await;
    let worse = bench.hold(2, 9).unwrap_err();
    for failure in [attempt.failure.unwrap(), worse] {
        assert_eq!((failure.why, failure.retry), (Why::DiskFull, Retry::WhileListed));
    }
    bench.shows("segments_given_up_total 2");
    bench.shows("segments_held_bytes 12");
    bench.disk.broken.store(false, Ordering::Relaxed);
    let (best, stays, better) = tokio::join!(best.land(), stays, better.land());
    assert!([best, stays, better].iter().all(|attempt| attempt.failure.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_still_arrives_is_given_up_too() {
    let bench = Bench::new(10, Disk::broken());
    let arriving = bench.holding.enter(1, at(1), &error());
    arriving.grow(6).unwrap();
    let better = bench.holding.enter(0, at(2), &error());
    better.grow(6).unwrap();
    assert_eq!(arriving.grow(1).unwrap_err().why, Why::DiskFull);
    bench.shows("segments_given_up_total 1");
}

#[tokio::test(start_paused = true)]
async fn when_stopping_each_has_one_last_try_without_a_pause() {
    let bench = Bench::new(100, Disk::broken());
    let mut landing = bench.land(&[1, 2, 3]);
    while bench.disk.tries() == 0 {
        tokio::time::sleep(turns::PAUSE / 10).await;
    }
    bench.stop.cancel();
    let (before, stopped) = (bench.disk.tries(), Instant::now());
    while let Some(Ok(attempt)) = landing.join_next().await {
        let failure = attempt.failure.unwrap();
        assert_eq!((failure.why, failure.retry), (Why::DiskFull, Retry::Never));
    }
    assert_eq!(bench.disk.tries(), before + 3);
    assert!(stopped.elapsed() < turns::PAUSE);
    bench.shows("segments_held_bytes 0");
}

#[tokio::test(start_paused = true)]
async fn when_stopping_what_a_mended_disk_takes_is_stored() {
    let bench = Bench::new(100, Disk::broken());
    let mut landing = bench.land(&[1, 2, 3]);
    while bench.disk.tries() == 0 {
        tokio::time::sleep(turns::PAUSE / 10).await;
    }
    bench.disk.broken.store(false, Ordering::Relaxed);
    bench.stop.cancel();
    while let Some(Ok(attempt)) = landing.join_next().await {
        assert_eq!(attempt.failure, None);
    }
    assert_eq!(bench.names(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_dropped_keeps_no_other_waiting() {
    let bench = Bench::new(8, Disk::broken());
    let first = bench.land(&[1]);
    while bench.disk.tries() == 0 {
        tokio::time::sleep(turns::PAUSE / 10).await;
    }
    drop(first);
    // whose try may still be under way
    let second = bench.hold(0, 2).unwrap();
    bench.disk.broken.store(false, Ordering::Relaxed);
    assert_eq!(second.land().await.failure, None);
    assert_eq!(bench.names(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_health_tells_of_a_disk_that_refuses_until_all_has_landed() {
    let bench = Bench::new(10 << 20, Disk::broken());
    let report = || bench.holding.report();
    assert_eq!(report(), Parts::default(), "nobody knows yet");
    let mut landing = bench.land(&[1, 2]);
    let large = bench.holding.enter(0, at(3), &error());
    large.grow(4 << 20).unwrap();
    let refusing = |seconds: u64, used: u64, given_up: u64| Parts {
        degraded: true,
        lines: vec![format!(
            "disk: refusing for {seconds} s: {}; {used} of 10 MiB of memory hold segments that wait, and \
             {given_up} were given up; make room on the disk, or mend it",
            error()
        )],
    };
    assert_eq!(report(), refusing(0, 5, 0), "with those of four bytes");
    tokio::time::sleep(turns::PAUSE * 90).await;
    assert!(bench.disk.tries() > 0);
    assert_eq!(report(), refusing(90, 5, 0));
    let worse = bench.holding.enter(1, at(9), &error());
    assert!(worse.grow(8 << 20).is_err());
    assert_eq!(report(), refusing(90, 5, 1));
    drop((large, worse));
    assert_eq!(report(), refusing(90, 1, 1));
    bench.disk.broken.store(false, Ordering::Relaxed);
    while landing.join_next().await.is_some() {}
    assert_eq!(report(), Parts::default());
}

#[tokio::test(start_paused = true)]
async fn the_health_tells_of_a_disk_that_refuses_even_if_nothing_waits() {
    let bench = Bench::new(100, Disk::broken());
    drop(bench.holding.enter(0, at(1), &error()));
    assert!(bench.holding.report().degraded);
    bench.holding.disk_works();
    assert_eq!(bench.holding.report(), Parts::default());
}
