//! Ctrl-C, and worse: nothing is left running.

use std::time::Duration;

use demo::{Role, titles};
use rustix::process::Signal;

use crate::support::{CHEAP, DemoRun, PATIENCE, body};

/// Less than what an orderly stop gives a service that does not end.
const AT_ONCE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_demo_that_is_interrupted_stops_everything() {
    let mut demo = DemoRun::start(&[&["--once"][..], &CHEAP].concat());
    demo.until(titles::RECORDING).await;
    demo.signal(Signal::INT);
    assert_eq!(demo.ended().await, Some(130));
    assert_eq!(demo.told().with("stops everything").len(), 1);
    assert!(demo.complaints().is_empty(), "{:#?}", demo.complaints());
}

#[tokio::test]
async fn a_second_interruption_ends_it_at_once() {
    let mut demo = DemoRun::start(&CHEAP);
    demo.until(titles::RECORDING).await;
    // it would not end by itself
    demo.send('a', Role::Backfiller, Signal::STOP).await;
    demo.signal(Signal::INT);
    demo.told().until("stops everything", PATIENCE).await;
    demo.signal(Signal::INT);
    assert_eq!(demo.ended_within(AT_ONCE).await, Some(130));
}

#[tokio::test]
async fn a_demo_that_is_killed_takes_everything_along() {
    let mut demo = DemoRun::start(&CHEAP);
    demo.until(titles::RECORDING).await;
    demo.all_run().await;
    demo.signal(Signal::KILL);
    assert_eq!(demo.ended().await, None);
}

#[tokio::test]
async fn a_demo_whose_origin_dies_says_so() {
    let mut demo = DemoRun::start(&CHEAP);
    demo.until(titles::RECORDING).await;
    demo.kill_origin().await;
    assert_eq!(demo.ended().await, Some(1));
    let complaints = demo.complaints();
    assert_eq!(complaints.len(), 1, "{complaints:#?}");
    let reason = "demo: the origin's encoder ended by itself (was killed by signal 9)";
    assert!(complaints[0].starts_with(reason), "{complaints:#?}");
}

/// And another one records what it broadcasts, as it would any real channel.
#[tokio::test]
async fn a_demo_stays_up_until_it_is_interrupted() {
    let mut demo = DemoRun::start(&CHEAP);
    let origin = demo.told().until("/live/playlist.m3u8", PATIENCE).await;
    let origin = origin.split_whitespace().last().unwrap();
    let mut recorder = DemoRun::start(&["--once", "--url", origin]);
    recorder.held().await;

    let line = demo.told().until("it all goes on recording", PATIENCE * 4).await;
    assert!(line.ends_with("until Ctrl-C"), "{line}");
    for printed in demo.told().with("/playlist/demo.m3u8") {
        let url = printed.rsplit(' ').next().unwrap();
        assert!(body(url).await.unwrap().starts_with("#EXTM3U"), "{url}");
    }
    for printed in demo.told().with("/metrics (") {
        let url = printed.split_whitespace().find(|word| word.starts_with("http")).unwrap();
        assert!(body(url).await.unwrap().contains("process_start_time_seconds"), "{url}");
    }
    demo.signal(Signal::INT);
    assert_eq!(demo.ended().await, Some(0));
}
