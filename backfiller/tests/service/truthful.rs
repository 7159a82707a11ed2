//! Copying from nodes that tell the truth.

use crate::support::here::{Here, until};
use crate::support::peer::{FakePeer, Reply};
use crate::support::{HOUR, path, segment, tombstone};

#[tokio::test]
async fn everything_is_copied_byte_for_byte_and_only_once() {
    let files = [
        (path("2026-11-20T09", "59:58.000000", "a"), "a"),
        (path(HOUR, "00:00.000000", "b"), "b"),
        (path(HOUR, "00:02.000000", ""), ""),
        (path(HOUR, "00:04.000000", "b").replace("source", "360p"), "b"),
        // names that are not as we would write them stay as they are
        (path(HOUR, "00:06", "c").replace("2.0", "2"), "c"),
    ];
    let peer = FakePeer::with(files.clone());
    let here = Here::new().from(&[&peer]).with(&["--qualities=source,360p"]);
    let (outcome, metrics) = here.run_once_counting().await;
    outcome.unwrap();
    let expected: Vec<(String, String)> =
        files.iter().map(|(path, text)| (format!("base/{path}"), (*text).to_owned())).collect();
    assert_eq!(here.everything(), expected.into_iter().collect());
    let node = peer.url.strip_prefix("http://").unwrap();
    for (name, count) in [
        (
            format!(
                "segments_backfilled_total{{channel=\"chan\",hour=\"{HOUR}\",quality=\"source\",remote=\"{node}\"}}"
            ),
            3,
        ),
        (
            format!(
                "hours_backfilled_total{{channel=\"chan\",quality=\"source\",remote=\"{node}\"}}"
            ),
            2,
        ),
        (format!("backfill_errors_total{{remote=\"{node}\"}}"), 0),
    ] {
        assert!(metrics.contains(&format!("\n{name} {count}\n")), "{name} {count} in {metrics}");
    }

    let fetched = peer.requests("segments/").len();
    here.run_once().await.unwrap();
    assert_eq!(peer.requests("segments/").len(), fetched, "nothing is fetched again");
}

#[tokio::test]
async fn hours_come_newest_first_or_oldest_first() {
    let hours = ["2026-11-19T23", "2026-11-20T00", HOUR, "2026-11-20T09"];
    let files = hours.map(|hour| (path(hour, "00:00.000000", hour), hour));
    for (order, expected) in [("newest", [2, 3, 1, 0]), ("oldest", [0, 1, 3, 2])] {
        let peer = FakePeer::with(files.clone());
        let here = Here::new().from(&[&peer]).with(&["--order", order]);
        here.run_once().await.unwrap();
        let expected = expected.map(|index: usize| format!("segments/{}", files[index].0));
        assert_eq!(peer.requests("segments/"), expected, "{order}");
    }
}

#[tokio::test]
async fn only_what_is_not_too_old_is_copied() {
    let files = ["2026-11-20T08", "2026-11-20T09", HOUR]
        .map(|hour| (path(hour, "00:00.000000", hour), "unused"));
    let peer = FakePeer::with(files.map(|(path, _)| (path, "2026-11-20T09")));
    let here = Here::at("2026-11-20T10:30").from(&[&peer]).with(&["--start=1"]);
    let _incomplete = here.run_once().await;
    assert_eq!(peer.requests("files/chan/source/").len(), 2, "the hour before last is not listed");
    assert_eq!(here.files(), [path("2026-11-20T09", "00:00.000000", "2026-11-20T09")]);
}

#[tokio::test]
async fn what_is_recent_or_unfinished_or_to_come_is_left_alone() {
    let old = path(HOUR, "28:00.000000", "a");
    let peer = FakePeer::with([
        (old.clone(), "a"),
        (path(HOUR, "28:00.000001", "b"), "b"),
        (format!("chan/source/{HOUR}/27:00.000000-2.0-temp-1234.ts"), "c"),
        (path("2026-11-20T11", "00:00.000000", "d"), "d"),
    ]);
    let here = Here::at("2026-11-20T10:30").from(&[&peer]);
    here.run_once().await.unwrap();
    assert_eq!(here.files(), [old]);
    assert_eq!(peer.requests("files/chan/source/").len(), 1, "the hour to come is not listed");
}

#[tokio::test]
async fn tombstones_are_copied_and_heeded() {
    let [ours, theirs, kept] = ["a", "b", "c"].map(|text| segment("00:00.000000", text));
    let at = |name: &str| format!("chan/source/{HOUR}/{name}");
    let other_hour = format!("chan/source/2026-11-20T09/{}", tombstone(&theirs));
    let peer = FakePeer::with([
        (at(&ours), "a"),
        (at(&theirs), "b"),
        (at(&tombstone(&theirs)), ""),
        (at(&kept), "c"),
        // an hour that does not exist here
        (other_hour.clone(), ""),
    ]);
    let here = Here::new().from(&[&peer]);
    here.put(&at(&tombstone(&ours)), "");
    here.run_once().await.unwrap();
    let mut expected = vec![at(&tombstone(&ours)), at(&tombstone(&theirs)), at(&kept), other_hour];
    expected.sort();
    assert_eq!(here.files(), expected);
}

