use std::path::PathBuf;
use std::sync::Arc;

use common::base::time::Timestamp;
use common::format::hls::{ByteRange, Map, Segment};
use common::format::segment::{Completeness, MediaDuration, SegmentName};
use common::io::http::client::Options;
use common::io::store::Access;
use common::metrics::Metrics;
use tokio::time::Instant;

use super::patience::Limits;
use super::*;
use crate::planner::{Claim, Overwritten, Saved, SegmentId, SourceId, Urgency};

use crate::origin::{Origin, Response};

mod disk;
mod encrypted;
mod hang;
mod slow;

/// An origin, a store, and a fetcher from one to the other.
struct Bench {
    origin: Origin,
    base: tempfile::TempDir,
    fetcher: Fetcher,
    stop: CancellationToken,
}

/// Every wait is as long as an hour is to a test.
fn for_ever() -> Patience {
    let hour = Duration::from_hours(1);
    let limits = Limits { soft: hour, hard: hour };
    let stop = Duration::from_millis(50);
    Patience { headers: limits, whole: limits, idle: hour, aside: hour, disk: hour, stop }
}

impl Bench {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn patient(patience: Patience) -> Self {
        Self::with(|means| means.patience = patience).await
    }

    /// A bench whose fetcher has other means.
    async fn with(adjust: impl FnOnce(&mut Means)) -> Self {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Write).unwrap();
        let metrics = Metrics::empty();
        // which is none of the waits that are tested
        let long = Duration::from_hours(9);
        let options = Options { headers_timeout: long, read_timeout: long };
        let client = Client::new(&metrics, options);
        let stop = CancellationToken::new();
        let holding = Holding::new(1 << 20, &metrics);
        let mut means = Means::new(client, store, holding, Stored::default(), stop.clone());
        // so that tests see on the disk what has come
        means.gathering.most = Some(1);
        adjust(&mut means);
        let feed = Feed { channel: "c".parse().unwrap(), quality: "source".parse().unwrap() };
        let fetcher = Fetcher::new(means, feed, 0, &rules());
        Self { origin: Origin::start().await, base, fetcher, stop }
    }

    fn job(&self, segment: Segment) -> Job {
        Job {
            id: SegmentId(7),
            source: SourceId(0),
            numbering: 0,
            number: 7,
            stretch: None,
            promised: None,
            version: None,
            attempt: 1,
            urgency: Urgency::Newest,
            listed: Instant::now(),
            segment: Arc::new(segment),
            base: Arc::new(self.origin.url("/live/list.m3u8")),
            start: Timestamp::parse_http("2026-11-20T10:59:58.5").unwrap(),
            duration: MediaDuration::from_seconds(2.0).unwrap(),
            doubt: None,
            overwritten: Overwritten::default(),
            best_partial: 0,
        }
    }

    /// Fetches a segment that the origin answers like that.
    async fn fetch(&self, response: Response) -> Attempt {
        self.fetch_as(segment(), response).await
    }

    /// Fetches `segment`, which the origin answers like that.
    async fn fetch_as(&self, segment: Segment, response: Response) -> Attempt {
        self.origin.serve("/live/7.ts", [response]);
        self.done(&self.job(segment)).await
    }

    /// Fetches a segment that does not have to wait for the disk.
    async fn done(&self, job: &Job) -> Attempt {
        match self.fetcher.fetch(job, &nowhere_else()).await {
            Fetched::Done(attempt) => attempt,
            Fetched::Held(held) => panic!("{held:?}"),
        }
    }

    /// Waits, on the real clock, until what an attempt that was dropped was writing is gone.
    async fn until_only_published(&self) {
        let is_temp = |path: &PathBuf| path.to_string_lossy().contains("-temp-");
        poll("a temp file stays", || !self.files().iter().any(is_temp)).await;
    }

    /// The ports that the segment was asked for from.
    fn ports(&self) -> Vec<u16> {
        self.origin.requests("/live/7.ts").iter().map(|request| request.port).collect()
    }

    /// What lies in the store: completeness and bytes of each segment; fails on leftovers.
    fn stored(&self) -> Vec<(Completeness, Vec<u8>)> {
        let mut stored = Vec::new();
        for path in self.files() {
            let name: SegmentName = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
            let (completeness, _) = name.published().expect("no temp file is left");
            stored.push((completeness, std::fs::read(path).unwrap()));
        }
        stored
    }

    fn files(&self) -> Vec<PathBuf> {
        let hour = self.base.path().join("c/source/2026-11-20T10");
        std::fs::read_dir(hour).into_iter().flatten().map(|file| file.unwrap().path()).collect()
    }
}

