//! Fetches while the disk does not answer.

use bytes::Bytes;
use common::io::store::{Hang, Step};
use common::service::Parts;

use super::handing::{MOST_SPARE, MOST_UNCONFIRMED, STORES_WITHIN};
use super::*;
use crate::planner::Saved;

/// How long the disk is waited for: no disk of a machine that runs tests takes as long.
const PATIENCE: Duration = Duration::from_mins(5);

/// Waits until something hangs, and until nobody waits for that any more.
pub(super) async fn patience_ends(disk: &Hang) {
    poll("nothing hangs", || disk.count() == 1).await;
    tokio::time::pause();
    // also with what is not at hand
    tokio::time::advance(PATIENCE * 3).await;
    tokio::time::resume();
}

impl Bench {
    /// A bench on that disk. What came goes to it piece by piece, or as a whole.
    pub(super) async fn hanging(disk: &Hang, by_pieces: bool) -> Self {
        Self::with(|means| {
            means.store = disk.under(means.store.clone());
            means.patience = Patience { disk: PATIENCE, ..for_ever() };
            means.gathering.most = by_pieces.then_some(1);
        })
        .await
    }

    /// Fetches a segment that waits for the disk.
    pub(super) async fn held(&self, fetcher: &Fetcher, segment: Segment) -> Box<Held> {
        match fetcher.fetch(&self.job(segment), &nowhere_else()).await {
            Fetched::Held(held) => held,
            Fetched::Done(attempt) => panic!("{attempt:?}"),
        }
    }

    /// A fetcher for another feed on the same disk.
    fn of_another_feed(&self) -> Fetcher {
        let feed = Feed { channel: "d".parse().unwrap(), quality: "source".parse().unwrap() };
        Fetcher::new(self.fetcher.means.clone(), feed, 0, &rules())
    }

    /// Whether a name is visible that is no temp file's.
    fn shows_any(&self) -> bool {
        self.files().iter().any(|path| !path.to_string_lossy().contains("-temp-"))
    }

    /// Waits until `disk` was released and everything that hung has ended; fails unless just the one segment
    /// is stored, whole.
    pub(super) async fn ends_with(&self, expected: Vec<u8>) {
        self.until_only_published().await;
        assert_eq!(self.stored(), [(Completeness::Full, expected)]);
        let holding = &self.fetcher.means.holding;
        poll("the disk hangs for ever", || !holding.hangs()).await;
        assert_eq!(holding.report(), Parts::default());
    }
}

fn landed(attempt: &Attempt) -> Option<Saved> {
    assert_eq!(attempt.failure, None);
    attempt.saved
}

#[tokio::test]
async fn wherever_the_disk_hangs_a_segment_is_received_and_lands_once_it_answers() {
    for step in [Step::Create, Step::Write, Step::Flush, Step::Rename, Step::FlushFolder] {
        let disk = Hang::default();
        let bench = Bench::hanging(&disk, false).await;
        let holding = bench.fetcher.means.holding.clone();
        bench.origin.serve("/live/7.ts", [Response::ok(packets(3)), Response::ok(packets(3))]);
        disk.at(step, 0);
        let held = bench.held(&bench.fetcher, segment());
        let (held, ()) = tokio::join!(held, patience_ends(&disk));
        assert_eq!(bench.shows_any(), step == Step::FlushFolder, "{step:?}: none but a whole one");
        let report = holding.report();
        assert!(
            report.degraded && report.lines[0].starts_with("disk: no answer for "),
            "{report:?}"
        );
        let other = bench.held(&bench.of_another_feed(), segment()).await;
        assert_eq!(disk.most(), 1, "{step:?}: it is known by then that the disk hangs");
        let release = async { disk.release() };
        let (held, other, ()) = tokio::join!(held.land(), other.land(), release);
        let expected = Saved { completeness: Completeness::Full, size: 564, is_new: true };
        assert_eq!((landed(&held), landed(&other)), (Some(expected), Some(expected)), "{step:?}");
        bench.ends_with(packets(3)).await;
    }
}

#[tokio::test]
async fn what_a_disk_that_hung_refuses_lands_from_memory() {
    for step in [Step::Create, Step::Write, Step::Flush, Step::Rename] {
        let disk = Hang::default();
        let mut bench = Bench::hanging(&disk, false).await;
        // there is room for it once
        bench.fetcher.means.holding = Holding::new(564, &Metrics::empty());
        bench.origin.serve("/live/7.ts", [Response::ok(packets(3))]);
        disk.at(step, 0);
        let held = bench.held(&bench.fetcher, segment());
        let (held, ()) = tokio::join!(held, patience_ends(&disk));
        disk.refuse(std::io::ErrorKind::StorageFull);
        poll("it hangs for ever", || disk.count() == 0).await;
        assert!(landed(&held.land().await).is_some(), "{step:?}");
        bench.ends_with(packets(3)).await;
    }
}

