//! The container changes within a recording, which HLS allows and players do not follow: what becomes of
//! each, and how all of it is played nevertheless.

use std::collections::BTreeSet;
use std::ops::Range;

use common::base::time::Hour;
use reqwest::Url;

use super::broadcast::Broadcast;
use super::browser::Browser;
use super::footage::{Make, RATE};
use super::readers::{ffmpeg, mpv, mpv_aloud};
use super::runs;

/// Seconds of a segment.
const SECONDS: usize = 2;
/// How many segments a recording has, and how many of them are before the change.
const SEGMENTS: usize = 8;
const BEFORE: usize = 3;

#[tokio::test]
async fn mpeg_ts_to_fmp4() {
    played([Make::TS, Make::OTHER_FMP4]).await;
}

#[tokio::test]
async fn fmp4_to_mpeg_ts() {
    played([Make::FMP4, Make::OTHER_TS]).await;
}

async fn played(makes: [Make; 2]) {
    let hour: Hour = "2025-11-14T10".parse().expect("this is an hour");
    let broadcast = Broadcast::new(hour.start(), SECONDS).await;
    for (make, range) in makes.iter().zip([0..BEFORE, BEFORE..SEGMENTS]) {
        let film = make.film(SEGMENTS, SECONDS).await;
        for index in range {
            broadcast.publish("source", index, &film[index]).await;
        }
    }
    let whole = broadcast.media("source", SEGMENTS);
    let list = broadcast.list("source", SEGMENTS);
    let stretches = entries(&list).await;
    assert_eq!(stretches.len(), makes.len(), "{stretches:?}");
    tokio::join!(readers_stop(&whole), a_list_is_read(&list), each_is_read(&stretches), async {
        hls_js_stops(&whole, &broadcast).await;
        hls_js_plays_each(&stretches, &broadcast, makes).await;
    });
    broadcast.finish();
}

/// The numbers of the pictures before and after the change.
fn halves() -> [Range<usize>; 2] {
    let picture = |segment| segment * SECONDS * RATE;
    [0..picture(BEFORE), picture(BEFORE)..picture(SEGMENTS)]
}

/// The addresses that are listed at `list`.
async fn entries(list: &str) -> Vec<String> {
    let text = crate::support::body(list).await.expect("it is served");
    let list: Url = list.parse().expect("it is an address");
    let entries = text.lines().filter(|line| !line.starts_with('#'));
    entries.map(|entry| list.join(entry).expect("it is an address").to_string()).collect()
}

/// ffmpeg, and mpv by it, opens one demuxer for a playlist and feeds it to the end: what is in another
/// container is lost without a word. Should this fail because more is read, the better.
async fn readers_stop(playlist: &str) {
    let (read, played) = tokio::join!(ffmpeg(playlist), mpv(playlist));
    let [before, _] = halves();
    assert_eq!((runs(&read), runs(&played)), (vec![before.clone()], vec![before]));
}

/// mpv plays a list of playlists one after the other.
async fn a_list_is_read(list: &str) {
    let [before, after] = halves();
    assert_eq!(runs(&mpv(list).await), [Range { start: before.start, end: after.end }]);
    mpv_aloud(list).await;
}

/// ffmpeg reads all that one playlist of the list has.
async fn each_is_read(stretches: &[String]) {
    for (stretch, half) in stretches.iter().zip(halves()) {
        assert_eq!(runs(&ffmpeg(stretch).await), [half], "{stretch}");
    }
}

/// hls.js has one buffer for the sound and the picture of fragmented MP4, and two for those of MPEG-TS, and
/// cannot go over from one to the other: as soon as it comes to that in loading, it loads no more.
async fn hls_js_stops(playlist: &str, broadcast: &Broadcast) {
    let browser = Browser::open(playlist);
    browser.play(1).await;
    let error = browser.until_fatal().await;
    assert_eq!(error, "bufferAppendError");
    let breaks: Vec<u64> = (0..SEGMENTS).map(|index| u64::from(index >= BEFORE)).collect();
    assert_eq!(browser.breaks(), breaks);
    // what it has already is played, and could be looked at
    let picture = broadcast.pictures_of(BEFORE - 1).start + 10;
    let seen = browser.seek(broadcast.middle_of(picture)).await;
    assert!(seen.picture().is_some_and(|shown| shown.abs_diff(picture) <= 2), "{seen:?}");
    browser.abandon().await;
}

/// One hls.js plays the playlists of the list one after the other, each to its end, and finds a moment
/// of each by its time.
async fn hls_js_plays_each(stretches: &[String], broadcast: &Broadcast, makes: [Make; 2]) {
    let browser = Browser::open(&stretches[0]);
    for (index, (half, make)) in halves().into_iter().zip(makes).enumerate() {
        if index > 0 {
            browser.load(&stretches[index]).await;
        }
        browser.play(2).await;
        let seen = browser.until_ended().await;
        assert_eq!(seen.picture(), Some(half.end - 1), "{seen:?}");
        let date = broadcast.middle_of(half.start + SECONDS * RATE + 5);
        let seen = browser.seek(date).await;
        let off = seen.date.map(|shown| (shown - date.micros() / 1000).abs());
        assert!(off.is_some_and(|millis| millis <= 40), "{seen:?}");
        assert_eq!((seen.width, seen.height), make.size, "{seen:?}");
    }
    let shown: BTreeSet<_> = browser.shown().iter().map(|shown| shown / (SECONDS * RATE)).collect();
    assert!(shown.into_iter().eq(0..SEGMENTS), "something of each segment");
    browser.close().await;
}
