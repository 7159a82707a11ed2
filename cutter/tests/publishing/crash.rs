//! A cutter that dies, is stopped or is overtaken at any of its steps.
//!
//! A run is left waiting many times: for the database, the disk, the clock. Each test goes through
//! all of these moments, one run each, until a run comes to its end undisturbed.

use std::fs;
use std::path::PathBuf;
use std::pin::pin;

use common::io::db::{EventState, event};
use common::metrics::Metrics;
use common::service::CancellationToken;
use tokio::runtime::Runtime;

use crate::installation::{Installation, edit, eventually, poll_times};

/// More moments than a run has; the tests fail if that is ever not so.
const TOO_MANY: usize = 2_000;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Whether the event is out, asked by a session of its own, since runtimes come and go here.
async fn state(node: &Installation, id: &str) -> String {
    node.test.value(&format!("SELECT state FROM events WHERE id = '{id}'")).await.unwrap()
}

/// What a run is disturbed at, and the runs after it.
struct Moments {
    node: Installation,
    /// Where events are put in; the installation's own runtime.
    outside: Runtime,
}

impl Moments {
    fn new() -> Self {
        let outside = runtime();
        let node = outside.block_on(Installation::new());
        Self { node, outside }
    }

    fn submit(&self, id: &str) {
        self.outside.block_on(self.node.submit(id, &edit(), None));
    }

    /// Runs a cutter in a runtime of its own until it was left waiting `times` times, and then
    /// drops everything, as a crash does. Returns whether the event was out before that.
    ///
    /// What the disk was already asked for is still carried out before this returns: a process
    /// that is dead asks for nothing any more.
    fn crash_after(&self, times: usize, id: &str) -> bool {
        let runtime = runtime();
        runtime.block_on(async {
            let cutter = self.node.cutter("a");
            let stop = CancellationToken::new();
            poll_times(pin!(cutter.run(&stop)), times).await;
        });
        drop(runtime);
        self.outside.block_on(state(&self.node, id)) == "DONE"
    }

    fn finish(&self, id: &str) {
        self.outside.block_on(async {
            let cutter = self.node.cutter("a");
            self.node.run_until(&cutter, id, EventState::Done).await;
        });
    }

    fn assert_published_once(&self, id: &str) {
        self.outside.block_on(self.node.assert_published_once(id));
    }
}

#[test]
fn a_crash_at_any_moment_ends_with_one_video() {
    let moments = Moments::new();
    for times in 0..TOO_MANY {
        let id = format!("event {times}");
        moments.submit(&id);
        let was_done = moments.crash_after(times, &id);
        moments.finish(&id);
        moments.assert_published_once(&id);
        if was_done {
            return;
        }
    }
    panic!("a run has more moments than {TOO_MANY}");
}

#[test]
fn two_crashes_in_a_row_end_with_one_video() {
    let moments = Moments::new();
    for times in (0..TOO_MANY).step_by(2) {
        let id = format!("event {times}");
        moments.submit(&id);
        moments.crash_after(times, &id);
        // shorter: the second one dies while it settles what the first one left
        let was_done = moments.crash_after(times / 2, &id);
        moments.finish(&id);
        moments.assert_published_once(&id);
        if was_done {
            return;
        }
    }
    panic!("a run has more moments than {TOO_MANY}");
}

#[test]
fn a_stop_at_any_moment_leaves_the_event_edited_or_done() {
    let moments = Moments::new();
    for times in 0..TOO_MANY {
        let id = format!("event {times}");
        moments.submit(&id);
        let ended = moments.outside.block_on(async {
            let cutter = moments.node.cutter("a");
            let stop = CancellationToken::new();
            let mut run = pin!(cutter.run(&stop));
            poll_times(run.as_mut(), times).await;
            stop.cancel();
            run.await.unwrap();
            // what the disk was asked for when it stopped is undone a moment later
            eventually(async || {
                let files = moments.node.files();
                let is_unfinished = |file: &PathBuf| file.extension().unwrap() == "temp";
                files.into_iter().find(is_unfinished).map_or(Ok(()), Err)
            })
            .await;
            state(&moments.node, &id).await
        });
        assert!(ended == "EDITED" || ended == "DONE", "{ended} after {times}");
        if ended == "DONE" {
            moments.assert_published_once(&id);
            return;
        }
        assert!(!moments.node.videos_of_events().contains_key(&id), "{times}");
        moments.finish(&id);
    }
    panic!("a run has more moments than {TOO_MANY}");
}

/// Runs a cutter, changes the event after it was left waiting `times` times, and runs it on until
/// `ended`.
async fn overtake(node: &Installation, times: usize, change: &str, ended: impl AsyncFn(&Metrics)) {
    let metrics = Metrics::empty();
    let cutter = node.cutter_by_way_of("a", node.test.url(), &metrics);
    let stop = CancellationToken::new();
    let mut run = pin!(cutter.run(&stop));
    poll_times(run.as_mut(), times).await;
    // the cutter stands still and may hold a lock; then the change is made while it goes on
    let at_once = format!("SET lock_timeout = '100ms'; {change}");
    let was_changed = node.test.try_execute(&at_once).await.is_ok();
    let to_the_end = async {
        if !was_changed {
            node.test.execute(change).await;
        }
        ended(&metrics).await;
        stop.cancel();
    };
    tokio::join!(async { run.await.unwrap() }, to_the_end);
}

