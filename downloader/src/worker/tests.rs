use common::io::http::client::Options;
use common::io::store::Feed;
use common::metrics::Metrics;

use super::*;
use crate::metrics::DownloaderMetrics;
use crate::origin::{Origin, Response};
use crate::provider::{Provider, Seen};

fn list(lines: &str) -> MediaPlaylist {
    MediaPlaylist::parse(format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n{lines}").as_bytes()).unwrap()
}

fn course() -> (Course, Instant) {
    let now = Instant::now();
    (Course::new(Reload::ByTarget, now), now)
}

const TWO: &str = "#EXTINF:2,\na\n#EXTINF:2,\nb\n";

#[test]
fn news_are_told_from_repetition() {
    let (mut course, now) = course();
    let mut is_news = |lines: &str| course.take_in(&list(lines), now).0;
    assert!(is_news(TWO));
    assert!(!is_news(TWO));
    assert!(is_news(&format!("{TWO}#EXTINF:2,\nc\n")));
    assert!(is_news(&format!("{TWO}#EXTINF:2,\nc\n#EXT-X-ENDLIST")));
    assert!(is_news("#EXT-X-MEDIA-SEQUENCE:9\n#EXTINF:2,\nc\n"));
}

#[test]
fn a_list_without_news_for_three_target_durations_is_stale() {
    let (mut course, now) = course();
    let mut stale = |lines: &str, seconds| {
        course.take_in(&list(lines), now + Duration::from_secs(seconds)).1.is_some()
    };
    assert!(!stale(TWO, 0));
    assert!(!stale(TWO, 6));
    assert!(stale(TWO, 7));
    assert!(!stale(&format!("{TWO}#EXTINF:2,\nc\n"), 8));
    assert!(!stale(&format!("{TWO}#EXTINF:2,\nc?token=1\n"), 9));
    assert!(stale(&format!("{TWO}#EXTINF:2,\nc?token=2\n"), 15), "tokens are no news");
}

#[test]
fn a_server_that_can_hold_back_is_asked_for_the_next_segment() {
    let (mut course, now) = course();
    let blocking = list(&format!("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n{TWO}"));
    assert_eq!(course.next(&blocking, true, now), now + rhythm::SHORTEST);
    assert_eq!(course.blocks_for, Some(2));
    assert!(course.next(&blocking, false, now) > now, "it did not hold back");
    assert_eq!(course.blocks_for, None);
    course.next(&blocking, true, now);
    let behind = list("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n#EXTINF:2,\na\n");
    assert!(course.next(&behind, true, now) > now, "other news are not what it was asked for");
    assert_eq!(course.blocks_for, None);
    course.next(&blocking, true, now);
    course.failed();
    assert_eq!(course.blocks_for, None, "after a failure any list will do");
}

#[test]
fn failures_are_met_with_patience() {
    let (mut course, now) = course();
    let waits: Vec<_> = (0..6).map(|_| course.failed().as_millis()).collect();
    assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 8000]);
    assert!(!course.has_failed_for_long(now + LONGEST_FAILURE));
    assert!(course.has_failed_for_long(now + LONGEST_FAILURE + Duration::from_secs(1)));
    course.take_in(&list(TWO), now);
    let waits: Vec<_> = (0..5).map(|_| course.failed().as_millis()).collect();
    assert_eq!(waits, [500, 1000, 2000, 4000, 4000], "two target durations");
}

#[test]
fn a_list_that_is_not_there_says_that_a_channel_is_offline_only_for_want_of_better() {
    use Status::{Failing, Offline, Refused, Unreachable};
    let (mut course, now) = course();
    let rules = Provider::Url("http://host/".parse().unwrap()).rules();
    let states = |course: &Course, missing_is_offline| {
        let rules = Rules { missing_is_offline, ..rules };
        [404, 403, 500].map(|status| course.status(&LoadError::Status(status), &rules))
    };
    assert_eq!(states(&course, true), [Offline, Refused, Unreachable]);
    assert_eq!(states(&course, false), [Failing, Refused, Unreachable]);
    course.take_in(&list(TWO), now);
    assert_eq!(states(&course, true), [Failing; 3]);
}

/// A worker that follows a list of an origin.
struct Bench {
    origin: Origin,
    metrics: Metrics,
    tip: Arc<Tip>,
    told: mpsc::Receiver<Report>,
}

impl Bench {
    /// One that is met with `answers`.
    async fn new(tip: Tip, answers: impl IntoIterator<Item = Response>) -> (Self, Worker) {
        let origin = Origin::start().await;
        origin.serve("/live.m3u8", answers);
        let (reports, told) = mpsc::channel(4);
        let bench = Self { origin, metrics: Metrics::empty(), tip: Arc::new(tip), told };
        let feed = Feed { channel: "c".parse().unwrap(), quality: "source".parse().unwrap() };
        let url: Url = bench.origin.url("/live.m3u8");
        let worker = Worker {
            id: WorkerId(0),
            client: Client::new(&bench.metrics, Options::default()),
            url: url.clone(),
            rules: Provider::Url(url).rules(),
            metrics: DownloaderMetrics::new(&bench.metrics).of(&feed),
            reports,
            tip: Arc::clone(&bench.tip),
        };
        (bench, worker)
    }