#[tokio::test]
async fn what_only_a_disk_that_hangs_has_is_fetched_again_at_once() {
    let whole = packets(1).repeat(3);
    for (step, passes) in [(Step::Write, 1), (Step::Write, 2), (Step::Flush, 0)] {
        let disk = Hang::default();
        let bench = Bench::hanging(&disk, true).await;
        let dripping = Response::dripping(&packets(1), Duration::from_millis(20), 564);
        bench.origin.serve("/live/7.ts", [dripping, Response::ok(&whole)]);
        disk.at(step, passes);
        let job = bench.job(segment());
        let (attempt, ()) = tokio::join!(bench.done(&job), patience_ends(&disk));
        let at_once = Retry::After(Duration::ZERO);
        assert_eq!(failure(&attempt), Some((Why::DiskFull, at_once)), "{step:?}");
        let held = bench.held(&bench.fetcher, segment()).await;
        assert!(!bench.shows_any(), "{step:?}");
        assert_eq!(disk.most(), 1, "{step:?}");
        disk.release();
        assert!(landed(&held.land().await).is_some(), "{step:?}");
        bench.ends_with(whole.clone()).await;
    }
}

#[tokio::test]
async fn a_copy_that_is_not_whole_lands_once_the_disk_answers() {
    let disk = Hang::default();
    let bench = Bench::hanging(&disk, true).await;
    disk.at(Step::Flush, 0);
    bench.origin.serve("/live/7.ts", [Response::truncated(&packets(2), 564)]);
    let held = bench.held(&bench.fetcher, segment());
    let (mut held, ()) = tokio::join!(held, patience_ends(&disk));
    let failure = held.failure.take().map(|failure| (failure.why, failure.retry));
    assert_eq!(failure, Some((Why::Truncated, Retry::Later)));
    assert_eq!((held.completeness, held.size), (Completeness::Partial, 0), "none are here");
    assert!(!bench.shows_any());
    disk.release();
    let expected = Saved { completeness: Completeness::Partial, size: 376, is_new: true };
    assert_eq!(landed(&held.land().await), Some(expected));
    assert_eq!(bench.stored(), [(Completeness::Partial, packets(2))]);
}

#[tokio::test]
async fn what_memory_has_no_room_for_may_be_stored_by_what_hangs_over_it() {
    for is_refused in [false, true] {
        let disk = Hang::default();
        let mut bench = Bench::hanging(&disk, false).await;
        let metrics = Metrics::empty();
        bench.fetcher.means.holding = Holding::new(100, &metrics);
        bench.origin.serve("/live/7.ts", [Response::ok(packets(3))]);
        disk.at(Step::Flush, 0);
        let held = bench.held(&bench.fetcher, segment());
        let (held, ()) = tokio::join!(held, patience_ends(&disk));
        assert!(held.pieces.is_empty());
        let given_up = |count: u8| {
            let sample = format!("\nsegments_given_up_total {count}\n");
            assert!(metrics.render().contains(&sample), "{sample}");
        };
        given_up(0);
        if is_refused {
            disk.refuse(std::io::ErrorKind::StorageFull);
            let full = Some((Why::DiskFull, Retry::WhileListed));
            assert_eq!(failure(&held.land().await), full);
            given_up(1);
        } else {
            disk.release();
            assert!(landed(&held.land().await).is_some());
            given_up(0);
            bench.ends_with(packets(3)).await;
        }
    }
}

#[tokio::test]
async fn what_the_disk_has_only_a_part_of_is_lost_without_room() {
    let disk = Hang::default();
    let mut bench = Bench::hanging(&disk, true).await;
    let metrics = Metrics::empty();
    bench.fetcher.means.holding = Holding::new(200, &metrics);
    let dripping = Response::dripping(&packets(1), Duration::from_millis(20), 564);
    bench.origin.serve("/live/7.ts", [dripping]);
    disk.at(Step::Create, 0);
    let job = bench.job(segment());
    let (attempt, ()) = tokio::join!(bench.done(&job), patience_ends(&disk));
    assert_eq!(failure(&attempt), Some((Why::DiskFull, Retry::WhileListed)));
    assert!(metrics.render().contains("\nsegments_given_up_total 1\n"));
}

#[tokio::test(start_paused = true)]
async fn all_have_to_end_in_time_from_when_the_downloader_stops() {
    let bench = Bench::patient(for_ever()).await;
    let (means, stops) = (&bench.fetcher.means, Instant::now());
    means.stop.cancel();
    means.cut_off().await;
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(means.holding.stopping(), stops);
}