#[tokio::test]
async fn the_same_segment_a_millisecond_away_is_not_copied() {
    let here_too = path(HOUR, "00:00.001000", "a");
    let peer = FakePeer::with([
        (path(HOUR, "00:00.000000", "a"), "a"),
        (path(HOUR, "00:04.000000", "b"), "b"),
        (path(HOUR, "00:04.000500", "b"), "b"),
        (path("2026-11-20T11", "00:00.000000", "c"), "c"),
    ]);
    let here = Here::new().from(&[&peer]);
    here.put(&here_too, "a");
    let before_the_hour = path(HOUR, "59:59.999500", "c");
    here.put(&before_the_hour, "c");
    let (outcome, metrics) = here.run_once_counting().await;
    outcome.unwrap();
    assert_eq!(here.files(), [here_too, path(HOUR, "00:04.000000", "b"), before_the_hour]);
    let small = |hour: &str, count| {
        metrics.lines().any(|line| {
            line.starts_with("small_difference_segments{")
                && line.contains(&format!("hour=\"{hour}\""))
                && line.ends_with(&format!("}} {count}"))
        })
    };
    assert!(small(HOUR, 2) && small("2026-11-20T11", 1), "{metrics}");
}

#[tokio::test]
async fn chat_is_copied_by_its_own_names() {
    let name = segment("x", "hi").replace("x-2.0-full", "09:30").replace(".ts", ".json");
    let batch = format!("chan/chat/{HOUR}/{name}");
    let peer = FakePeer::with([(batch.clone(), "hi")]);
    let here = Here::new().from(&[&peer]).with(&["--qualities=chat"]);
    here.run_once().await.unwrap();
    assert_eq!(here.files(), [batch]);
}

#[tokio::test]
async fn several_nodes_share_the_work() {
    let names: Vec<String> =
        (10..50).map(|second| path(HOUR, &format!("00:{second}.000000"), "a")).collect();
    let files = || names.iter().map(|name| (name.clone(), "a"));
    let peers = [FakePeer::with(files()), FakePeer::with(files())];
    let here = Here::new().from(&[&peers[0], &peers[1]]);
    here.run_once().await.unwrap();
    assert_eq!(here.files(), names);
    let mut fetched: Vec<String> =
        peers.iter().flat_map(|peer| peer.requests("segments/")).collect();
    fetched.sort();
    let expected: Vec<String> = names.iter().map(|name| format!("segments/{name}")).collect();
    assert_eq!(fetched, expected, "each once");
}

#[tokio::test]
async fn what_one_node_fails_to_give_comes_from_another() {
    let name = path(HOUR, "00:00.000000", "a");
    let [good, bad] =
        [FakePeer::with([(name.clone(), "a")]), FakePeer::with([(name.clone(), "a")])];
    bad.reply(format!("segments/{name}"), Reply::Silence);
    let here = Here::new().from(&[&bad, &good]);
    let _incomplete = here.run_once().await;
    assert_eq!(here.files(), [name]);
}

#[tokio::test]
async fn a_running_service_follows_and_stops_at_once() {
    let [first, second, third] = [("00:00.0", "a"), ("00:02.0", "b"), ("00:04.0", "c")]
        .map(|(start, text)| path(HOUR, start, text));
    let peer = FakePeer::with([(first.clone(), "a")]);
    let here = Here::new().from(&[&peer]).with(&["--interval=0.1"]);
    let running = here.start();
    here.until_there(&first).await;
    peer.put(&second, "b");
    here.until_there(&second).await;
    peer.reply(format!("segments/{third}"), Reply::Stall("c"));
    peer.put(&third, "c");
    until("the third is being fetched", || here.files().len() == 3).await;
    running.stop().await.unwrap();
    let expected = [first, second];
    until("nothing half-written is left", || here.files() == expected).await;
}

#[tokio::test]
async fn what_was_removed_without_a_tombstone_comes_back() {
    let name = path(HOUR, "00:00.000000", "a");
    let peer = FakePeer::with([(name.clone(), "a")]);
    let here = Here::new().from(&[&peer]).with(&["--interval=0.1"]);
    let running = here.start();
    here.until_there(&name).await;
    std::fs::remove_file(here.base().join(&name)).unwrap();
    here.until_there(&name).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_disk_that_refuses_is_an_error_and_not_the_end() {
    let [blocked, fine] = [HOUR, "2026-11-20T09"].map(|hour| path(hour, "00:00.000000", "a"));
    let peer = FakePeer::with([(blocked.clone(), "a"), (fine.clone(), "a")]);
    let here = Here::new().from(&[&peer]);
    // a file where the hour's folder should be
    here.put(&format!("chan/source/{HOUR}"), "");
    here.run_once().await.unwrap_err();
    assert!(here.files().contains(&fine));
}

#[tokio::test]
async fn a_service_without_nodes_waits_for_some() {
    let here = Here::new().with(&["--static-nodes="]);
    here.run_once().await.unwrap();
    here.start().stop().await.unwrap();
}