/// An editor changes the title while the old one is being cut: what is published is never the old
/// one, unless it was on its way already.
#[test]
fn an_edit_at_any_moment_is_not_lost() {
    let Moments { node, outside } = Moments::new();
    for times in 0..TOO_MANY {
        let id = format!("event {times}");
        let was_in_time = outside.block_on(async {
            node.submit(&id, &edit(), None).await;
            let change = format!(
                "UPDATE events SET video_title = 'New' \
                 WHERE id = '{id}' AND state IN ('EDITED', 'CLAIMED')"
            );
            overtake(&node, times, &change, async |_| node.reaches(&id, EventState::Done).await)
                .await;
            node.assert_published_once(&id).await;
            let title = format!("SELECT video_title FROM events WHERE id = '{id}'");
            node.test.value(&title).await.as_deref() == Some("New")
        });
        let video = &node.videos_of_events()[&id][0];
        let is_new = video.file_name().unwrap().to_str().unwrap().starts_with("New");
        assert_eq!(is_new, was_in_time, "{times}");
        if !was_in_time {
            return;
        }
    }
    panic!("a run has more moments than {TOO_MANY}");
}

/// An operator cancels while it is being cut: nothing is published, unless it was on its way.
#[test]
fn a_cancelled_event_is_not_published() {
    let Moments { node, outside } = Moments::new();
    for times in 0..TOO_MANY {
        let id = format!("event {times}");
        let state = outside.block_on(async {
            node.submit(&id, &edit(), None).await;
            let change = format!(
                "UPDATE events SET state = 'UNEDITED', uploader = NULL \
                 WHERE id = '{id}' AND state IN ('EDITED', 'CLAIMED')"
            );
            let nothing_left = async |metrics: &Metrics| {
                eventually(async || {
                    let text = metrics.render();
                    text.contains("\nno_candidates_total 1").then_some(()).ok_or(text)
                })
                .await;
            };
            overtake(&node, times, &change, nothing_left).await;
            state(&node, &id).await
        });
        if state == "DONE" {
            outside.block_on(node.assert_published_once(&id));
            return;
        }
        assert_eq!(state, "UNEDITED", "{times}");
        assert!(!node.videos_of_events().contains_key(&id), "{times}");
    }
    panic!("a run has more moments than {TOO_MANY}");
}

/// An event that an earlier run left in FINALIZING, with its video there or not.
async fn left_in_finalizing(node: &Installation, video_id: &str) {
    node.submit("e", &edit(), None).await;
    node.test
        .execute(&format!(
            "UPDATE events SET state = 'CLAIMED', uploader = 'a'; \
             UPDATE events SET state = 'FINALIZING', video_id = '{video_id}'"
        ))
        .await;
}

const ID: &str = "01234567-89ab-4def-8123-456789abcdef";

#[tokio::test]
async fn a_video_that_is_there_is_taken_for_published_even_if_its_title_changed() {
    let node = Installation::new().await;
    left_in_finalizing(&node, ID).await;
    node.test.execute("UPDATE events SET video_title = 'Other'").await;
    let video = node.videos.path().join(format!("A title-{ID}.ts"));
    fs::write(&video, "published").unwrap();
    node.run_until(&node.cutter("a"), "e", EventState::Done).await;
    let event = event::get(&node.database, "e").await.unwrap().unwrap();
    assert_eq!(event.video_link.unwrap(), format!("https://v.example/A%20title-{ID}.ts"));
    assert_eq!(node.files(), [video]);
}

#[tokio::test]
async fn a_video_that_is_not_there_is_cut_again() {
    let node = Installation::new().await;
    left_in_finalizing(&node, ID).await;
    fs::write(node.videos.path().join(format!("A title-{ID}.json")), "{}").unwrap();
    fs::write(node.videos.path().join(format!(".{ID}.ts.a.temp")), "unfinished").unwrap();
    node.run_until(&node.cutter("a"), "e", EventState::Done).await;
    node.assert_published_once("e").await;
}

#[tokio::test]
async fn what_nobody_can_tell_waits_for_a_person_and_keeps_nobody() {
    let node = Installation::new().await;
    left_in_finalizing(&node, "not one of ours").await;
    node.submit("good", &edit(), None).await;
    node.run_until(&node.cutter("a"), "good", EventState::Done).await;
    let event = event::get(&node.database, "e").await.unwrap().unwrap();
    assert_eq!(event.state, EventState::Finalizing);
    assert_eq!(event.error.as_deref(), Some("a: its video_id is none of this cutter's"));
    node.test.execute("UPDATE events SET upload_location = 'gone' WHERE id = 'e'").await;
    node.submit("better", &edit(), None).await;
    node.run_until(&node.cutter("a"), "better", EventState::Done).await;
    let event = event::get(&node.database, "e").await.unwrap().unwrap();
    let sentence = "a: this cutter has no upload location \"gone\" any more";
    assert_eq!(event.error.as_deref(), Some(sentence));
}

#[tokio::test]
async fn what_others_left_is_theirs() {
    let node = Installation::new().await;
    left_in_finalizing(&node, ID).await;
    node.submit("claimed", &edit(), None).await;
    node.test
        .execute("UPDATE events SET state = 'CLAIMED', uploader = 'b' WHERE id = 'claimed'")
        .await;
    node.submit("good", &edit(), None).await;
    node.run_until(&node.cutter("c"), "good", EventState::Done).await;
    let state = async |id: &str| event::get(&node.database, id).await.unwrap().unwrap().state;
    assert_eq!(state("e").await, EventState::Finalizing);
    assert_eq!(state("claimed").await, EventState::Claimed);
}
