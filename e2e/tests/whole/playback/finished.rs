//! What is over: players show all of it, and find any moment of it.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use common::base::time::{Hour, Timestamp};

use super::broadcast::Broadcast;
use super::browser::Browser;
use super::footage::{Make, RATE};
use super::readers::{ffmpeg, mpv, mpv_aloud};
use super::{PICTURES_OFF, Stretch, runs};

/// Seconds of a segment.
const SECONDS: usize = 2;
/// How many segments a whole recording has.
const SEGMENTS: usize = 10;

#[tokio::test]
async fn mpeg_ts() {
    played(&[(Make::TS, 0..10)]).await;
}

#[tokio::test]
async fn fmp4() {
    played(&[(Make::FMP4, 0..10)]).await;
}

#[tokio::test]
async fn mpeg_ts_with_a_hole() {
    played(&[(Make::TS, 0..4), (Make::TS, 6..10)]).await;
}

#[tokio::test]
async fn fmp4_with_a_hole() {
    played(&[(Make::FMP4, 0..4), (Make::FMP4, 6..10)]).await;
}

#[tokio::test]
async fn mpeg_ts_of_another_size() {
    played(&[(Make::TS, 0..4), (Make::OTHER_TS, 4..10)]).await;
}

#[tokio::test]
async fn fmp4_of_another_size() {
    played(&[(Make::FMP4, 0..4), (Make::OTHER_FMP4, 4..10)]).await;
}

#[tokio::test]
async fn av1() {
    played(&[(Make::AV1, 0..10)]).await;
}

/// Chromium on Linux has no decoder for it.
#[tokio::test]
async fn hevc() {
    let recording = Recording::of(&[(Make::HEVC, 0..10)]).await;
    recording.read().await;
    recording.broadcast.finish();
}

/// A recording in the quality `source`, whose segments lie in two hours.
struct Recording<'a> {
    broadcast: Broadcast,
    stretches: &'a [Stretch],
}

async fn played(stretches: &[Stretch]) {
    let recording = Recording::of(stretches).await;
    let [media, multivariant] = recording.playlists();
    tokio::join!(recording.read(), async {
        recording.shown(&multivariant).await;
        recording.found(&media).await;
    },);
    recording.broadcast.finish();
}

impl<'a> Recording<'a> {
    async fn of(stretches: &'a [Stretch]) -> Self {
        let hour: Hour = "2025-11-14T10".parse().expect("this is an hour");
        // the hour changes in the midst of a stretch
        let start: Timestamp = hour.start() - TimeDelta::seconds(14);
        let broadcast = Broadcast::new(start, SECONDS).await;
        for (make, range) in stretches {
            let film = make.film(SEGMENTS, SECONDS).await;
            for index in range.clone() {
                broadcast.publish("source", index, &film[index]).await;
            }
        }
        Self { broadcast, stretches }
    }

    fn playlists(&self) -> [String; 2] {
        [self.broadcast.media("source", SEGMENTS), self.broadcast.multivariant(SEGMENTS)]
    }

    /// The numbers of all pictures, in order.
    fn pictures(&self) -> Vec<usize> {
        self.segments().flat_map(|index| self.broadcast.pictures_of(index)).collect()
    }

    fn segments(&self) -> impl Iterator<Item = usize> {
        self.stretches.iter().flat_map(|(_, range)| range.clone())
    }

    /// ffmpeg and mpv read all of it.
    async fn read(&self) {
        for playlist in self.playlists() {
            let (read, played) = tokio::join!(ffmpeg(&playlist), mpv(&playlist));
            assert_eq!(runs(&read), runs(&self.pictures()), "ffmpeg, {playlist}");
            assert_eq!(runs(&played), runs(&self.pictures()), "mpv, {playlist}");
        }
        let [_, multivariant] = self.playlists();
        mpv_aloud(&multivariant).await;
    }

    /// hls.js shows all of it, from its beginning to its end, without a gap.
    async fn shown(&self, playlist: &str) {
        let browser = Browser::open(playlist);
        browser.play(4).await;
        let seen = browser.until_ended().await;
        let pictures = self.pictures();
        // it may decode some twice, and has no time to show them all
        assert!(seen.decoded >= pictures.len(), "{seen:?}");
        let shown = browser.shown();
        assert!(
            shown.is_sorted() && shown.iter().all(|shown| pictures.contains(shown)),
            "{shown:?}"
        );
        assert_eq!(seen.picture(), pictures.last().copied(), "{seen:?}");
        let segments = shown.iter().map(|picture| picture / (SECONDS * RATE));
        assert_eq!(segments.collect::<BTreeSet<_>>(), self.segments().collect());
        let seconds = self.segments().map(|_| 2.0).sum();
        let is_near = |time: f64, expected: f64| (time - expected).abs() < 0.1;
        assert!(seen.duration.is_some_and(|duration| is_near(duration, seconds)), "{seen:?}");
        let [(start, end)] = seen.buffered[..] else { panic!("a gap: {seen:?}") };
        assert!(is_near(start, 0.0) && is_near(end, seconds), "{seen:?}");
        let stretches = self.stretches.iter().zip(0..);
        let breaks = stretches.flat_map(|((_, range), breaks)| range.clone().map(move |_| breaks));
        assert!(browser.breaks().into_iter().eq(breaks), "{:?}", browser.breaks());
        browser.close().await;
    }

    /// hls.js finds any moment of it by its time.
    async fn found(&self, playlist: &str) {
        let browser = Browser::open(playlist);
        browser.play(1).await;
        let pictures = self.pictures();
        let place = |picture| pictures.binary_search(&picture).ok();
        for (_, range) in self.stretches.iter().rev() {
            let (first, last) = (range.start, range.end - 1);
            let [first, last] = [first, last].map(|index| self.broadcast.pictures_of(index));
            for picture in [last.end - 1, first.start, last.start + 10, first.start + 20] {
                let date = self.broadcast.middle_of(picture);
                let seen = browser.seek(date).await;
                let off = seen.date.map(|shown| (shown - date.micros() / 1000).abs());
                assert!(off.is_some_and(|millis| millis <= 40), "{picture}: {seen:?}");
                let shown = seen.picture().and_then(place).expect("it is one of them");
                let wanted = place(picture).expect("it is one of them");
                assert!(shown.abs_diff(wanted) <= PICTURES_OFF, "{picture}: {seen:?}");
                assert_eq!((seen.width, seen.height), self.size_of(pictures[shown]), "{seen:?}");
            }
        }
        browser.close().await;
    }

    fn size_of(&self, picture: usize) -> (u32, u32) {
        let segment = picture / (SECONDS * RATE);
        let stretch = self.stretches.iter().find(|(_, range)| range.contains(&segment));
        stretch.expect("it is one of them").0.size
    }
}