#[tokio::test]
async fn a_feed_whose_folder_alone_hangs_leaves_the_threads_to_the_others() {
    let disk = Hang::default();
    let bench = Bench::hanging(&disk, false).await;
    let holding = bench.fetcher.means.holding.clone();
    bench.origin.serve("/live/7.ts", [(); 5].map(|()| Response::ok(packets(3))));
    disk.at(Step::Flush, 0);
    let mut waiting = Vec::new();
    for hung in 1..=2 {
        let held = bench.held(&bench.fetcher, segment());
        let patience_ends = async {
            poll("nothing hangs", || disk.count() == hung).await;
            tokio::time::pause();
            tokio::time::advance(PATIENCE * 3).await;
            tokio::time::resume();
        };
        waiting.push(tokio::join!(held, patience_ends).0);
        // what others have written is stored
        holding.disk_works();
        assert!(!holding.hangs());
    }
    waiting.push(bench.held(&bench.fetcher, segment()).await);
    assert_eq!(disk.most(), 2, "a third is not even tried");
    let (another, job) = (bench.of_another_feed(), bench.job(segment()));
    let (nowhere, release) = (nowhere_else(), async {
        poll("another feed does not ask the disk", || disk.count() == 3).await;
        disk.release();
    });
    let (other, ()) = tokio::join!(another.fetch(&job, &nowhere), release);
    assert!(matches!(other, Fetched::Done(attempt) if landed(&attempt).is_some()));
    for held in waiting {
        assert!(landed(&held.land().await).is_some());
    }
    assert!(landed(&bench.done(&bench.job(segment())).await).is_some(), "it is asked again");
}

#[tokio::test]
async fn what_is_dropped_waits_for_no_disk_and_takes_one_thread_for_all() {
    let disk = Hang::default();
    let bench = Bench::hanging(&disk, true).await;
    let piece = || vec![Bytes::from(packets(1))];
    let mut intakes = Vec::new();
    for _ in 0..5 {
        let job = bench.job(segment());
        let url = bench.origin.url("/live/7.ts");
        let plan = Plan { job: &job, url, front: Bytes::new(), decryption: None };
        let mut intake = bench.fetcher.intake(&plan);
        intake.take_in(piece()).unwrap();
        intakes.push(intake);
    }
    assert_eq!(bench.files().len(), 5);
    disk.at(Step::Remove, 0);
    let runtime = tokio::runtime::Handle::current();
    let dropping = std::thread::spawn(move || {
        let _runtime = runtime.enter();
        drop(intakes);
    });
    poll("whoever drops them waits", || dropping.is_finished()).await;
    poll("nobody removes them", || disk.count() == 1).await;
    assert_eq!(bench.files().len(), 5);
    disk.release();
    poll("they stay", || bench.files().is_empty()).await;
    assert_eq!(disk.most(), 1);
}

#[tokio::test]
async fn while_there_is_much_for_a_disk_that_stores_nothing_more_goes_to_memory_at_once() {
    let disk = Hang::default();
    let bench = Bench::hanging(&disk, false).await;
    let means = &bench.fetcher.means;
    let much = means.unconfirmed.add(&[Bytes::from(vec![0; MOST_UNCONFIRMED + 1])]);
    bench.origin.serve("/live/7.ts", [Response::ok(packets(3)), Response::ok(packets(3))]);
    means.holding.disk_works();
    let attempt = bench.done(&bench.job(segment())).await;
    assert!(landed(&attempt).is_some(), "the disk stores something");
    tokio::time::pause();
    tokio::time::advance(STORES_WITHIN).await;
    tokio::time::resume();
    disk.at(Step::Create, 0);
    let held = bench.held(&bench.fetcher, segment()).await;
    assert_eq!(disk.most(), 0);
    disk.release();
    assert!(landed(&held.land().await).is_some());
    drop(much);
    assert!(!means.unconfirmed.is_much());
    assert_eq!(
        landed(&bench.fetch(Response::ok(packets(3))).await).map(|it| it.is_new),
        Some(false)
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_disk_that_hangs_has_makes_fetches_gather_no_less() {
    let bench = Bench::patient(for_ever()).await;
    let means = &bench.fetcher.means;
    let _some = means.unconfirmed.add(&[Bytes::from(vec![0; 1000])]);
    means.holding.disk_works();
    assert_eq!(means.in_memory(), 1000);
    tokio::time::advance(STORES_WITHIN).await;
    assert_eq!(means.in_memory(), 0, "what is handed over in pieces has to be fetched again");
}

#[tokio::test]
async fn what_hangs_counts_until_it_ends() {
    let disk = Hang::default();
    let bench = Bench::hanging(&disk, false).await;
    bench.origin.serve("/live/7.ts", [Response::ok(packets(3))]);
    disk.at(Step::Flush, 0);
    let held = bench.held(&bench.fetcher, segment());
    let (held, ()) = tokio::join!(held, patience_ends(&disk));
    assert_eq!(bench.fetcher.means.unconfirmed.bytes(), 564);
    disk.release();
    assert!(landed(&held.land().await).is_some());
    poll("it counts for ever", || bench.fetcher.means.unconfirmed.bytes() == 0).await;
}

#[tokio::test]
async fn no_more_is_kept_of_what_the_disk_has_than_may_be() {
    let disk = Hang::default();
    let bench = Bench::hanging(&disk, false).await;
    let _much = bench.fetcher.means.unconfirmed.add(&[Bytes::from(vec![0; MOST_SPARE])]);
    disk.at(Step::Flush, 0);
    let fetch = bench.fetch(Response::ok(packets(3)));
    let (attempt, ()) = tokio::join!(fetch, patience_ends(&disk));
    assert_eq!(failure(&attempt), Some((Why::DiskFull, Retry::After(Duration::ZERO))));
    disk.release();
    bench.ends_with(packets(3)).await;
}
