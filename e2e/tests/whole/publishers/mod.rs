//! Publishers that are not ours, live: what each of them published is recorded, byte for byte.

mod publisher;
mod take;
mod web;

use common::base::hash::ContentHash;
use common::format::segment::Completeness;
use common::io::store::notes::Why;
use publisher::{Published, Publisher};
use take::Take;
use web::Web;

/// How many segments of a second a publisher makes.
const SECONDS: usize = 20;

/// It begins when the downloader waits for it already, ends, and begins again with other numbers.
#[tokio::test]
async fn ffmpeg_ts_with_dates_that_ends_and_begins_again() {
    let web = Web::start().await;
    let take = Take::start(&web.address("live.m3u8")).await;
    take.tells("offline (status 404)").await;

    let mut first = Publisher::ffmpeg_ts(&web, "first", true, 12);
    first.has_published(SECONDS / 2).await;
    let mut published = first.stop().await;
    take.holds(&published, Completeness::Full).await;
    take.is_dated_as(&first);
    let ended = take.recorded().last().expect("there are some").end();
    take.tells("the stream has ended").await;

    let mut second = Publisher::ffmpeg_ts(&web, "second", true, 12);
    second.has_published(SECONDS / 2).await;
    let again = second.stop().await;
    let count = published.len();
    published.extend(again);
    take.holds(&published, Completeness::Full).await;
    take.is_dated_as(&second);
    take.joins(0..count);
    take.joins(count..published.len());
    let began = take.recorded()[count].start;
    let missing =
        take.finish(&["offline (status 404)", "video is missing: the channel was not live"]);
    let missing = missing.await;
    let spans: Vec<_> = missing.iter().map(|span| (span.start, span.end, span.why)).collect();
    assert_eq!(spans, [(ended, began, Why::Offline)], "{missing:#?}");
}

/// The downloader comes late, when the first segments are listed no more.
#[tokio::test]
async fn ffmpeg_ts_without_dates() {
    let web = Web::start().await;
    let mut publisher = Publisher::ffmpeg_ts(&web, "undated", false, 5);
    publisher.has_published(9).await;
    let earliest = publisher.first_listed();
    let take = Take::start(&web.address("live.m3u8")).await;
    take.tells("records").await;
    let latest = publisher.first_listed();
    publisher.has_published(9 + SECONDS).await;
    let segments = publisher.stop().await;
    let last = segments.last().expect("there are some");
    take.comes_to(last).await;
    let first = take.recorded()[0].hash;
    let is_first = |segment: &Published| ContentHash::of(&segment.bytes) == first;
    let begun = segments.iter().position(is_first).expect("it was published");
    assert!((earliest..=latest).contains(&begun), "{begun} in {earliest}..={latest}");
    take.holds(&segments[begun..], Completeness::Suspect).await;
    take.joins(0..segments.len() - begun);
    take.is_dated_by_arrival(last);
    assert_eq!(take.finish(&[]).await, []);
}

#[tokio::test]
async fn ffmpeg_fmp4_with_dates() {
    let web = Web::start().await;
    let publisher = Publisher::ffmpeg_fmp4(&web);
    let take = whole(&web, publisher, SECONDS / 2, Completeness::Full).await;
    assert_eq!(take.finish(&[]).await, []);
}

#[tokio::test]
async fn nginx_rtmp_without_dates() {
    let web = Web::start().await;
    let publisher = Publisher::nginx_rtmp(&web);
    let take = whole(&web, publisher, SECONDS, Completeness::Suspect).await;
    assert_eq!(take.finish(&[]).await, []);
}

#[tokio::test]
async fn gstreamer_hlssink2_without_dates() {
    let web = Web::start().await;
    let publisher = Publisher::gstreamer(&web);
    let take = whole(&web, publisher, SECONDS, Completeness::Suspect).await;
    assert_eq!(take.finish(&[]).await, []);
}

/// Records `count` segments of a publisher from its first one on; all of them join.
async fn whole(
    web: &Web,
    mut publisher: Publisher,
    count: usize,
    completeness: Completeness,
) -> Take {
    publisher.is_listed().await;
    let take = Take::start(&web.address("live.m3u8")).await;
    publisher.has_published(count).await;
    let segments = publisher.stop().await;
    take.holds(&segments, completeness).await;
    take.joins(0..segments.len());
    match completeness {
        Completeness::Full => take.is_dated_as(&publisher),
        _ => take.is_dated_by_arrival(segments.last().expect("there are some")),
    }
    take
}
