//! Events that are not taken, or come back, and what their rows say then.

use std::fs;

use common::io::db::edit::{Edit, Thumbnail};
use common::io::db::event::{self, Event};
use common::io::db::{EventState, ThumbnailMode, VideoRange, VideoTransition};
use common::metrics::Metrics;
use common::service::CancellationToken;
use cutter::Cutter;

use crate::installation::{Installation, at, edit, eventually};

async fn get(node: &Installation, id: &str) -> Event {
    event::get(&node.database, id).await.unwrap().unwrap()
}

/// Runs a cutter until the event's error is this.
async fn run_until_error(node: &Installation, cutter: &Cutter, id: &str, expected: &str) {
    let stop = CancellationToken::new();
    let said = async {
        eventually(async || {
            let event = get(node, id).await;
            (event.error.as_deref() == Some(expected)).then_some(()).ok_or(event.error)
        })
        .await;
        stop.cancel();
    };
    tokio::join!(async { cutter.run(&stop).await.unwrap() }, said);
}

#[tokio::test]
async fn an_event_with_holes_waits_and_says_which() {
    let node = Installation::new().await;
    let mut holey = edit();
    holey.video_ranges = vec![VideoRange { start: at(16), end: at(24) }];
    node.submit("holey", &holey, None).await;
    node.submit("whole", &edit(), None).await;
    let cutter = node.cutter("node a");
    let sentence = "node a: source lacks 2026-11-20 10:00:20.000 to 10:00:24.000";
    run_until_error(&node, &cutter, "holey", sentence).await;
    // the one does not keep the other
    node.run_until(&cutter, "whole", EventState::Done).await;
    assert_eq!(get(&node, "holey").await.state, EventState::Edited);

    node.segment(20).await;
    let sentence = "node a: source lacks 2026-11-20 10:00:22.000 to 10:00:24.000";
    run_until_error(&node, &cutter, "holey", sentence).await;
    node.segment(22).await;
    node.run_until(&cutter, "holey", EventState::Done).await;
    assert_eq!(get(&node, "holey").await.error, None);
}

#[tokio::test]
async fn each_cutter_says_what_it_lacks_and_says_it_once() {
    let node = Installation::new().await;
    let nothing = Edit { video_quality: "480p".to_owned(), ..edit() };
    node.submit("e", &nothing, None).await;
    let whole = "480p has no video from 2026-11-20 10:00:00.000 to 10:00:10.000";
    run_until_error(&node, &node.cutter("a"), "e", &format!("a: {whole}")).await;
    let both = format!("b: {whole}\na: {whole}");
    run_until_error(&node, &node.cutter("b"), "e", &both).await;
    // started again, it finds its sentence there: time enough to look, and nothing is written
    let logged = node.test.value("SELECT count(*) FROM audit_log").await;
    let metrics = Metrics::empty();
    let again = node.cutter_by_way_of("a", node.test.url(), &metrics);
    let stop = CancellationToken::new();
    let looked = async {
        eventually(async || {
            let text = metrics.render();
            text.contains("\nno_candidates_total 2").then_some(()).ok_or(text)
        })
        .await;
        stop.cancel();
    };
    tokio::join!(async { again.run(&stop).await.unwrap() }, looked);
    assert_eq!(node.test.value("SELECT count(*) FROM audit_log").await, logged);
}

#[tokio::test]
async fn holes_are_no_matter_when_they_are_allowed() {
    let node = Installation::new().await;
    let mut holey = edit();
    holey.video_ranges = vec![VideoRange { start: at(16), end: at(24) }];
    holey.allow_holes = true;
    node.submit("e", &holey, None).await;
    node.run_until(&node.cutter("a"), "e", EventState::Done).await;
}

