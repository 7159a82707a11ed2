//! Ctrl-C, and worse: nothing is left running.

use demo::titles;
use rustix::process::Signal;

use crate::support::{CHEAP, DemoRun, PATIENCE, body, processes_in};

#[tokio::test]
async fn a_demo_that_is_interrupted_stops_everything() {
    let mut demo = DemoRun::start(&[&["--once"][..], &CHEAP].concat());
    demo.until(titles::OUTAGE).await;
    demo.signal(Signal::INT);
    assert_eq!(demo.ended().await, Some(130));
    assert_eq!(demo.told().with("stops everything").len(), 1);
}

#[tokio::test]
async fn a_demo_that_is_killed_takes_everything_along() {
    let mut demo = DemoRun::start(&CHEAP);
    demo.until(titles::OUTAGE).await;
    assert!(processes_in(&demo.data()).len() >= 9);
    demo.signal(Signal::KILL);
    assert_eq!(demo.ended().await, None);
}

#[tokio::test]
async fn a_demo_stays_up_until_it_is_interrupted() {
    let mut demo = DemoRun::start(&CHEAP);
    let line = demo.told().until("it all goes on recording", PATIENCE * 8).await;
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
