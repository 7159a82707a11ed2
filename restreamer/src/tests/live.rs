//! Playlists that grow, as those see them that reload them.

use common::format::hls::MediaPlaylist;
use common::format::segment::Completeness;
use common::io::store::notes::{Note, Notes};

use super::{Answer, Served, at, feed};

async fn read(served: &Served, query: &str) -> MediaPlaylist {
    let answer = answer(served, query, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    MediaPlaylist::parse(&answer.body).unwrap()
}

async fn answer(served: &Served, query: &str, headers: &[&str]) -> Answer {
    served.send("GET", &format!("/playlist/chan/source.m3u8{query}"), headers).await
}

async fn publish(served: &Served, start: i64) {
    let bytes = start.to_string();
    served.segment("source", start, Completeness::Full, bytes.as_bytes()).await;
}

fn from(start: i64) -> String {
    format!("?start={}Z", at(start))
}

/// The starts of the segments, in seconds.
fn starts(playlist: &MediaPlaylist) -> Vec<i64> {
    let starts = playlist.segments.iter().map(|segment| segment.program_date_time.unwrap());
    starts.map(|start| (start - at(0)).num_seconds()).collect()
}

#[tokio::test]
async fn a_reader_sees_only_additions() {
    let served = Served::with(&[0, 2, 6, 30]).await;
    let first = read(&served, &from(0)).await;
    assert_eq!(starts(&first), [0, 2, 6, 30]);
    // late, and the same stretch as another node cut it
    for start in [4, 1, 32, 8] {
        publish(&served, start).await;
    }
    let second = read(&served, &from(0)).await;
    assert_eq!(starts(&second), [0, 2, 6, 30, 32]);
    assert_eq!(second.segments[..4], first.segments, "down to the discontinuities");
    let fresh = read(&served, &from(-1)).await;
    assert_eq!(starts(&fresh)[..3], [0, 2, 4], "whoever begins now gets what was filled");
}

#[tokio::test]
async fn a_hole_at_the_edge_is_waited_for() {
    let served = Served::with(&[0, 2, 6, 8]).await;
    assert_eq!(starts(&read(&served, &from(0)).await), [0, 2]);
    publish(&served, 4).await;
    let filled = read(&served, &from(0)).await;
    assert_eq!(starts(&filled), [0, 2, 4, 6, 8]);
    assert!(filled.segments.iter().all(|segment| !segment.discontinuity));
}

#[tokio::test]
async fn what_is_noted_is_marked_and_stays_as_announced() {
    let served = Served::with(&[0, 2, 4]).await;
    let notes = Notes::new(served.store.clone(), "node".parse().unwrap(), feed("source"));
    let note =
        |start| Note::Discontinuity { start, skipped: None, detail: String::new(), learned: start };
    notes.append([note(at(2))]).unwrap();
    let marks = |playlist: MediaPlaylist| -> Vec<bool> {
        playlist.segments.iter().map(|segment| segment.discontinuity).collect()
    };
    assert_eq!(marks(read(&served, &from(0)).await), [false, true, false]);
    notes.append([note(at(4)), note(at(6))]).unwrap();
    publish(&served, 6).await;
    assert_eq!(marks(read(&served, &from(0)).await), [false, true, false, true]);
    let over = format!("{}&end={}Z", from(0), at(8));
    assert_eq!(marks(read(&served, &over).await), [false, true, true, true]);
}

#[tokio::test]
async fn a_window_moves_with_the_newest_video() {
    let served = Served::with(&[0, 2, 4, 6, 8]).await;
    let first = read(&served, "?last=4").await;
    assert_eq!(starts(&first), [6, 8]);
    publish(&served, 10).await;
    let second = read(&served, "?last=4").await;
    assert_eq!(starts(&second), [8, 10]);
    assert_eq!(second.media_sequence, first.media_sequence + 1);
    assert!(!second.end_list);
    let all = read(&served, "?last=43200").await;
    assert_eq!(starts(&all), [0, 2, 4, 6, 8, 10]);
}

#[tokio::test]
async fn discontinuities_that_left_a_window_are_counted() {
    let served = Served::with(&[0, 2, 40, 42]).await;
    let sequence = |playlist: &MediaPlaylist| playlist.discontinuity_sequence;
    assert_eq!(sequence(&read(&served, "?last=44").await), 0);
    for start in [44, 46] {
        publish(&served, start).await;
    }
    let moved = read(&served, "?last=44").await;
    assert_eq!((starts(&moved)[0], sequence(&moved)), (40, 0), "the mark is still at the front");
    for start in (48..=86).step_by(2) {
        publish(&served, start).await;
    }
    let moved = read(&served, "?last=44").await;
    assert_eq!((starts(&moved)[0], sequence(&moved)), (44, 1));
}

#[tokio::test]
async fn what_retention_takes_away_moves_the_number() {
    let served = Served::with(&[3598, 3600, 3602]).await;
    assert_eq!(read(&served, &from(0)).await.media_sequence, 0);
    let ten = served.store.hour_path(&feed("source"), at(0).hour());
    std::fs::remove_dir_all(ten).unwrap();
    let rest = read(&served, &from(0)).await;
    assert_eq!((starts(&rest), rest.media_sequence), (vec![3600, 3602], 1));
}

#[tokio::test]
async fn what_is_hidden_keeps_its_number_and_is_a_gap() {
    let served = Served::with(&(0..60).map(|n| 2 * n).collect::<Vec<_>>()).await;
    for query in [&*from(0), "?last=60"] {
        read(&served, query).await;
    }
    let whole = read(&served, &from(0)).await;
    let hidden = served.stored(&whole.segments[40].uri);
    std::fs::write(hidden.with_extension("tombstone"), b"").unwrap();
    let etag = answer(&served, &from(0), &[]).await.header("etag").unwrap().to_owned();
    let now = read(&served, &from(0)).await;
    let mut expected = whole.clone();
    expected.segments[40].gap = true;
    assert_eq!(now, expected, "nothing else changes");
    let window = read(&served, "?last=60").await;
    assert_eq!((window.segments.len(), window.segments[10].gap), (30, true));
    std::fs::remove_file(hidden.with_extension("tombstone")).unwrap();
    assert_eq!(read(&served, &from(0)).await, whole, "it came back");
    let condition = format!("If-None-Match: {etag}");
    assert_eq!(answer(&served, &from(0), &[&condition]).await.status, 200);

    let early = served.stored(&whole.segments[5].uri);
    std::fs::write(early.with_extension("tombstone"), b"").unwrap();
    let update = answer(&served, &format!("{}&_HLS_skip=YES", from(0)), &[]).await;
    let update = update.text();
    assert!(update.contains("\n#EXT-X-SKIP:SKIPPED-SEGMENTS=5\n"), "{update}");
    assert!(update.contains("#EXT-X-GAP"), "whoever read it before is told");
}

#[tokio::test]
async fn a_gap_alone_in_its_hour_changes_the_tag() {
    let served = Served::with(&[3598, 3600, 7200]).await;
    let first = answer(&served, &from(0), &[]).await;
    let hidden = served.stored(&MediaPlaylist::parse(&first.body).unwrap().segments[1].uri);
    std::fs::write(hidden.with_extension("tombstone"), b"").unwrap();
    let then = answer(&served, &from(0), &[]).await;
    assert!(then.text().contains("#EXT-X-GAP"));
    assert_ne!(then.header("etag"), first.header("etag"));
}

#[tokio::test]
async fn half_of_an_hour_deleted_moves_the_number_by_as_many() {
    let served = Served::with(&(0..20).map(|n| 2 * n).collect::<Vec<_>>()).await;
    let whole = read(&served, &from(0)).await;
    for segment in &whole.segments[..10] {
        std::fs::remove_file(served.stored(&segment.uri)).unwrap();
    }
    let rest = read(&served, &from(0)).await;
    assert_eq!(rest.media_sequence, 10);
    assert_eq!(rest.segments, whole.segments[10..]);
}

#[tokio::test]
async fn the_future_takes_nothing_off_the_air() {
    // it is noon
    let served = Served::with(&(7000..7200).step_by(2).collect::<Vec<_>>()).await;
    let late = from(7100);
    let queries = ["?last=60", "", &*late];
    let mut before = Vec::new();
    for query in queries {
        before.push(read(&served, query).await);
    }
    std::fs::create_dir_all(served.store.hour_path(&feed("source"), at(4 * 3600).hour())).unwrap();
    for stray in [7200 + 240, 7200 + 1200, 3 * 3600, 8 * 3600, 15 * 3600] {
        publish(&served, stray).await;
        for (query, before) in queries.iter().zip(&before) {
            assert_eq!(read(&served, query).await, *before, "{query} {stray}");
        }
        let fresh = read(&served, &format!("?last={}", 60 + stray % 59)).await;
        assert_eq!(starts(&fresh).last(), Some(&7198), "{stray}");
    }
    let explicit = format!("{}&end={}Z", from(3 * 3600 - 60), at(3 * 3600 + 60));
    assert_eq!(starts(&read(&served, &explicit).await), [3 * 3600]);
}

#[tokio::test]
async fn a_publisher_whose_clock_is_ahead_is_followed() {
    // it is noon, and all of the window lies after it
    let served = Served::with(&(7100..7260).step_by(2).collect::<Vec<_>>()).await;
    let first = read(&served, "?last=10").await;
    assert_eq!(starts(&first), [7250, 7252, 7254, 7256, 7258]);
    publish(&served, 7260).await;
    let second = read(&served, "?last=10").await;
    assert_eq!(starts(&second), [7252, 7254, 7256, 7258, 7260]);
    assert_eq!(second.media_sequence, first.media_sequence + 1);
    assert_eq!(second.segments[..4], first.segments[1..]);
}

#[tokio::test]
async fn a_publisher_whose_clock_is_ahead_is_followed_though_a_date_lies_further_ahead() {
    // it is noon, and nothing is stored that is past
    let served = Served::with(&[7320]).await;
    assert_eq!(starts(&read(&served, "?last=10").await), [7320], "there is nothing else");
    for start in (7260..7270).step_by(2) {
        publish(&served, start).await;
        let known = starts(&read(&served, "?last=10").await);
        assert_eq!(known, (7260..=start).step_by(2).collect::<Vec<_>>());
        let fresh = read(&served, &format!("?last={}", start - 7250)).await;
        assert_eq!(starts(&fresh).last(), Some(&start));
    }
}

#[tokio::test]
async fn what_is_deleted_altogether_leaves_its_last_number() {
    let served = Served::with(&[7190, 7192, 7194]).await;
    let first = read(&served, "?last=60").await;
    std::fs::remove_dir_all(served.store.hour_path(&feed("source"), at(7190).hour())).unwrap();
    let gone = read(&served, "?last=60").await;
    assert_eq!((starts(&gone), gone.segments[0].gap), (vec![7194], true));
    assert_eq!(gone.media_sequence, first.media_sequence + 2);
    publish(&served, 7196).await;
    let back = read(&served, "?last=60").await;
    assert_eq!((starts(&back), back.segments[0].gap), (vec![7196], false));
    assert_eq!(back.media_sequence, first.media_sequence + 3);
}

#[tokio::test]
async fn a_line_of_nothing_but_the_future_begins_anew_with_higher_numbers() {
    let served = Served::with(&[3 * 3600]).await;
    let queries = ["?last=60", &*from(0)];
    let mut before = Vec::new();
    for query in queries {
        before.push(read(&served, query).await);
        assert_eq!(starts(before.last().unwrap()), [3 * 3600], "there is nothing else");
    }
    for start in [7196, 7198] {
        publish(&served, start).await;
    }
    for (query, before) in queries.iter().zip(before) {
        let now = read(&served, query).await;
        assert_eq!(starts(&now), [7196, 7198]);
        assert_eq!(now.media_sequence, before.media_sequence + 1);
        assert!(now.segments[0].discontinuity);
    }
}

#[tokio::test]
async fn an_update_says_only_what_is_new() {
    let served = Served::with(&(0..60).map(|n| 2 * n).collect::<Vec<_>>()).await;
    let whole = read(&served, &from(0)).await;
    assert_eq!(whole.segments.len(), 60);
    let update = answer(&served, &format!("{}&_HLS_skip=YES", from(0)), &[]).await;
    let text = update.text();
    assert!(text.contains("\n#EXT-X-SKIP:SKIPPED-SEGMENTS=29\n"), "{text}");
    assert_eq!(text.matches("#EXTINF").count(), 31);
    let over = format!("{}&end={}Z&_HLS_skip=v2", from(0), at(120));
    assert!(!answer(&served, &over, &[]).await.text().contains("EXT-X-SKIP"), "it is over");
}

#[tokio::test]
async fn what_reaches_over_the_skip_boundary_is_not_skipped() {
    // the last one of the hour ends where the last minute begins
    let served = Served::with(&(3541..3661).step_by(2).collect::<Vec<_>>()).await;
    let update = answer(&served, &format!("{}&_HLS_skip=YES", from(3500)), &[]).await;
    let update = update.text();
    assert!(update.contains("\n#EXT-X-SKIP:SKIPPED-SEGMENTS=29\n"), "{update}");
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let served = Served::with(&[0, 2]).await;
    let first = answer(&served, &from(0), &[]).await;
    let etag = first.header("etag").unwrap().to_owned();
    let condition = format!("If-None-Match: {etag}");
    let again = answer(&served, &from(0), &[&condition]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), Some(&*etag));
    publish(&served, 4).await;
    let changed = answer(&served, &from(0), &[&condition]).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), Some(&*etag));
}

#[tokio::test]
async fn long_texts_are_compressed_and_video_is_not() {
    let served = Served::with(&[0, 2]).await;
    for (accepted, encoding) in [("gzip", "gzip"), ("zstd, gzip", "zstd")] {
        let accept = format!("Accept-Encoding: {accepted}");
        let compressed = answer(&served, &from(0), &[&accept]).await;
        assert_eq!(
            (compressed.status, compressed.header("content-encoding")),
            (200, Some(encoding))
        );
        assert!(compressed.header("vary").is_some_and(|vary| vary.contains("accept-encoding")));
    }
    let file = served.segment("source", 4, Completeness::Full, &[b'x'; 1000]).await;
    let video = served.send("GET", &file, &["Accept-Encoding: gzip"]).await;
    assert_eq!((video.header("content-encoding"), video.body.len()), (None, 1000));
}
