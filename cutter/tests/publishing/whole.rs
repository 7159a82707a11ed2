//! From a row to a video, when nothing goes wrong.

use std::fs;

use common::io::db::edit::Thumbnail;
use common::io::db::event;
use common::io::db::{EventState, ThumbnailMode, VideoRange};
use common::metrics::Metrics;

use crate::installation::{Installation, at, bytes_at, edit};

#[tokio::test]
async fn an_edited_event_becomes_a_video() {
    let node = Installation::new().await;
    node.submit("e", &edit(), None).await;
    let metrics = Metrics::empty();
    let cutter = node.cutter_by_way_of("a", node.test.url(), &metrics);
    node.run_until(&cutter, "e", EventState::Done).await;

    node.assert_published_once("e").await;
    let event = event::get(&node.database, "e").await.unwrap().unwrap();
    assert_eq!((event.upload_time, event.error), (Some(at(100)), None));
    assert_eq!(event.uploader.as_deref(), Some("a"));
    let text = metrics.render();
    let labels = "upload_location=\"local\",video_channel=\"chan\",video_quality=\"source\"";
    assert!(text.contains(&format!("\nvideos_uploaded_total{{{labels}}} 1\n")), "{text}");
    assert!(text.contains("\nvideos_transcoding{location=\"local\"} 0\n"), "{text}");
    assert!(text.contains("\nvideos_marked_done_total{location=\"local\"} 0\n"), "{text}");
}

#[tokio::test]
async fn ranges_follow_one_another_by_hard_cuts() {
    let node = Installation::new().await;
    let mut edit = edit();
    edit.video_ranges =
        vec![VideoRange { start: at(13), end: at(15) }, VideoRange { start: at(0), end: at(2) }];
    edit.video_transitions = vec![None];
    node.submit("e", &edit, None).await;
    node.run_until(&node.cutter("a"), "e", EventState::Done).await;
    let expected = [12, 14, 0].map(bytes_at).concat();
    assert_eq!(fs::read(&node.videos_of_events()["e"][0]).unwrap(), expected);
}

#[tokio::test]
async fn a_custom_thumbnail_lies_beside_the_video() {
    let node = Installation::new().await;
    let mut edit = edit();
    edit.thumbnail = Thumbnail { mode: ThumbnailMode::Custom, ..Thumbnail::NONE };
    let image = b"\x89PNG\r\n\x1a\nimage";
    node.submit("e", &edit, Some(image)).await;
    node.run_until(&node.cutter("a"), "e", EventState::Done).await;
    let png = node.files().into_iter().find(|path| path.extension().unwrap() == "png").unwrap();
    assert_eq!(fs::read(&png).unwrap(), image);
    assert!(png.with_extension("ts").exists());
    let written = "SELECT thumbnail_last_written = sha256(thumbnail_image) FROM events";
    assert_eq!(node.test.value(written).await.as_deref(), Some("t"));
}

#[tokio::test]
async fn a_thumbnail_that_is_not_asked_for_is_not_written() {
    let node = Installation::new().await;
    node.submit("e", &edit(), Some(b"image")).await;
    node.run_until(&node.cutter("a"), "e", EventState::Done).await;
    node.assert_published_once("e").await;
    let written = "SELECT thumbnail_last_written FROM events";
    assert_eq!(node.test.value(written).await, None);
}

#[tokio::test]
async fn many_events_are_published_one_after_the_other() {
    let node = Installation::new().await;
    for number in 0..20 {
        node.submit(&number.to_string(), &edit(), None).await;
    }
    let cutter = node.cutter("a");
    let stop = common::service::CancellationToken::new();
    let all = async {
        for number in 0..20 {
            node.reaches(&number.to_string(), EventState::Done).await;
        }
        stop.cancel();
    };
    tokio::join!(async { cutter.run(&stop).await.unwrap() }, all);
    for number in 0..20 {
        node.assert_published_once(&number.to_string()).await;
    }
}
