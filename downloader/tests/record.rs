//! The downloader as a whole, recording from a scripted origin: what was published is in the store,
//! byte for byte and under the right names, whatever the origin does in between.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod addresses;
mod origin;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Parser;
use common::base::time::{Hour, Timestamp};
use common::format::segment::{Completeness, SegmentName};
use common::io::store::notes::{Note, Notes, Why};
use common::io::store::{Access, Feed, Store};
use common::metrics::Metrics;
use common::service::Context;
use downloader::config::{Config, Options};
use origin::{Origin, Response};
use tokio::task::JoinSet;

const HOUR: &str = "2026-11-20T10";

/// A downloader that runs until it is stopped or dropped.
struct Downloader {
    context: Context,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Downloader {
    fn start(base: &Path, arguments: &[&str]) -> Self {
        let base = base.to_str().unwrap();
        let own = ["downloader", "--base-dir", base, "--name", "node", "--listen", "127.0.0.1:0"];
        let options = Options::try_parse_from(own.iter().chain(arguments)).unwrap();
        let context = Context::new(Metrics::empty());
        let mut tasks = JoinSet::new();
        tasks.spawn(downloader::run(context.clone(), Config::new(options).unwrap()));
        Self { context, tasks }
    }

    /// Asks it to stop and waits until it has.
    async fn stop(mut self) {
        self.context.stop.cancel();
        self.tasks.join_next().await.unwrap().unwrap().unwrap();
        self.context.tasks.ended().await;
    }
}

/// The segments of one feed's hour, by start; temp files do not count.
fn stored(base: &Path, channel: &str, quality: &str) -> BTreeMap<String, (Completeness, Vec<u8>)> {
    let folder = base.join(channel).join(quality).join(HOUR);
    let mut stored = BTreeMap::new();
    for file in std::fs::read_dir(folder).into_iter().flatten() {
        let path = file.unwrap().path();
        let file_name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let name: SegmentName = file_name.parse().unwrap();
        if let Some((completeness, _)) = name.published() {
            let start = file_name.split('-').next().unwrap().to_owned();
            let key = format!("{start} {}", name.duration());
            stored.insert(key, (completeness, std::fs::read(path).unwrap()));
        }
    }
    stored
}

/// Waits until `holds`, on the real clock.
async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The bytes of a segment: whole MPEG-TS packets that are unlike any other segment's.
fn media(seed: u64) -> Vec<u8> {
    let packet = |number: u64| {
        let filler = (0..187).map(move |at| (seed * 31 + number * 7 + at).to_le_bytes()[0]);
        std::iter::once(0x47).chain(filler)
    };
    (0..5).flat_map(packet).collect()
}

/// A media playlist of dated one-second segments `first..end`, number `n` starting `n` seconds after
/// 10:00, which live in `folder`.
fn playlist(first: u64, end: u64) -> String {
    let mut lines = vec![
        "#EXTM3U".to_owned(),
        "#EXT-X-TARGETDURATION:1".to_owned(),
        format!("#EXT-X-MEDIA-SEQUENCE:{first}"),
    ];
    for number in first..end {
        let (minute, second) = (number / 60, number % 60);
        lines.push(format!("#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:{minute:02}:{second:02}.000Z"));
        lines.push(format!("#EXTINF:1.0,\n{number}.ts"));
    }
    lines.join("\n") + "\n"
}

/// Serves whole segments `numbers` in `folder`.
fn serve_segments(origin: &Origin, folder: &str, numbers: std::ops::Range<u64>) {
    for number in numbers {
        origin.serve(&format!("{folder}/{number}.ts"), [Response::ok(media(number))]);
    }
}

fn key(number: u64) -> String {
    format!("{:02}:{:02}.000000 1.0", number / 60, number % 60)
}

/// Waits until exactly the segments `numbers` are stored, all full and as they were published.
async fn until_recorded(base: &Path, quality: &str, numbers: std::ops::Range<u64>) {
    let expected: BTreeMap<_, _> =
        numbers.map(|number| (key(number), (Completeness::Full, media(number)))).collect();
    eventually(&format!("{} segments of {quality} are stored", expected.len()), || {
        stored(base, "chan", quality) == expected
    })
    .await;
}

fn notes(base: &Path, quality: &str) -> Vec<Note> {
    let store = Store::open(base, Access::Read).unwrap();
    let feed = Feed { channel: "chan".parse().unwrap(), quality: quality.parse().unwrap() };
    let hour: Hour = HOUR.parse().unwrap();
    Notes::new(store, "node".parse().unwrap(), feed).read(hour).unwrap()
}

/// Start, in seconds after 10:00, length in seconds, and reason of what was missed.
fn missed(base: &Path, quality: &str) -> Vec<(i64, f64, Why)> {
    let hour: Hour = HOUR.parse().unwrap();
    let since = |start: Timestamp| (start - hour.start()).num_seconds();
    let missed = notes(base, quality).into_iter().filter_map(|note| match note {
        Note::Missing { start, duration, why, .. } => Some((since(start), duration, why)),
        Note::Discontinuity { .. } => None,
    });
    missed.collect()
}

/// An origin with one media playlist at `/live.m3u8` and its argument for the command line.
async fn single(first: u64, end: u64) -> (Origin, String, tempfile::TempDir) {
    let origin = Origin::start().await;
    origin.serve("/live.m3u8", [Response::ok(playlist(first, end))]);
    let channel = format!("chan!:url:{}", origin.url("/live.m3u8"));
    (origin, channel, tempfile::tempdir().unwrap())
}

#[tokio::test]
async fn every_quality_is_recorded_byte_for_byte() {
    let origin = Origin::start().await;
    let multivariant = "#EXTM3U\n\
        #EXT-X-STREAM-INF:BANDWIDTH=900,RESOLUTION=640x360\nlow/live.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=5000,RESOLUTION=1280x720\nhigh/live.m3u8\n";
    origin.serve("/index.m3u8", [Response::ok(multivariant)]);
    for folder in ["/low", "/high"] {
        serve_segments(&origin, folder, 5..12);
        let lists = [(5, 8), (5, 8), (6, 10), (8, 12)];
        let lists = lists.map(|(first, end)| Response::ok(playlist(first, end)));
        origin.serve(&format!("{folder}/live.m3u8"), lists);
    }
    let base = tempfile::tempdir().unwrap();
    let channel = format!("chan:url:{}", origin.url("/index.m3u8"));
    let downloader = Downloader::start(base.path(), &[&channel, "--qualities", "source,360p"]);
    until_recorded(base.path(), "source", 5..12).await;
    until_recorded(base.path(), "360p", 5..12).await;
    assert_eq!(origin.requests("/high/6.ts").len(), 1, "no segment is fetched twice");
    let metrics = || downloader.context.metrics.render();
    let labels = "channel=\"chan\",quality=\"source\"";
    for sample in [format!("workers{{{labels}}} 1"), format!("segment_latency_count{{{labels}}} 7")]
    {
        // a segment is visible before it is counted
        eventually(&sample, || metrics().contains(&format!("{sample}\n"))).await;
    }
    let metrics = metrics();
    let no_news = format!("playlist_reloads_total{{{labels},result=\"news\"}} 0\n");
    assert!(!metrics.contains(&no_news), "{metrics}");
    assert_eq!(missed(base.path(), "source"), []);
    downloader.stop().await;
}

#[tokio::test]
async fn a_restart_fetches_only_what_is_not_there_and_notes_the_time_between() {
    let (origin, channel, base) = single(5, 8).await;
    serve_segments(&origin, "", 5..14);
    let downloader = Downloader::start(base.path(), &[&channel]);
    until_recorded(base.path(), "source", 5..8).await;
    downloader.stop().await;

    origin.serve("/live.m3u8", [Response::ok(playlist(6, 10))]);
    let downloader = Downloader::start(base.path(), &[&channel]);
    until_recorded(base.path(), "source", 5..10).await;
    assert_eq!(origin.requests("/7.ts").len(), 1, "it was there");
    assert_eq!(missed(base.path(), "source"), []);
    downloader.stop().await;

    origin.serve("/live.m3u8", [Response::ok(playlist(12, 14))]);
    let downloader = Downloader::start(base.path(), &[&channel]);
    eventually("the newest is stored", || stored(base.path(), "chan", "source").len() == 7).await;
    // which is written beside the segments
    let expected = [(10, 2.0, Why::Stopped)];
    eventually("the note is written", || missed(base.path(), "source") == expected).await;
    downloader.stop().await;
}

#[tokio::test]
async fn nothing_that_a_playlist_does_stops_the_recording_for_ever() {
    let (origin, channel, base) = single(5, 8).await;
    serve_segments(&origin, "", 5..30);
    let downloader = Downloader::start(base.path(), &[&channel]);
    until_recorded(base.path(), "source", 5..8).await;
    let mut end = 8;
    for trouble in [
        vec![Response::status(500), Response::status(500)],
        vec![Response::ok("<html>Bad Gateway</html>")],
        vec![Response::ok(""), Response::ok("#EXTM3U\n")],
        vec![Response::truncated(b"#EXTM3U\n", 500)],
        vec![Response::status(404)],
    ] {
        end += 2;
        let recovered = Response::ok(playlist(end - 4, end));
        origin.serve("/live.m3u8", trouble.into_iter().chain([recovered]));
        until_recorded(base.path(), "source", 5..end).await;
    }
    let ended = format!("{}#EXT-X-ENDLIST\n", playlist(end - 2, end + 2));
    origin.serve("/live.m3u8", [Response::ok(ended)]);
    until_recorded(base.path(), "source", 5..end + 2).await;
    origin.serve("/live.m3u8", [Response::ok(playlist(end, end + 4))]);
    until_recorded(base.path(), "source", 5..end + 4).await;
    assert_eq!(missed(base.path(), "source"), []);
    downloader.stop().await;
}

#[tokio::test]
async fn what_only_the_look_at_the_channel_saw_is_recorded() {
    let (origin, channel, base) = single(7, 10).await;
    origin.serve("/live.m3u8", [(5, 8), (7, 10)].map(|(a, b)| Response::ok(playlist(a, b))));
    serve_segments(&origin, "", 5..10);
    let downloader = Downloader::start(base.path(), &[&channel]);
    until_recorded(base.path(), "source", 5..10).await;
    downloader.stop().await;
}

#[tokio::test]
async fn a_list_that_is_numbered_anew_is_compared_by_its_dates() {
    let (origin, channel, base) = single(5, 8).await;
    serve_segments(&origin, "", 5..10);
    let downloader = Downloader::start(base.path(), &[&channel]);
    until_recorded(base.path(), "source", 5..8).await;
    let renumbered = playlist(6, 10).replace("SEQUENCE:6", "SEQUENCE:0");
    origin.serve("/live.m3u8", [Response::ok(renumbered)]);
    until_recorded(base.path(), "source", 5..10).await;
    assert_eq!(origin.requests("/7.ts").len(), 1, "it was there");
    downloader.stop().await;
}

#[tokio::test]
async fn one_quality_that_fails_does_not_touch_another() {
    let origin = Origin::start().await;
    let multivariant = "#EXTM3U\n\
        #EXT-X-STREAM-INF:BANDWIDTH=900,RESOLUTION=640x360\nlow/live.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=5000,RESOLUTION=1280x720\nhigh/live.m3u8\n";
    origin.serve("/index.m3u8", [Response::ok(multivariant)]);
    origin.serve("/low/live.m3u8", [Response::silence()]);
    origin.serve("/high/live.m3u8", [(5, 8), (7, 10)].map(|(a, b)| Response::ok(playlist(a, b))));
    serve_segments(&origin, "/high", 5..10);
    let base = tempfile::tempdir().unwrap();
    let channel = format!("chan:url:{}", origin.url("/index.m3u8"));
    let downloader = Downloader::start(base.path(), &[&channel, "--qualities", "360p,source,144p"]);
    until_recorded(base.path(), "source", 5..10).await;
    assert_eq!(stored(base.path(), "chan", "360p"), BTreeMap::new());
    downloader.stop().await;
}

#[tokio::test]
async fn a_segment_that_is_late_or_damaged_at_first_is_fetched_again_while_it_is_listed() {
    let (origin, channel, base) = single(5, 9).await;
    origin.serve("/5.ts", [Response::status(404), Response::ok(media(5))]);
    origin.serve("/6.ts", [Response::ok(b""), Response::ok(media(6))]);
    origin.serve("/7.ts", [Response::ok("<html>"), Response::ok(media(7))]);
    origin.serve("/8.ts", [Response::truncated(&media(8)[..400], 940), Response::ok(media(8))]);
    let downloader = Downloader::start(base.path(), &[&channel]);
    let full = |number: u64| {
        let folder = base.path().join("chan/source").join(HOUR);
        let names = std::fs::read_dir(folder).into_iter().flatten();
        let names = names.map(|file| file.unwrap().file_name().into_string().unwrap());
        let start = format!("00:{number:02}.000000-1.0-full-");
        names.filter(|name| name.starts_with(&start)).count() == 1
    };
    eventually("all are full", || (5..9).all(full)).await;
    downloader.stop().await;
    let names = std::fs::read_dir(base.path().join("chan/source").join(HOUR)).unwrap();
    let names: Vec<_> =
        names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.iter().filter(|name| name.contains("-suspect-")).count(), 1, "{names:?}");
    assert_eq!(names.iter().filter(|name| name.contains("-partial-")).count(), 1, "{names:?}");
    assert_eq!(missed(base.path(), "source"), []);
}

