use common::format::hls::{MediaPlaylist, MultivariantPlaylist, PlaylistType};
use common::format::segment::Completeness;

use super::{Served, at, feed};

/// A time parameter.
fn time(seconds: i64) -> String {
    format!("{}Z", at(seconds))
}

fn span(start: i64, end: i64) -> String {
    format!("?start={}&end={}", time(start), time(end))
}

async fn media(served: &Served, query: &str) -> MediaPlaylist {
    let answer = served.get(&format!("/playlist/chan/source.m3u8{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/vnd.apple.mpegurl"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    MediaPlaylist::parse(&answer.body).unwrap()
}

#[tokio::test]
async fn a_playlist_lists_its_segments_and_marks_holes() {
    let served = Served::with(&[2, 4, 8, 10]).await;
    let playlist = media(&served, &span(0, 12)).await;
    assert_eq!(playlist.segments.len(), 4);
    for (segment, start) in playlist.segments.iter().zip([2, 4, 8, 10]) {
        assert_eq!(segment.program_date_time, Some(at(start)));
        assert_eq!(segment.duration, Some(2.0));
        assert_eq!(segment.discontinuity, start == 8, "only after the hole between segments");
        let file = served.get(&segment.uri).await;
        assert_eq!((file.status, file.text()), (200, start.to_string().as_str()));
    }
    assert_eq!(playlist.target_duration, Some(2.0));
    assert_eq!(playlist.media_sequence, 0);
    assert!(playlist.end_list, "it reaches its end");
    assert_eq!(playlist.playlist_type, None, "the hole may still be filled");
}

#[tokio::test]
async fn the_text_is_what_players_expect() {
    let served = Served::with(&[0]).await;
    let text = served.get(&format!("/playlist/chan/source.m3u8{}", span(0, 2))).await;
    let lines: Vec<&str> = text.text().lines().collect();
    let (uri, rest) = (lines[7], [&lines[..7], &lines[8..]].concat());
    assert_eq!(
        rest,
        [
            "#EXTM3U",
            "#EXT-X-VERSION:3",
            "#EXT-X-TARGETDURATION:2",
            "#EXT-X-MEDIA-SEQUENCE:0",
            "#EXT-X-PLAYLIST-TYPE:VOD",
            "#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:00.000Z",
            "#EXTINF:2.0,",
            "#EXT-X-ENDLIST",
        ]
    );
    assert!(uri.starts_with("/segments/chan/source/2026-11-20T10/00:00.000000-2.0-full-"), "{uri}");
}

#[tokio::test]
async fn a_partial_segment_is_followed_by_a_discontinuity() {
    let served = Served::with(&[0, 4]).await;
    served.segment("source", 2, Completeness::Partial, b"half").await;
    let playlist = media(&served, &span(0, 6)).await;
    let marks: Vec<bool> = playlist.segments.iter().map(|segment| segment.discontinuity).collect();
    assert_eq!(marks, [false, false, true]);
}

#[tokio::test]
async fn a_playlist_ends_only_when_nothing_can_come() {
    // it is noon, at 7200 s
    let served = Served::with(&[0, 2, 3598, 7198, 7200]).await;
    for (query, ends, why) in [
        (span(0, 4), true, "given, over and reached"),
        (span(1, 3), true, "whole segments reach over it"),
        (span(0, 5), false, "not reached"),
        (span(7198, 7202), false, "not over"),
        (span(7198, 7200), true, "just over"),
        (format!("?start={}", time(0)), false, "no end given"),
        (String::new(), false, "nothing given"),
        (span(100, 200), false, "no video at all"),
    ] {
        assert_eq!(media(&served, &query).await.end_list, ends, "{query}: {why}");
    }
    // the last hour known ends exactly where its last segment does
    let full_hour = Served::with(&[3598]).await;
    assert!(!media(&full_hour, "").await.end_list, "the hour was reached, not an end");
    let vod = media(&served, &span(0, 4)).await;
    assert_eq!(vod.playlist_type, Some(PlaylistType::Vod));
}

#[tokio::test]
async fn an_open_playlist_grows_at_its_end() {
    let served = Served::with(&[0]).await;
    let query = format!("?start={}", time(0));
    let before = media(&served, &query).await.segments;
    served.segment("source", 2, Completeness::Full, b"more").await;
    served.segment("source", 3600, Completeness::Full, b"next hour").await;
    let after = media(&served, &query).await.segments;
    assert_eq!(after[..1], before);
    assert_eq!(after.len(), 3);
    let nothing_yet = media(&served, &format!("?start={}", time(7200))).await;
    assert_eq!(nothing_yet.segments, []);
}

#[tokio::test]
async fn a_missing_end_is_that_of_the_hours_known() {
    let served = Served::with(&[-3600, 0, 3600]).await;
    assert_eq!(media(&served, "").await.segments.len(), 3);
    let from = media(&served, &format!("?start={}", time(0))).await;
    assert_eq!(from.segments.len(), 2);
    let until = media(&served, &format!("?end={}", time(1))).await;
    assert_eq!(until.segments.len(), 2);
}

#[tokio::test]
async fn names_are_escaped_in_addresses() {
    let served = Served::with(&[]).await;
    let name = "00:00.000000-2.0-full-47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU.ts";
    served.file(&format!("my chan #1/100%/2026-11-20T10/{name}"), b"");
    let multivariant = served.get("/playlist/my%20chan%20%231.m3u8").await;
    assert_eq!(multivariant.text(), "#EXTM3U\n", "nothing to measure in an empty segment");
    let answer = served.get("/playlist/my%20chan%20%231/100%25.m3u8").await;
    let playlist = MediaPlaylist::parse(&answer.body).unwrap();
    let expected = format!("/segments/my%20chan%20%231/100%25/2026-11-20T10/{name}");
    assert_eq!(playlist.segments[0].uri, expected);
    assert_eq!(served.get(&expected).await.status, 200);
}

#[tokio::test]
async fn qualities_come_with_their_bandwidth_the_source_first() {
    let served = Served::new();
    for (quality, start, bytes) in [
        ("160p", 0, 1000),
        ("source", 0, 500),
        ("1080p", 0, 9000),
        ("1080p", 2, 1000),
        ("old", -7200, 5),
    ] {
        served.segment(quality, start, Completeness::Full, &vec![0; bytes]).await;
    }
    served.segment("chat", 0, Completeness::Full, b"is no video").await;
    std::fs::create_dir_all(served.base.path().join("chan/empty/2026-11-20T10")).unwrap();
    let query = span(0, 4);
    let answer = served.get(&format!("/playlist/chan.m3u8{query}")).await;
    assert_eq!(answer.header("content-type"), Some("application/vnd.apple.mpegurl"));
    let playlist = MultivariantPlaylist::parse(&answer.body).unwrap();
    let found: Vec<_> = playlist
        .variants
        .iter()
        .map(|variant| {
            let name = variant.video.as_deref().unwrap();
            (name, variant.bandwidth, variant.average_bandwidth)
        })
        .collect();
    let expected = [
        ("source", Some(2000), Some(2000)),
        ("1080p", Some(36_000), Some(20_000)),
        ("160p", Some(4000), Some(4000)),
    ];
    assert_eq!(found, expected);
    for variant in &playlist.variants {
        let answer = served.get(&variant.uri).await;
        assert_eq!(answer.status, 200, "{}", variant.uri);
        let media = MediaPlaylist::parse(&answer.body).unwrap();
        assert_eq!(media.segments[0].program_date_time, Some(at(0)));
    }
    assert!(playlist.variants[0].uri.ends_with(&query), "start and end are handed down");
    let all = served.get("/playlist/chan.m3u8").await;
    assert_eq!(MultivariantPlaylist::parse(&all.body).unwrap().variants.len(), 4);
}

#[tokio::test]
async fn a_long_playlist_comes_in_pieces() {
    let starts: Vec<i64> = (0..1_201).map(|index| index * 2).collect();
    let served = Served::new();
    let name = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU.ts";
    for start in &starts {
        let name = format!("{:02}:{:02}.0-2.0-full-{name}", start / 60, start % 60);
        served.file(&format!("chan/source/2026-11-20T10/{name}"), b"");
    }
    let playlist = media(&served, &span(0, 2402)).await;
    let times: Vec<_> = playlist.segments.iter().map(|segment| segment.program_date_time).collect();
    let expected: Vec<_> = starts.iter().map(|start| Some(at(*start))).collect();
    assert!(times == expected);
    assert!(playlist.end_list);
}

#[tokio::test]
async fn a_playlist_reads_a_bounded_number_of_hours() {
    let served = Served::with(&[0]).await;
    let hours = 401;
    for index in 1..hours {
        let hour = at(-3600 * index).hour();
        std::fs::create_dir_all(served.store.hour_path(&feed("source"), hour)).unwrap();
    }
    let all = format!("/playlist/chan/source.m3u8{}", span(-3600 * hours, 2));
    let refused = served.get(&all).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.text(), "end: more than 400 recorded hours lie between it and start\n");
    // what lies outside of the span does not count
    assert_eq!(media(&served, &span(-3600, 2)).await.segments.len(), 1);
}

#[tokio::test]
async fn a_multivariant_playlist_that_is_known_is_not_sent_again() {
    let served = Served::with(&[0]).await;
    let path = "/playlist/chan.m3u8?last=60";
    let first = served.get(path).await;
    let etag = first.header("etag").unwrap().to_owned();
    let again = served.send("GET", path, &[&format!("If-None-Match: {etag}")]).await;
    assert_eq!((again.status, again.text(), again.header("etag")), (304, "", Some(&*etag)));
    served.segment("1080p", 0, Completeness::Full, b"another").await;
    let changed = served.send("GET", path, &[&format!("If-None-Match: {etag}")]).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), Some(&*etag));
}

#[tokio::test]
async fn a_multivariant_playlist_tells_of_a_bounded_number_of_qualities() {
    let served = Served::new();
    let name = "00:00.000000-2.0-full-47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU.ts";
    let qualities = (0..100).map(|number| format!("q{number:03}"));
    for quality in qualities.chain(["chat".to_owned(), "source".to_owned()]) {
        served.file(&format!("chan/{quality}/2026-11-20T10/{name}"), b"video");
    }
    let answer = served.get("/playlist/chan.m3u8").await;
    let playlist = MultivariantPlaylist::parse(&answer.body).unwrap();
    let names: Vec<_> =
        playlist.variants.iter().filter_map(|variant| variant.video.clone()).collect();
    assert_eq!((names.len(), &*names[0], &*names[99]), (100, "source", "q098"));
}
