//! Fetches while the disk takes nothing.

use std::io;
use std::sync::Mutex;

use bytes::Bytes;
use common::format::media::examiner::Finding;
use common::io::store::Step;

use super::body::{Body, End};
use super::intake::{Closed, Intake};
use super::*;

/// A disk that refuses a step once it has let it pass so many times.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<Option<(Step, usize)>>>);

impl Disk {
    fn refuse(&self, step: Step, passes: usize) {
        *self.0.lock().unwrap() = Some((step, passes));
    }

    fn mend(&self) {
        *self.0.lock().unwrap() = None;
    }

    fn check(&self, step: Step) -> io::Result<()> {
        match &mut *self.0.lock().unwrap() {
            Some((refused, 0)) if *refused == step => Err(io::ErrorKind::StorageFull.into()),
            Some((refused, passes)) if *refused == step => {
                *passes -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A bench on this disk, with room for `bytes` in memory.
    async fn bench(&self, bytes: u64) -> Bench {
        let disk = self.clone();
        Bench::with(move |means| {
            means.store = means.store.clone().with_faults(move |step| disk.check(step));
            means.holding = Holding::new(bytes, &Metrics::empty());
        })
        .await
    }
}

impl Bench {
    /// Fetches a segment of three packets.
    async fn fetch_three(&self) -> Fetched {
        self.origin.serve("/live/7.ts", [Response::ok(packets(3))]);
        self.fetcher.fetch(&self.job(segment()), &nowhere_else()).await
    }

    /// What an attempt begins with.
    fn intake(&self) -> Intake {
        let job = self.job(segment());
        let url = self.origin.url("/live/7.ts");
        self.fetcher.intake(&Plan { job: &job, url, front: Bytes::new(), decryption: None })
    }
}

/// A body of so many bytes that ended well.
fn ended(received: u64) -> Body {
    Body {
        promised: None,
        version: None,
        received,
        expected: Some(received),
        end: End::Clean,
        finding: Finding::Unknown,
        garbled: None,
        shortfall: None,
        took: Duration::ZERO,
        doubt: None,
        size: 0,
        best_partial: 0,
    }
}

/// The packet of that number.
fn packet(number: usize) -> Vec<Bytes> {
    let packets = Bytes::from(packets(3));
    vec![
        packets.slice(188 * number..188 * number + 100),
        packets.slice(188 * number + 100..188 * (number + 1)),
    ]
}

/// Those of `steps` that make a segment durable.
fn durability(steps: &[Step]) -> Vec<Step> {
    let durable = [Step::Flush, Step::Rename, Step::FlushFolder];
    steps.iter().copied().filter(|step| durable.contains(step)).collect()
}

#[tokio::test]
async fn a_segment_costs_one_flush_of_its_bytes_and_one_of_its_name() {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&steps);
    let bench = Bench::with(move |means| {
        means.store = means.store.clone().with_faults(move |step| {
            told.lock().unwrap().push(step);
            Ok(())
        });
    });
    let bench = bench.await;
    let whole = || Response::ok(packets(3));
    let cut = || Response::truncated(&packets(2), 564);
    for (name, answer) in [("whole", whole()), ("partial", cut()), ("known before", whole())] {
        assert!(bench.fetch(answer).await.saved.is_some(), "{name}");
        let steps = std::mem::take(&mut *steps.lock().unwrap());
        let once = [Step::Flush, Step::Rename, Step::FlushFolder];
        assert_eq!(durability(&steps), once, "{name}: {steps:?}");
    }
}

#[tokio::test]
async fn whatever_the_disk_refuses_the_segment_waits_and_lands_whole() {
    for (step, passes) in [
        (Step::Create, 0),
        (Step::Write, 0),
        (Step::Write, 1),
        (Step::Write, 2),
        (Step::Flush, 0),
        (Step::Rename, 0),
        (Step::FlushFolder, 0),
    ] {
        let disk = Disk::default();
        let bench = disk.bench(1 << 20).await;
        disk.refuse(step, passes);
        let mut intake = bench.intake();
        intake.take_in(packet(0)).unwrap();
        intake.take_in(packet(1)).unwrap();
        let Closed::Whole(Fetched::Held(held)) = intake.close(packet(2), ended(564)) else {
            panic!("{step:?} was not refused");
        };
        let is_published = step == Step::FlushFolder;
        assert_eq!(bench.files().len(), usize::from(is_published), "{step:?} leaves nothing");
        disk.mend();
        let attempt = held.land().await;
        assert_eq!(attempt.failure, None, "{step:?}");
        let saved = attempt.saved.unwrap();
        assert_eq!((saved.completeness, saved.size), (Completeness::Full, 564));
        assert_eq!(bench.stored(), [(Completeness::Full, packets(3))], "{step:?}");
    }
}

#[tokio::test]
async fn a_segment_is_received_and_judged_while_the_disk_is_full() {
    for step in [Step::Create, Step::Write, Step::Flush] {
        let disk = Disk::default();
        let bench = disk.bench(1 << 20).await;
        disk.refuse(step, 0);
        let Fetched::Held(held) = bench.fetch_three().await else {
            panic!("{step:?} was not refused");
        };
        disk.mend();
        assert_eq!(held.land().await.failure, None);
        assert_eq!(bench.stored(), [(Completeness::Full, packets(3))]);
    }
}

#[tokio::test]
async fn a_segment_waits_with_its_initialization_section_and_its_own_reason() {
    let disk = Disk::default();
    let bench = disk.bench(1 << 20).await;
    disk.refuse(Step::Create, 0);
    bench.origin.serve("/live/main.mp4", [Response::ok(section())]);
    bench.origin.serve("/live/7.ts", [Response::truncated(b"\0\0\0\x10moofhalf", 16)]);
    let Fetched::Held(held) =
        bench.fetcher.fetch(&bench.job(with_section()), &nowhere_else()).await
    else {
        panic!("it is stored");
    };
    disk.mend();
    let attempt = held.land().await;
    assert_eq!(failure(&attempt), Some((Why::Truncated, Retry::Later)));
    let expected = [section(), b"\0\0\0\x10moofhalf"].concat();
    assert_eq!(bench.stored(), [(Completeness::Partial, expected)]);
}

#[tokio::test]
async fn a_segment_that_memory_has_no_room_for_is_given_up_for_the_disk() {
    let disk = Disk::default();
    let bench = disk.bench(563).await;
    for step in [Step::Create, Step::Write, Step::Rename] {
        disk.refuse(step, 0);
        let Fetched::Done(attempt) = bench.fetch_three().await else {
            panic!("it waits, {step:?}");
        };
        assert_eq!(failure(&attempt), Some((Why::DiskFull, Retry::WhileListed)), "{step:?}");
        assert_eq!(bench.stored(), [], "{step:?}");
    }
    disk.refuse(Step::Write, 1);
    let mut intake = bench.intake();
    intake.take_in(packet(0)).unwrap();
    intake.take_in(packet(1)).unwrap();
    let failure = intake.take_in(packet(2)).unwrap_err();
    assert_eq!((failure.why, failure.retry), (Why::DiskFull, Retry::WhileListed), "in the middle");
}

#[tokio::test]
async fn the_room_of_a_segment_that_landed_is_free_again() {
    let disk = Disk::default();
    let bench = disk.bench(564).await;
    for _ in 0..3 {
        disk.refuse(Step::Rename, 0);
        let Fetched::Held(held) = bench.fetch_three().await else {
            panic!("there was no room");
        };
        disk.mend();
        assert_eq!(held.land().await.failure, None);
    }
}

#[tokio::test]
async fn what_a_failing_disk_does_not_give_back_is_fetched_again() {
    let disk = Disk::default();
    let bench = disk.bench(1 << 20).await;
    let mut intake = bench.intake();
    intake.take_in(packet(0)).unwrap();
    std::fs::write(&bench.files()[0], [0; 188]).unwrap();
    disk.refuse(Step::Write, 0);
    let failure = intake.take_in(packet(1)).unwrap_err();
    assert_eq!((failure.why, failure.retry), (Why::DiskFull, Retry::Later));
    assert!(failure.detail.contains("read back"), "{}", failure.detail);
    let end = End::Disk(failure);
    let Closed::Short(lost) = intake.close(Vec::new(), Body { end, ..ended(376) }) else {
        panic!("it was published");
    };
    assert!(lost.kept.is_none());
    assert_eq!(bench.stored(), []);
}

#[tokio::test]
async fn a_file_in_the_way_is_a_disk_that_refuses() {
    let bench = Bench::new().await;
    std::fs::write(bench.base.path().join("c"), "in the way").unwrap();
    bench.origin.serve("/live/7.ts", [Response::ok(packets(1))]);
    let fetched = bench.fetcher.fetch(&bench.job(segment()), &nowhere_else()).await;
    let Fetched::Held(held) = fetched else { panic!("{fetched:?}") };
    bench.stop.cancel();
    let attempt = held.land().await;
    assert_eq!(failure(&attempt), Some((Why::DiskFull, Retry::Never)));
}
