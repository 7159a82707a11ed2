//! Copying capture notes and other plain trees.

use crate::support::here::{Here, SOON};
use crate::support::peer::{FakePeer, Reply};
use crate::support::{HOUR, path};

fn notes(node: &str) -> String {
    format!("notes/{node}/chan/source/{HOUR}.jsonl")
}

#[tokio::test]
async fn notes_grow_by_what_is_new() {
    let peer = FakePeer::with([(notes("b"), "{\"kind\":\"missing\"}\n{\"ki")]);
    let here = Here::at("2026-11-20T10:30").from(&[&peer]).with(&["--localhost=a"]);
    here.run_once().await.unwrap();
    assert_eq!(here.everything()[&format!("base/{}", notes("b"))], "{\"kind\":\"missing\"}\n");

    peer.put(notes("b"), "{\"kind\":\"missing\"}\n{\"kind\":\"discontinuity\"}\n");
    here.run_once().await.unwrap();
    let whole = "{\"kind\":\"missing\"}\n{\"kind\":\"discontinuity\"}\n";
    assert_eq!(here.everything()[&format!("base/{}", notes("b"))], whole);
    let asked = peer.requests(&format!("segments/{}", notes("b")));
    assert_eq!(asked[1], format!("segments/{} bytes=19-", notes("b")), "from our own length on");

    here.run_once().await.unwrap();
    assert_eq!(here.everything()[&format!("base/{}", notes("b"))], whole, "nothing new");
}

#[tokio::test]
async fn a_node_that_knows_no_ranges_serves_too() {
    let peer = FakePeer::with([(notes("b"), "1\n2\n3\n")]);
    peer.reply(format!("segments/{}", notes("b")), Reply::Whole);
    let here = Here::new().from(&[&peer]);
    here.put(&notes("b"), "1\n");
    here.run_once().await.unwrap();
    assert_eq!(here.everything()[&format!("base/{}", notes("b"))], "1\n2\n3\n");
}

#[tokio::test]
async fn another_part_than_was_asked_for_is_not_taken() {
    let peer = FakePeer::with([(notes("b"), "1\n2\n3\n")]);
    peer.reply(format!("segments/{}", notes("b")), Reply::WrongRange);
    let here = Here::new().from(&[&peer]);
    here.put(&notes("b"), "1\n");
    here.run_once().await.unwrap_err();
    assert_eq!(here.everything()[&format!("base/{}", notes("b"))], "1\n");
}

#[tokio::test]
async fn notes_do_not_wait_for_the_hours() {
    let peer = FakePeer::with([(notes("b"), "1\n"), (path(HOUR, "00:00.0", "a"), "a")]);
    peer.reply(format!("files/chan/source/{HOUR}"), Reply::Silence);
    let here = Here::new().from(&[&peer]).waiting_for(SOON);
    let running = here.start();
    here.until_there(&notes("b")).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_longer_copy_and_our_own_notes_stay_as_they_are() {
    let peer =
        FakePeer::with([(notes("b"), "1\n"), (notes("a"), "1\n2\n3\n"), (notes("c"), "1\n2\n")]);
    let here = Here::new().from(&[&peer]).with(&["--localhost=a"]);
    here.put(&notes("a"), "1\n");
    here.put(&notes("b"), "1\n2\n");
    here.run_once().await.unwrap();
    let texts: Vec<String> = here.everything().into_values().collect();
    assert_eq!(texts, ["1\n", "1\n2\n", "1\n2\n"]);
}

#[tokio::test]
async fn several_nodes_bring_the_same_notes_once() {
    let peers = [(); 3].map(|()| FakePeer::with([(notes("d"), "1\n2\n3\n")]));
    let here = Here::new().from(&[&peers[0], &peers[1], &peers[2]]);
    here.put(&notes("d"), "1\n");
    here.run_once().await.unwrap();
    assert_eq!(here.everything()[&format!("base/{}", notes("d"))], "1\n2\n3\n");
}

#[tokio::test]
async fn other_trees_are_copied_as_they_are() {
    let peer = FakePeer::with([("pictures/a b/1.png", "one"), ("pictures/2.png", "two")]);
    let here = Here::new().from(&[&peer]).with(&["--extras=pictures"]);
    here.run_once().await.unwrap();
    assert_eq!(here.files(), ["pictures/2.png", "pictures/a b/1.png"]);
    assert_eq!(here.everything()["base/pictures/a b/1.png"], "one");
    let fetched = peer.requests("segments/").len();
    here.run_once().await.unwrap();
    assert_eq!(peer.requests("segments/").len(), fetched);
}

#[tokio::test]
async fn a_tree_that_fails_keeps_nothing_else_from_being_copied() {
    let peer = FakePeer::with([("pictures/1", "one"), ("pictures/2", "two")]);
    peer.reply("segments/pictures/1", Reply::Status(404));
    peer.reply("extras/notes", Reply::Status(500));
    let here = Here::new().from(&[&peer]).with(&["--extras=notes,pictures"]);
    here.run_once().await.unwrap_err();
    assert_eq!(here.files(), ["pictures/2"]);
    peer.repent("segments/pictures/1");
    // a node that has no such folders at all
    peer.reply("extras/notes", Reply::Status(404));
    here.run_once().await.unwrap();
    assert_eq!(here.files(), ["pictures/1", "pictures/2"]);
}
