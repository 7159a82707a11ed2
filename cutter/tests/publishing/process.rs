//! The program itself: killed, stopped, started with nonsense.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use common::io::db::EventState;
use common::io::process::command;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::time::{sleep, timeout};
use url::Url;

use crate::installation::{Installation, PATIENCE, edit};

const CUTTER: &str = env!("CARGO_BIN_EXE_cutter");

fn start(node: &Installation, database: &Url) -> Child {
    let mut cutter = command(CUTTER);
    cutter.args(node.arguments("a", database)).stderr(Stdio::null());
    cutter.spawn().unwrap()
}

async fn terminate(mut cutter: Child) -> ExitStatus {
    let pid = Pid::from_raw(cutter.id().unwrap().cast_signed()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    timeout(PATIENCE, cutter.wait()).await.unwrap().unwrap()
}

/// The moment is random, and so is the state that it hits; many rounds hit most of them.
#[tokio::test]
async fn kill_9_at_random_moments_ends_with_one_video_each() {
    let node = Installation::new().await;
    for round in 0..25 {
        let id = format!("event {round}");
        node.submit(&id, &edit(), None).await;
        let mut cutter = start(&node, node.test.url());
        // from before it connects to after it is done
        sleep(Duration::from_millis(10 + 4 * round)).await;
        cutter.kill().await.unwrap();

        let again = start(&node, node.test.url());
        let next = format!("next event {round}");
        node.submit(&next, &edit(), None).await;
        node.reaches(&id, EventState::Done).await;
        node.reaches(&next, EventState::Done).await;
        assert!(terminate(again).await.success());
        node.assert_published_once(&id).await;
        node.assert_published_once(&next).await;
    }
}

#[tokio::test]
async fn sigterm_is_a_clean_stop() {
    let node = Installation::new().await;
    node.submit("e", &edit(), None).await;
    let cutter = start(&node, node.test.url());
    node.reaches("e", EventState::Done).await;
    assert_eq!(terminate(cutter).await.code(), Some(0));
}

/// What is wrong with a start, in its exit status and its only line.
async fn complaint(arguments: &[&str]) -> (Option<i32>, String) {
    let mut cutter = command(CUTTER);
    let output = timeout(PATIENCE, cutter.args(arguments).output()).await.unwrap().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    (output.status.code(), text)
}

#[tokio::test]
async fn nonsense_is_refused_in_one_line_with_status_2() {
    let node = Installation::new().await;
    let good = node.arguments("a", node.test.url());
    let good: Vec<&str> = good.iter().map(String::as_str).collect();
    let with = |flag: &str, value: &'static str| {
        let at = good.iter().position(|word| *word == flag).unwrap();
        let mut arguments = good.clone();
        arguments[at + 1] = value;
        arguments
    };
    for (flag, value, expected) in [
        ("--database", "nonsense", "cannot use --database"),
        ("--config", "{\"x\": {\"type\": \"tape\"}}", "there is no type \"tape\""),
        ("--config", "/no/such/file", "/no/such/file"),
        ("--base-dir", "/no/such/folder", "/no/such/folder"),
        ("--name", "a/b", "can be no cutter's name"),
        ("--listen", "nowhere", "--listen"),
    ] {
        let (status, text) = complaint(&with(flag, value)).await;
        assert_eq!(status, Some(2), "{text}");
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!(complaint(&["--nonsense"]).await.0, Some(2));
}
