//! What goes on: players follow it near its edge, and come to its end once it has one.

use chrono::TimeDelta;
use common::base::time::{Clock, SystemClock};
use tokio::time::sleep;

use super::broadcast::Broadcast;
use super::browser::Browser;
use super::footage::{Make, RATE};
use super::readers::{ffmpeg, mpv};
use super::seat::Event;

/// Seconds of a segment.
const SECONDS: usize = 1;
/// How many segments there will be.
const SEGMENTS: usize = 16;
/// How many of them are there when the players come.
const BEFORE: usize = 6;
/// How many segments before the edge players may begin (RFC 8216 §6.3.3).
const FROM_EDGE: usize = 3;

#[tokio::test]
async fn mpeg_ts() {
    followed(Make::TS).await;
}

#[tokio::test]
async fn fmp4() {
    followed(Make::FMP4).await;
}

async fn followed(make: Make) {
    let film = make.film(SEGMENTS, SECONDS).await;
    let start = SystemClock.now() - TimeDelta::seconds(6);
    let broadcast = Broadcast::new(start, SECONDS).await;
    for (index, segment) in film.iter().enumerate().take(BEFORE) {
        broadcast.publish("source", index, segment).await;
    }
    let goes_on = async {
        for (index, segment) in film.iter().enumerate().skip(BEFORE) {
            // as a downloader gets it: when all of it was broadcast
            sleep(broadcast.start_of(index + 1).saturating_since(SystemClock.now())).await;
            broadcast.publish("source", index, segment).await;
        }
    };
    let media = broadcast.media("source", SEGMENTS);
    let multivariant = broadcast.multivariant(SEGMENTS);
    let read = async {
        tokio::join!(ffmpeg(&media), ffmpeg(&multivariant), mpv(&media), mpv(&multivariant))
    };
    let ((), (), read) = tokio::join!(goes_on, shown(&multivariant), read);
    for pictures in [read.0, read.1, read.2, read.3] {
        begins_near_the_edge(&pictures);
        let is_whole = pictures.windows(2).all(|pair| pair[1] == pair[0] + 1);
        assert!(is_whole && pictures.last() == Some(&LAST), "{pictures:?}");
    }
    broadcast.finish();
}

/// The last picture.
const LAST: usize = SEGMENTS * SECONDS * RATE - 1;

fn begins_near_the_edge(pictures: &[usize]) {
    let earliest = (BEFORE - FROM_EDGE) * SECONDS * RATE;
    assert!(pictures.first().is_some_and(|first| *first >= earliest), "{pictures:?}");
}

/// hls.js follows it to its end, showing something of every segment.
async fn shown(playlist: &str) {
    let browser = Browser::open(playlist);
    browser.play(1).await;
    let seen = browser.until_ended().await;
    assert_eq!(seen.picture(), Some(LAST), "{seen:?}");
    let shown = browser.shown();
    begins_near_the_edge(&shown);
    assert!(shown.is_sorted(), "{shown:?}");
    let mut segments: Vec<_> = shown.iter().map(|picture| picture / (SECONDS * RATE)).collect();
    segments.dedup();
    assert!(segments.iter().copied().eq(segments[0]..SEGMENTS), "{segments:?}");
    only_grew(&browser.events());
    browser.close().await;
}

/// The playlist was loaded again and again, and each time the same segments were listed, and more.
fn only_grew(events: &[Event]) {
    let mut known: &[_] = &[];
    let mut times = 0;
    for event in events {
        if let Event::Loaded { live, segments, .. } = event {
            assert!(segments.starts_with(known), "{segments:#?} after {known:#?}");
            assert_eq!(*live, segments.len() < SEGMENTS, "{segments:#?}");
            (known, times) = (segments, times + 1);
        }
    }
    assert!(times > 2 && known.len() == SEGMENTS, "{times} times, until {known:#?}");
}