#[tokio::test]
async fn what_cannot_be_cut_says_why() {
    let node = Installation::new().await;
    let cutter = node.cutter("a");
    let transition = Some(VideoTransition { kind: "fade".to_owned(), duration: 1.0 });
    let range = VideoRange { start: at(0), end: at(2) };
    let backwards = VideoRange { start: at(2), end: at(2) };
    let thumbnail = |mode| Thumbnail {
        mode,
        time: Some(at(0)),
        template: Some("frame".to_owned()),
        ..Thumbnail::NONE
    };
    for (number, (edit, sentence)) in [
        (
            Edit {
                video_ranges: vec![range, range],
                video_transitions: vec![transition],
                ..edit()
            },
            "a: transitions between ranges are not built yet; use hard cuts",
        ),
        (
            Edit { thumbnail: thumbnail(ThumbnailMode::Bare), ..edit() },
            "a: the thumbnail mode BARE is not built yet; use NONE or CUSTOM",
        ),
        (
            Edit { thumbnail: thumbnail(ThumbnailMode::Template), ..edit() },
            "a: the thumbnail mode TEMPLATE is not built yet; use NONE or CUSTOM",
        ),
        (
            Edit { video_ranges: vec![backwards], ..edit() },
            "a: a range does not end after it starts",
        ),
        (
            Edit { video_channel: "../etc".to_owned(), ..edit() },
            "a: the channel \"../etc\" cannot be: a name must not start with a dot",
        ),
        (
            Edit { video_quality: "a/b".to_owned(), ..edit() },
            "a: the quality \"a/b\" cannot be: a name must not hold a slash, a backslash or a control character",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let id = number.to_string();
        node.submit(&id, &edit, None).await;
        run_until_error(&node, &cutter, &id, sentence).await;
        assert_eq!(get(&node, &id).await.state, EventState::Edited);
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_says_so() {
    let node = Installation::new().await;
    node.submit("e", &edit(), None).await;
    node.test
        .execute(
            "UPDATE events SET video_ranges = ARRAY[('2026-11-20', 'infinity')]::video_range[]",
        )
        .await;
    node.submit("good", &edit(), None).await;
    let cutter = node.cutter("a");
    node.run_until(&cutter, "good", EventState::Done).await;
    let error = get(&node, "e").await.error.unwrap();
    assert!(error.starts_with("a: ") && error.contains("infinite"), "{error}");
}

#[tokio::test]
async fn what_is_meant_for_others_is_left_alone() {
    let node = Installation::new().await;
    node.submit("listed", &Edit { uploader_whitelist: Some(vec!["b".to_owned()]), ..edit() }, None)
        .await;
    node.submit("elsewhere", &Edit { upload_location: "other".to_owned(), ..edit() }, None).await;
    node.submit("e", &edit(), None).await;
    node.run_until(&node.cutter("a"), "e", EventState::Done).await;
    for id in ["listed", "elsewhere"] {
        let event = get(&node, id).await;
        assert_eq!((event.state, event.error), (EventState::Edited, None));
    }
    node.run_until(&node.cutter("b"), "listed", EventState::Done).await;
}

#[tokio::test]
async fn a_place_that_does_not_take_it_gives_the_event_back_and_is_tried_again() {
    let node = Installation::new().await;
    node.submit("e", &edit(), None).await;
    let metrics = Metrics::empty();
    let cutter = node.cutter_by_way_of("a", node.test.url(), &metrics);
    let folder = node.videos.path().to_owned();
    fs::remove_dir(&folder).unwrap();
    fs::write(&folder, "in the way").unwrap();
    let stop = CancellationToken::new();
    let broken_then_mended = async {
        eventually(async || {
            let error = get(&node, "e").await.error.unwrap_or_default();
            error.starts_with("a: cannot create ").then_some(()).ok_or(error)
        })
        .await;
        fs::remove_file(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        node.reaches("e", EventState::Done).await;
        stop.cancel();
    };
    tokio::join!(async { cutter.run(&stop).await.unwrap() }, broken_then_mended);
    node.assert_published_once("e").await;
    let text = metrics.render();
    assert!(text.contains("upload_errors_total{final_state=\"EDITED\""), "{text}");
}