fn rules() -> Rules {
    let url = "http://host/".parse().unwrap();
    let rules = crate::provider::Provider::Url(url).rules();
    Rules { max_fetches: 2, ..rules }
}

#[tokio::test]
async fn all_but_the_newest_wait_for_a_turn() {
    let bench = Bench::with(|means| means.crowd = Crowd::of(0)).await;
    bench.origin.serve("/live/7.ts", [Response::ok(packets(3))]);
    let old = Job { urgency: Urgency::Backlog, ..bench.job(segment()) };
    let newest = bench.job(segment());
    let attempt = tokio::select! {
        biased;
        attempt = bench.done(&old) => panic!("it has no turn: {attempt:?}"),
        attempt = bench.done(&newest) => attempt,
    };
    assert_eq!(attempt.failure, None);
    assert_eq!(bench.ports().len(), 1, "the other one was not asked for");
}

#[tokio::test]
async fn the_feeds_of_a_channel_share_what_it_may_fetch() {
    let bench = Bench::new().await;
    let fetcher = |channel: &str, quality: &str, rules: &Rules| {
        let feed = Feed { channel: channel.parse().unwrap(), quality: quality.parse().unwrap() };
        Fetcher::new(bench.fetcher.means.clone(), feed, 0, rules)
    };
    let shared = Rules { max_channel_fetches: Some(3), ..rules() };
    let (one, other) = (fetcher("c", "source", &shared), fetcher("c", "480p", &shared));
    let elsewhere = fetcher("d", "source", &shared);
    let (a, b, _c) =
        (one.permits.first().await, one.permits.first().await, other.permits.first().await);
    let full = tokio::time::timeout(Duration::ZERO, other.permits.first()).await;
    assert!(full.is_err(), "two of one feed and one of the other are all of the channel");
    let _of_another = elsewhere.permits.first().await;
    drop((a, b));
    let _ = other.permits.first().await;

    let (one, other) = (fetcher("e", "source", &rules()), fetcher("e", "480p", &rules()));
    let _held = (one.permits.first().await, one.permits.first().await);
    let _ = other.permits.first().await;
}

/// Waits on the real clock until something is so.
async fn poll(otherwise: &str, is_so: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "{otherwise}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Of a segment that only one list has.
fn nowhere_else() -> Elsewhere {
    watch::channel(None).1
}

fn segment() -> Segment {
    Segment { uri: "7.ts".to_owned(), ..Segment::default() }
}

/// One whose initialization section is the whole of `main.mp4`.
fn with_section() -> Segment {
    let map = Map { uri: "main.mp4".to_owned(), byte_range: None, key: None };
    Segment { map: Some(Arc::new(map)), ..segment() }
}

/// An initialization section as ffmpeg makes it.
fn section() -> &'static [u8] {
    include_bytes!("../../testdata/encrypted/section.mp4")
}

/// Whole MPEG-TS packets.
fn packets(count: u8) -> Vec<u8> {
    let packet = |number| [vec![0x47], vec![number; 187]].concat();
    (0..count).flat_map(packet).collect()
}

/// The reason of a failure and when it may be retried.
fn failure(attempt: &Attempt) -> Option<(Why, Retry)> {
    attempt.failure.as_ref().map(|failure| (failure.why, failure.retry))
}

#[tokio::test]
async fn a_whole_segment_is_published_under_its_name() {
    let bench = Bench::new().await;
    let attempt = bench.fetch(Response::ok(packets(3))).await;
    let saved = Saved { completeness: Completeness::Full, size: 564, is_new: true };
    assert_eq!((attempt.saved, attempt.failure), (Some(saved), None));
    assert_eq!(bench.stored(), [(Completeness::Full, packets(3))]);
    let name = bench.files()[0].file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.starts_with("59:58.500000-2.0-full-"), "{name}");
    let again = bench.fetch(Response::ok(packets(3))).await;
    assert_eq!(again.saved.map(|saved| saved.is_new), Some(false));
    assert_eq!(bench.files().len(), 1);
}

