//! What goes on: players follow it near its edge, and come to its end once it has one.

use chrono::TimeDelta;
use common::base::time::{Clock, SystemClock};
use tokio::time::sleep;

use super::broadcast::Broadcast;
use super::browser::Browser;
use super::footage::{Make, RATE};
use super::readers::{ffmpeg, mpv};
use super::seat::Event;
use super::{PICTURES_OFF, Stretch, runs};

/// Seconds of a segment.
const SECONDS: usize = 1;
/// How many segments are there when the players come.
const BEFORE: usize = 6;
/// How many segments before the edge players may begin (RFC 8216 §6.3.3).
const FROM_EDGE: usize = 3;

#[tokio::test]
async fn mpeg_ts() {
    followed(&[(Make::TS, 0..16)]).await;
}

#[tokio::test]
async fn fmp4() {
    followed(&[(Make::FMP4, 0..16)]).await;
}

#[tokio::test]
async fn mpeg_ts_of_another_size() {
    followed(&[(Make::TS, 0..9), (Make::OTHER_TS, 9..16)]).await;
}

#[tokio::test]
async fn fmp4_of_another_size() {
    followed(&[(Make::FMP4, 0..9), (Make::OTHER_FMP4, 9..16)]).await;
}

/// Until 15 s of video are behind the hole, it might still be filled, and players wait.
#[tokio::test]
async fn mpeg_ts_with_a_hole() {
    followed(&[(Make::TS, 0..9), (Make::TS, 10..28)]).await;
}

#[tokio::test]
async fn fmp4_with_a_hole() {
    followed(&[(Make::FMP4, 0..9), (Make::FMP4, 10..28)]).await;
}

#[tokio::test]
async fn moments_of_mpeg_ts() {
    found(&[(Make::TS, 0..16)]).await;
}

#[tokio::test]
async fn moments_of_fmp4() {
    found(&[(Make::FMP4, 0..16)]).await;
}

/// A broadcast under way.
struct OnAir {
    broadcast: Broadcast,
    /// Its segments, with their numbers.
    segments: Vec<(usize, Vec<u8>)>,
}

impl OnAir {
    /// One of which the first segments are there.
    async fn of(stretches: &[Stretch]) -> Self {
        let count = stretches.last().expect("there is one").1.end;
        let mut segments = Vec::new();
        for (make, range) in stretches {
            let film = make.film(count, SECONDS).await;
            segments
                .extend(film.into_iter().enumerate().filter(|(index, _)| range.contains(index)));
        }
        let begun = TimeDelta::seconds((BEFORE * SECONDS).try_into().expect("they are few"));
        let broadcast = Broadcast::new(SystemClock.now() - begun, SECONDS).await;
        for (index, segment) in &segments[..BEFORE] {
            broadcast.publish("source", *index, segment).await;
        }
        Self { broadcast, segments }
    }

    /// Publishes the others as a downloader gets them: when all of each was broadcast.
    async fn goes_on(&self) {
        for (index, segment) in &self.segments[BEFORE..] {
            let end = self.broadcast.start_of(index + 1);
            sleep(end.saturating_since(SystemClock.now())).await;
            self.broadcast.publish("source", *index, segment).await;
        }
    }

    /// How many segments there would be without a hole.
    fn count(&self) -> usize {
        self.segments.last().expect("there is one").0 + 1
    }

    /// The numbers of all pictures from `first` on, in order.
    fn pictures_from(&self, first: usize) -> Vec<usize> {
        let all = self.segments.iter().flat_map(|(index, _)| self.broadcast.pictures_of(*index));
        all.filter(|picture| *picture >= first).collect()
    }

    fn media(&self) -> String {
        self.broadcast.media("source", self.count())
    }

    fn multivariant(&self) -> String {
        self.broadcast.multivariant(self.count())
    }
}

async fn followed(stretches: &[Stretch]) {
    let on_air = OnAir::of(stretches).await;
    let (media, multivariant) = (on_air.media(), on_air.multivariant());
    let read = async {
        tokio::join!(ffmpeg(&media), ffmpeg(&multivariant), mpv(&media), mpv(&multivariant))
    };
    let (read, ()) = tokio::join!(read, shown(&on_air));
    for pictures in [read.0, read.1, read.2, read.3] {
        assert_eq!(runs(&pictures), runs(&on_air.pictures_from(near_the_edge(&pictures))));
    }
    on_air.broadcast.finish();
}

/// The first of `pictures`, which must be near the edge of when the players came.
fn near_the_edge(pictures: &[usize]) -> usize {
    let earliest = (BEFORE - FROM_EDGE) * SECONDS * RATE;
    let first = pictures.first().copied().filter(|first| *first >= earliest);
    first.unwrap_or_else(|| panic!("{pictures:?}"))
}

/// hls.js follows it to its end, showing something of every segment.
async fn shown(on_air: &OnAir) {
    let browser = Browser::open(&on_air.multivariant());
    let ((), _) = tokio::join!(on_air.goes_on(), browser.play(1));
    let seen = browser.until_ended().await;
    let shown = browser.shown();
    let expected = on_air.pictures_from(near_the_edge(&shown));
    assert_eq!(seen.picture(), expected.last().copied(), "{seen:?}");
    assert!(shown.is_sorted(), "{shown:?}");
    let segments = |pictures: &[usize]| {
        let mut segments: Vec<_> =
            pictures.iter().map(|picture| picture / (SECONDS * RATE)).collect();
        segments.dedup();
        segments
    };
    assert_eq!(segments(&shown), segments(&expected));
    only_grew(&browser.events(), on_air.segments.len());
    browser.close().await;
}

/// The playlist was loaded again and again, and each time the same segments were listed, and more, until
/// it ended with `count` of them.
fn only_grew(events: &[Event], count: usize) {
    let mut known: &[_] = &[];
    let mut times = 0;
    for event in events {
        if let Event::Loaded { live, segments, .. } = event {
            assert!(segments.starts_with(known), "{segments:#?} after {known:#?}");
            assert_eq!(*live, segments.len() < count, "{segments:#?}");
            (known, times) = (segments, times + 1);
        }
    }
    assert!(times > 2 && known.len() == count, "{times} times, until {known:#?}");
}

/// hls.js finds moments of it by their time while it goes on, and comes to what is published since.
async fn found(stretches: &[Stretch]) {
    let on_air = OnAir::of(stretches).await;
    let broadcast = &on_air.broadcast;
    // far from its end, however long it takes
    let browser = Browser::open(&broadcast.media("source", 600));
    let sought = async {
        browser.play(1).await;
        // Chromium takes up to a second before what it has for that, so none of those is sought
        for segment in [0, 4] {
            let picture = broadcast.pictures_of(segment).start + 10;
            let date = broadcast.middle_of(picture);
            let seen = browser.seek(date).await;
            let off = seen.date.map(|shown| (shown - date.micros() / 1000).abs());
            assert!(off.is_some_and(|millis| millis <= 40), "{picture}: {seen:?}");
            let is_near = |shown: usize| shown.abs_diff(picture) <= PICTURES_OFF;
            assert!(seen.picture().is_some_and(is_near), "{picture}: {seen:?}");
        }
    };
    tokio::join!(sought, on_air.goes_on());
    browser.play(2).await;
    let last = broadcast.pictures_of(on_air.count() - 1);
    browser.until(|seen| seen.picture().is_some_and(|shown| last.contains(&shown))).await;
    let is_over = |event: &Event| matches!(event, Event::Loaded { live: false, .. });
    assert!(!browser.events().iter().any(is_over));
    browser.close().await;
    on_air.broadcast.finish();
}