#[tokio::test]
async fn a_segment_that_is_cut_while_the_disk_takes_none_is_fetched_again_at_once() {
    let (origin, channel, base) = single(5, 8).await;
    serve_segments(&origin, "", 6..8);
    let cut = Response::truncated(&media(5)[..400], 940);
    let answers = [cut, Response::ok(media(5)), Response::status(404)];
    origin.serve("/5.ts", answers);
    let in_the_way = base.path().join("chan");
    std::fs::write(&in_the_way, "").unwrap();
    let downloader = Downloader::start(base.path(), &[&channel]);
    eventually("it is asked for again", || origin.requests("/5.ts").len() == 2).await;
    std::fs::remove_file(in_the_way).unwrap();
    eventually("all is stored, and the copy that was cut beside it", || {
        let folder = base.path().join("chan/source").join(HOUR);
        let names = std::fs::read_dir(folder).into_iter().flatten();
        let names: Vec<_> =
            names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        let count = |kind: &str| names.iter().filter(|name| name.contains(kind)).count();
        (count("-full-"), count("-partial-")) == (3, 1)
    })
    .await;
    assert_eq!(origin.requests("/5.ts").len(), 2);
    assert_eq!(missed(base.path(), "source"), []);
    downloader.stop().await;
}

#[tokio::test]
async fn what_is_never_served_is_noted_with_its_reason() {
    let (origin, channel, base) = single(5, 9).await;
    serve_segments(&origin, "", 7..12);
    origin.serve("/6.ts", [Response::status(403)]);
    let downloader = Downloader::start(base.path(), &[&channel]);
    eventually("the refused ones were tried", || !origin.requests("/6.ts").is_empty()).await;
    origin.serve("/live.m3u8", [Response::ok(playlist(8, 12))]);
    eventually("two are noted", || missed(base.path(), "source").len() == 2).await;
    let mut noted = missed(base.path(), "source");
    noted.sort_by_key(|(start, ..)| *start);
    assert_eq!(noted, [(5, 1.0, Why::Expired), (6, 1.0, Why::Refused)]);
    until_recorded(base.path(), "source", 7..12).await;
    downloader.stop().await;
}

