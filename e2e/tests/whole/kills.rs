//! `kill -9` of each of the eight services while it matters: the story ends the same.
//!
//! Several are killed in one run, where they are at different work.

use demo::{Role, titles};

use crate::support::{CHEAP, DemoRun};

/// What records, copies and serves: the hole is seen, fetched and closed all the same.
#[tokio::test]
async fn killed_while_it_records_and_heals() {
    let mut demo = DemoRun::start(&[&["--once"][..], &CHEAP].concat());
    demo.until(titles::OUTAGE).await;
    // node b is the only one that records now
    demo.kill('b', Role::Downloader).await;
    demo.until(titles::HOLE).await;
    // asked just now for the playlist that shows the hole
    demo.kill('a', Role::Restreamer).await;
    demo.until(titles::HEALING).await;
    // the one that fetches, and the one that it fetches from
    demo.kill('a', Role::Backfiller).await;
    demo.kill('b', Role::Restreamer).await;
    demo.held().await;
}

/// What starts, what waits, and what cuts.
#[tokio::test]
async fn killed_while_it_starts_and_cuts() {
    let mut demo = DemoRun::start(&[&["--once"][..], &CHEAP].concat());
    demo.until(titles::RECORDING).await;
    // its first segments are just coming in
    demo.kill('a', Role::Downloader).await;
    demo.until(titles::OUTAGE).await;
    // it has something to fetch yet, and to the end
    demo.kill('b', Role::Backfiller).await;
    demo.until(titles::EVENT).await;
    demo.a_video_appears().await;
    // the one that writes it, and the one that would have the event next
    tokio::join!(demo.kill('a', Role::Cutter), demo.kill('b', Role::Cutter));
    demo.until(titles::END).await;
    // both nodes must come to hold the same, and may do so without it
    demo.kill_and_hear('b', Role::Backfiller).await;
    demo.held().await;
    assert_eq!(demo.videos().len(), 1, "published once: {:#?}", demo.videos());
}