#[tokio::test]
async fn less_media_than_the_list_promises_is_suspect() {
    let media = include_bytes!("../../../common/testdata/media/h264-aac.ts");
    let bench = Bench::new().await;
    bench.origin.serve("/live/7.ts", [Response::ok(media)]);
    let promise = |seconds| Job {
        promised: MediaDuration::from_seconds(seconds),
        version: Some(3),
        ..bench.job(segment())
    };
    let attempt = bench.done(&promise(2.0)).await;
    assert_eq!(failure(&attempt), Some((Why::Truncated, Retry::AFewTimes)));
    let detail = attempt.failure.unwrap().detail;
    assert!(detail.ends_with("where 2.000 s were promised"), "{detail}");
    assert_eq!(bench.stored(), [(Completeness::Suspect, media.to_vec())]);
    let attempt = bench.done(&promise(0.4)).await;
    assert_eq!(failure(&attempt), None);
    assert_eq!(attempt.format.unwrap().to_string(), "H.264 320x180 + AAC in MPEG-TS");
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_kept_as_partial_to_its_last_byte() {
    let bodies = packets(3);
    let cut = &bodies[..500];
    for (name, response, retry) in [
        ("with a length", Response::truncated(cut, 564), Retry::Later),
        ("chunked", Response::chunked_cut(cut), Retry::Later),
        ("until the connection closes", Response::until_close(cut), Retry::AFewTimes),
    ] {
        let bench = Bench::new().await;
        let attempt = bench.fetch(response).await;
        assert_eq!(failure(&attempt), Some((Why::Truncated, retry)), "{name}");
        assert_eq!(bench.stored(), [(Completeness::Partial, cut.to_vec())], "{name}");
    }
}

#[tokio::test]
async fn a_whole_body_without_a_length_is_full() {
    let bench = Bench::new().await;
    let attempt = bench.fetch(Response::until_close(&packets(3))).await;
    assert_eq!(failure(&attempt), None);
    assert_eq!(bench.stored(), [(Completeness::Full, packets(3))]);
}

#[tokio::test]
async fn an_empty_body_is_suspect_and_wanted_again() {
    for response in [Response::ok(b""), Response::until_close(b"")] {
        let bench = Bench::new().await;
        let attempt = bench.fetch(response).await;
        assert_eq!(failure(&attempt), Some((Why::Damaged, Retry::Later)));
        assert_eq!(bench.stored(), [(Completeness::Suspect, Vec::new())]);
    }
}

#[tokio::test]
async fn a_page_is_no_segment() {
    let bench = Bench::new().await;
    let attempt = bench.fetch(Response::ok("<!DOCTYPE html><title>Sign in</title>")).await;
    assert_eq!(failure(&attempt), Some((Why::Damaged, Retry::Later)));
    assert_eq!(bench.stored(), []);
}

#[tokio::test]
async fn statuses_are_reasons() {
    let bench = Bench::new().await;
    let missing = bench.fetch(Response::status(404)).await;
    assert_eq!(failure(&missing), Some((Why::Expired, Retry::WhileListed)));
    let refused = bench.fetch(Response::status(403)).await;
    assert_eq!(failure(&refused), Some((Why::Refused, Retry::WhileListed)));
    let broken = bench.fetch(Response::status(503)).await;
    assert_eq!(failure(&broken), Some((Why::Expired, Retry::Later)));
    let busy = bench.fetch(Response::new(429, &[("Retry-After", "9")], b"")).await;
    let after = Retry::After(Duration::from_secs(9));
    assert_eq!(failure(&busy), Some((Why::Expired, after)));
    assert_eq!(bench.stored(), []);
}

#[tokio::test]
async fn redirects_are_followed_but_not_in_a_circle() {
    let bench = Bench::new().await;
    bench.origin.serve("/elsewhere.ts", [Response::ok(packets(1))]);
    let redirect = |to| Response::new(302, &[("Location", to)], b"");
    let attempt = bench.fetch(redirect("/elsewhere.ts")).await;
    assert_eq!(failure(&attempt), None);
    let circle = bench.fetch(redirect("/live/7.ts")).await;
    assert_eq!(failure(&circle), Some((Why::Expired, Retry::Later)));
    assert!(bench.origin.requests("/live/7.ts").len() < 10);
}

#[tokio::test]
async fn a_segment_out_of_step_is_suspect() {
    let bench = Bench::new().await;
    let mut slipped = packets(3);
    slipped.remove(100);
    let attempt = bench.fetch(Response::ok(&slipped)).await;
    assert_eq!(failure(&attempt), Some((Why::Damaged, Retry::AFewTimes)));
    assert_eq!(bench.stored(), [(Completeness::Suspect, slipped)]);
}

#[tokio::test]
async fn a_segment_that_is_too_large_is_not_even_begun() {
    let bench = Bench::new().await;
    let promised = usize::try_from(MAX_SEGMENT_BYTES).unwrap() + 1;
    let attempt = bench.fetch(Response::stalled(&packets(1), promised)).await;
    assert_eq!(failure(&attempt), Some((Why::Damaged, Retry::Never)));
    assert_eq!(bench.stored(), []);
}

#[tokio::test]
async fn a_segment_without_an_end_is_left_at_the_limit() {
    // so that a fetch which goes on beyond it comes to another end
    let whole = Limits { hard: Duration::from_secs(5), ..for_ever().whole };
    for (name, most) in [("on the disk", 1), ("in memory", 1 << 20)] {
        let bench = Bench::with(|means| {
            means.patience = Patience { whole, ..for_ever() };
            means.largest = 188 * 200;
            means.gathering.most = Some(most);
        });
        let bench = bench.await;
        let attempt = bench.fetch(Response::endless(&packets(50), Duration::from_millis(1))).await;
        assert_eq!(failure(&attempt), Some((Why::Damaged, Retry::Never)), "{name}");
        assert_eq!(bench.stored(), [], "{name}");
        let largest = Response::until_close(&packets(200));
        assert_eq!(failure(&bench.fetch(largest).await), None, "{name}: as large as may be");
    }
}

#[tokio::test]
async fn an_initialization_section_is_fetched_once_and_put_in_front() {
    let bench = Bench::new().await;
    let length = section().len();
    let content_range = format!("bytes 4-{}/{}", length + 3, length + 8);
    let range = [("Content-Range", content_range.as_str())];
    bench.origin.serve("/live/main.mp4", [Response::new(206, &range, section())]);
    bench.origin.serve("/live/7.ts", [Response::ok("\0\0\0\x0dmoofwhole")]);
    let byte_range = Some(ByteRange { length: length as u64, offset: Some(4) });
    let map = Map { uri: "main.mp4".to_owned(), byte_range, key: None };
    let job = bench.job(Segment { map: Some(Arc::new(map)), ..segment() });
    for _ in 0..2 {
        assert_eq!(failure(&bench.done(&job).await), None);
    }
    let expected = [section(), b"\0\0\0\x0dmoofwhole"].concat();
    assert_eq!(bench.stored(), [(Completeness::Full, expected)]);
    let asked = bench.origin.requests("/live/main.mp4");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].headers["range"], format!("bytes=4-{}", length + 3));

    let renumbered = Job { numbering: 1, ..job };
    bench.done(&renumbered).await;
    assert_eq!(bench.origin.requests("/live/main.mp4").len(), 2, "it may be another one now");
}