    /// What a look finds now, of which the last segment is at `last`.
    fn seen(&self, last: &str) -> Seen {
        let base = self.origin.url("/live.m3u8");
        let shown = list(&format!("{TWO}#EXTINF:2,\n{last}\n"));
        Seen { list: Box::new(shown), base, asked_at: Instant::now() }
    }

    async fn asked(&self, count: usize) {
        while self.origin.requests("/live.m3u8").len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The address of the last segment of the list that it tells of next.
    async fn shown(&mut self) -> String {
        loop {
            if let What::Loaded { list, .. } = self.told.recv().await.unwrap().what {
                return list.segments.last().unwrap().uri.clone();
            }
        }
    }

    /// That it did not give up to load anything.
    fn assert_that_none_failed(&self) {
        let failed =
            "playlist_reloads_total{channel=\"c\",quality=\"source\",result=\"failed\"} 0\n";
        assert!(self.metrics.render().contains(failed), "{}", self.metrics.render());
    }
}

/// Lets `worker` follow its list as long as `script` lasts.
async fn while_it_follows(worker: Worker, script: impl Future<Output = ()>) {
    tokio::select! {
        end = worker.follow() => panic!("it goes on: {end:?}"),
        () = script => {}
    }
}

fn two() -> Response {
    Response::ok(format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n{TWO}"))
}

#[tokio::test]
async fn an_answer_that_is_slow_to_come_is_not_waited_for_once_the_address_is_known_to_be_good() {
    for finds_list in [false, true] {
        let answers = [Response::silence(), Response::silence(), two()];
        let (mut bench, worker) = Bench::new(Tip::default(), answers).await;
        while_it_follows(worker, async {
            bench.asked(1).await;
            // no other timer is due before
            tokio::time::pause();
            tokio::time::sleep(SOFT_TIMEOUT).await;
            tokio::time::resume();
            bench.asked(2).await;
            let found_at = Instant::now();
            bench.tip.give(finds_list.then(|| bench.seen("seen")));
            assert!(matches!(
                bench.told.recv().await.unwrap().what,
                What::Failing { why: Some(Why::TimeOut), .. }
            ));
            assert_eq!(bench.shown().await, if finds_list { "seen" } else { "b" });
            // it did not have to give up waiting first
            bench.assert_that_none_failed();
            // the next load counts from the request that was answered
            bench.asked(if finds_list { 3 } else { 4 }).await;
            assert!(found_at.elapsed() >= Duration::from_secs(2), "{:?}", found_at.elapsed());
        })
        .await;
    }
}

#[tokio::test]
async fn a_list_that_a_look_found_is_not_loaded_again() {
    let (mut bench, worker) = Bench::new(Tip::default(), [Response::status(503)]).await;
    let seen = bench.seen("first");
    let asked_at = seen.asked_at;
    bench.tip.give(Some(seen));
    while_it_follows(worker, async {
        assert_eq!(bench.shown().await, "first");
        assert_eq!(bench.origin.requests("/live.m3u8").len(), 0);
        bench.asked(1).await;
        assert!(asked_at.elapsed() >= Duration::from_secs(2), "{:?}", asked_at.elapsed());
        bench.tip.give(Some(bench.seen("after a failure")));
        assert_eq!(bench.shown().await, "after a failure");
    })
    .await;
}

#[tokio::test]
async fn the_first_load_counts_from_when_the_look_asked() {
    let (bench, _) = Bench::new(Tip::default(), []).await;
    let mut seen = bench.seen("seen");
    seen.list.target_duration = Some(60.0);
    let (bench, worker) = Bench::new(Tip::with(Some(seen)), [two()]).await;
    // as if that had been answered only now
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(100)).await;
    tokio::time::resume();
    while_it_follows(worker, async {
        let asked = tokio::time::timeout(Duration::from_secs(30), bench.asked(1)).await;
        asked.expect("it does not wait once more");
    })
    .await;
}

#[tokio::test]
async fn a_list_that_was_asked_for_before_the_newest_is_left() {
    let tip = Tip::default();
    let (bench, _) = Bench::new(Tip::default(), []).await;
    let seen = bench.seen("seen");
    let newest = seen.asked_at + Duration::from_millis(1);
    tip.give(Some(seen.clone()));
    assert_eq!(tip.take(Some(newest)), None);
    assert_eq!(tip.take(None), None, "and not kept");
    tip.give(Some(seen.clone()));
    assert_eq!(tip.take(Some(seen.asked_at)), Some(seen));
}
