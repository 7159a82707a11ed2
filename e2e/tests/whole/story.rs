//! The story of the demo, as `make demo ARGS=--once` tells it.

use demo::titles;

use crate::support::DemoRun;

#[tokio::test]
async fn the_story_holds_and_leaves_nothing() {
    let mut demo = DemoRun::start(&["--once"]);
    demo.all_run().await;
    demo.held().await;

    let told = demo.told();
    for title in [
        titles::RECORDING,
        titles::OUTAGE,
        titles::HOLE,
        titles::HEALING,
        titles::EVENT,
        titles::CUT,
        titles::VIDEO,
        titles::ADDRESSES,
        titles::END,
    ] {
        assert_eq!(told.with(&format!("== {title}")).len(), 1, "{title} in {:#?}", told.all());
    }
    assert_eq!(told.with("/playlist/demo.m3u8").len(), 2 + 2, "{:#?}", told.all());
    assert_eq!(told.with("/metrics (").len(), 8, "{:#?}", told.all());
    assert_eq!(
        told.with("!!"),
        Vec::<String>::new(),
        "nothing was killed but what the story kills"
    );
    // what node a's downloader missed is the only thing that went wrong, until the channel ended, which should
    // always be up
    let complaints = demo.complaints_of_services();
    let is_told = |line: &String| {
        line.contains("video is missing: this downloader was not running")
            || line.contains("the stream has ended; waits for it to begin again")
    };
    assert!(complaints.iter().all(is_told), "{complaints:#?}");
    assert_eq!(demo.videos().len(), 1, "{:#?}", demo.videos());
}