#[tokio::test]
async fn behind_a_discontinuity_there_may_be_another_section() {
    let other = [section(), b"\0\0\0\x08free"].concat();
    let bench = Bench::new().await;
    bench.origin.serve("/live/main.mp4", [Response::ok(section()), Response::ok(&other)]);
    bench.origin.serve("/live/7.ts", [Response::ok("\0\0\0\x0dmoofwhole")]);
    let before = bench.job(with_section());
    let behind = Job { stretch: Some(7), ..before.clone() };
    for job in [&before, &behind, &before, &behind] {
        assert_eq!(failure(&bench.done(job).await), None);
    }
    let whole = |section: &[u8]| (Completeness::Full, [section, b"\0\0\0\x0dmoofwhole"].concat());
    let stored = bench.stored();
    assert_eq!(stored.len(), 2);
    assert!(stored.contains(&whole(section())) && stored.contains(&whole(&other)));
    assert_eq!(bench.origin.requests("/live/main.mp4").len(), 2, "both are kept");
}

#[tokio::test]
async fn what_is_no_initialization_section_is_neither_kept_nor_put_in_front() {
    for (name, answer, detail) in [
        ("a page", Response::ok("<!DOCTYPE html><title>Sign in</title>"), "a text came"),
        ("cut off", Response::until_close(&section()[..900]), "ends within"),
        ("without tracks", Response::ok(&section()[..28]), "nothing of any track"),
    ] {
        let bench = Bench::new().await;
        bench.origin.serve("/live/main.mp4", [answer, Response::ok(section())]);
        bench.origin.serve("/live/7.ts", [Response::ok("\0\0\0\x0dmoofwhole")]);
        let job = bench.job(with_section());
        let attempt = bench.done(&job).await;
        assert_eq!(failure(&attempt), Some((Why::Damaged, Retry::Later)), "{name}");
        let told = attempt.failure.unwrap().detail;
        assert!(
            told.starts_with("its initialization section: ") && told.contains(detail),
            "{told}"
        );
        assert_eq!(bench.stored(), [], "{name}");
        assert_eq!(failure(&bench.done(&job).await), None, "{name}");
        let expected = [section(), b"\0\0\0\x0dmoofwhole"].concat();
        assert_eq!(bench.stored(), [(Completeness::Full, expected)], "{name}");
    }
}

