//! Where the list of nodes comes from.

use common::test_util::database;

use crate::support::here::Here;
use crate::support::peer::FakePeer;
use crate::support::{HOUR, path};

/// Two nodes that have a segment each, and the paths of both.
fn two_nodes() -> ([FakePeer; 2], [String; 2]) {
    let paths = ["a", "b"].map(|text| path(HOUR, "00:00.000000", text));
    let peers =
        [FakePeer::with([(paths[0].clone(), "a")]), FakePeer::with([(paths[1].clone(), "b")])];
    (peers, paths)
}

#[tokio::test]
async fn a_file_lists_nodes() {
    let (peers, paths) = two_nodes();
    let here = Here::new().with(&["--localhost=me"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let own = FakePeer::with([(path(HOUR, "00:00.000000", "c"), "c")]);
    let lines = format!("# nodes\n{}\nnode-b {}\nme {}\n", peers[0].url, peers[1].url, own.url);
    std::fs::write(file.path(), lines).unwrap();
    let argument = format!("--node-file={}", file.path().display());
    let here = here.with(&[&argument]);
    here.run_once().await.unwrap();
    let mut expected = paths.to_vec();
    expected.sort();
    assert_eq!(here.files(), expected);
    assert!(own.requests("").is_empty(), "this node does not ask itself");
}

#[tokio::test]
async fn the_database_lists_nodes() {
    let (peers, paths) = two_nodes();
    let database = database::fresh().await;
    let here = Here::new().with(&["--node-database", database.url().as_str()]);
    // whoever comes first makes the tables
    here.run_once().await.unwrap();
    database
        .execute(&format!(
            "INSERT INTO nodes (name, url, backfill_from) VALUES
                 ('a', '{}', true), ('b', '{}', false), ('c', 'nonsense', true)",
            peers[0].url, peers[1].url
        ))
        .await;
    // c cannot be asked
    here.run_once().await.unwrap_err();
    assert_eq!(here.files(), [paths[0].clone()]);
    assert!(peers[1].requests("").is_empty(), "it is not to be copied from");
}

#[tokio::test]
async fn a_list_that_cannot_be_had_stops_nothing() {
    let (peers, paths) = two_nodes();
    let timeout = std::time::Duration::from_millis(200);
    let here = Here::new().asking_a_database_for(timeout).from(&[&peers[0]]).with(&[
        "--node-database=postgres://me@127.0.0.1:1/wub",
        "--node-file=/does/not/exist",
        "--interval=0.1",
    ]);
    let running = here.start();
    here.until_there(&paths[0]).await;
    let metrics = &running.context.metrics;
    crate::support::here::until("the failure is counted", || {
        metrics.render().contains("\nnode_list_errors_total 2\n")
    })
    .await;
    running.stop().await.unwrap();
}