#[tokio::test]
async fn what_waits_for_another_attempt_at_a_stop_is_noted() {
    let (origin, channel, base) = single(5, 8).await;
    serve_segments(&origin, "", 5..6);
    serve_segments(&origin, "", 7..8);
    origin.serve("/6.ts", [Response::status(503)]);
    let downloader = Downloader::start(base.path(), &[&channel]);
    eventually("it was tried", || !origin.requests("/6.ts").is_empty()).await;
    until_stored(base.path(), 7).await;
    downloader.stop().await;
    let noted: Vec<i64> = missed(base.path(), "source").iter().map(|(start, ..)| *start).collect();
    assert_eq!(noted, [6]);
}

#[tokio::test]
async fn a_stream_without_dates_is_kept_as_suspect() {
    let (origin, channel, base) = single(5, 8).await;
    serve_segments(&origin, "", 5..8);
    let undated: Vec<String> = playlist(5, 8)
        .lines()
        .filter(|line| !line.contains("DATE-TIME"))
        .map(str::to_owned)
        .collect();
    origin.serve("/live.m3u8", [Response::ok(undated.join("\n"))]);
    let downloader = Downloader::start(base.path(), &[&channel]);
    let names = || {
        let hours = std::fs::read_dir(base.path().join("chan/source")).into_iter().flatten();
        let files = hours.flat_map(|hour| std::fs::read_dir(hour.unwrap().path()).unwrap());
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.contains("-temp-"));
        names
    };
    eventually("three are stored", || names().len() == 3).await;
    assert!(names().iter().all(|name| name.contains("-1.0-suspect-")), "{:?}", names());
    downloader.stop().await;
}