#[tokio::test]
async fn without_its_initialization_section_a_segment_is_not_saved() {
    let bench = Bench::new().await;
    bench.origin.serve("/live/7.ts", [Response::ok("moof")]);
    let map = Map { uri: "missing.mp4".to_owned(), byte_range: None, key: None };
    let job = bench.job(Segment { map: Some(Arc::new(map)), ..segment() });
    let attempt = bench.done(&job).await;
    assert_eq!(failure(&attempt), Some((Why::Expired, Retry::WhileListed)));
    assert_eq!(bench.stored(), []);
}

#[tokio::test]
async fn a_part_is_asked_for_and_cut_out_of_the_whole_if_need_be() {
    let whole = packets(4);
    let part = &whole[188..564];
    let range = [("Content-Range", "bytes 188-563/752")];
    let elsewhere = [("Content-Range", "bytes 0-375/752")];
    let byte_range = Some(ByteRange { length: 376, offset: Some(188) });
    for (response, expected) in [
        (Response::new(206, &range, part), None),
        (Response::ok(&whole), None),
        (Response::new(206, &elsewhere, part), Some((Why::Damaged, Retry::Later))),
        (Response::new(206, &range, &part[..188]), Some((Why::Truncated, Retry::Later))),
        (Response::status(416), Some((Why::Expired, Retry::WhileListed))),
    ] {
        let bench = Bench::new().await;
        bench.origin.serve("/live/7.ts", [response]);
        let attempt = bench.done(&bench.job(Segment { byte_range, ..segment() })).await;
        assert_eq!(failure(&attempt), expected);
        assert_eq!(bench.origin.requests("/live/7.ts")[0].headers["range"], "bytes=188-563");
        if expected.is_none() {
            assert_eq!(bench.stored(), [(Completeness::Full, part.to_vec())]);
        }
    }
}

#[tokio::test]
async fn bodies_are_asked_for_as_they_are() {
    let bench = Bench::new().await;
    bench.fetch(Response::ok(packets(1))).await;
    let request = &bench.origin.requests("/live/7.ts")[0];
    assert_eq!(request.headers["accept-encoding"], "identity");
}

/// Waits, on the real clock, until a temp file has some bytes.
async fn until_some_arrived(bench: &Bench, bytes: u64) {
    let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
    poll("nothing arrives", || bench.files().iter().any(|path| size(path) == bytes)).await;
}

#[tokio::test]
async fn when_stopping_what_has_arrived_is_kept_within_the_grace() {
    let bench = Bench::patient(for_ever()).await;
    let fetch = bench.fetch(Response::stalled(&packets(2), 564));
    let script = async {
        until_some_arrived(&bench, 376).await;
        bench.stop.cancel();
    };
    let (attempt, ()) = tokio::join!(fetch, script);
    assert_eq!(failure(&attempt), Some((Why::Stopped, Retry::Never)));
    assert_eq!(bench.stored(), [(Completeness::Partial, packets(2))]);
}
