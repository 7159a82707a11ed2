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
    let note = |start| Note::Discontinuity { start, detail: String::new(), learned: start };
    notes.append(&[note(at(2))]).unwrap();
    let marks = |playlist: MediaPlaylist| -> Vec<bool> {
        playlist.segments.iter().map(|segment| segment.discontinuity).collect()
    };
    assert_eq!(marks(read(&served, &from(0)).await), [false, true, false]);
    notes.append(&[note(at(4)), note(at(6))]).unwrap();
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