#[tokio::test]
async fn stopping_takes_a_moment_and_keeps_what_has_arrived() {
    let (origin, channel, base) = single(5, 7).await;
    serve_segments(&origin, "", 5..6);
    let half = media(6)[..400].to_vec();
    origin.serve("/6.ts", [Response::stalled(&half, 940)]);
    let downloader = Downloader::start(base.path(), &[&channel]);
    eventually("a segment is asked for", || !origin.requests("/6.ts").is_empty()).await;
    until_stored(base.path(), 5).await;
    let asked = Instant::now();
    downloader.stop().await;
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    let expected = BTreeMap::from([
        (key(5), (Completeness::Full, media(5))),
        (key(6), (Completeness::Partial, half)),
    ]);
    assert_eq!(stored(base.path(), "chan", "source"), expected);
}

/// Waits until one segment is stored.
async fn until_stored(base: &Path, number: u64) {
    eventually("it is stored", || stored(base, "chan", "source").contains_key(&key(number))).await;
}

#[tokio::test]
async fn a_twitch_channel_is_found_through_its_token() {
    let origin = Origin::start().await;
    let token = r#"{"data":{"streamPlaybackAccessToken":{"value":"v","signature":"s"}}}"#;
    origin.serve("/gql", [Response::ok(token)]);
    let multivariant = "#EXTM3U\n\
        #EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"chunked\",NAME=\"720p60 (source)\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=1,VIDEO=\"chunked\"\n/weaver/source.m3u8\n";
    let offline = br#"[{"error":"Can not find channel","error_code":"transcode_does_not_exist"}]"#;
    let offline = Response::new(404, &[], offline);
    origin.serve("/hls/chan.m3u8", [offline, Response::ok(multivariant)]);
    origin.serve("/weaver/source.m3u8", [Response::ok(playlist(5, 8))]);
    serve_segments(&origin, "/weaver", 5..8);
    let base = tempfile::tempdir().unwrap();
    let (token, playlists) = (origin.url("/gql").to_string(), origin.url("/hls").to_string());
    let options = ["--twitch-token-url", &token, "--twitch-playlist-url", &playlists];
    let downloader = Downloader::start(base.path(), &[&["chan!"], &options[..]].concat());
    until_recorded(base.path(), "source", 5..8).await;
    assert_eq!(origin.requests("/gql").len(), 2, "it was offline at first");
    downloader.stop().await;
}
