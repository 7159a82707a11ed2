//! Several cutters, one database, one folder.

use common::io::db::EventState;
use common::metrics::Metrics;
use common::service::CancellationToken;

use crate::installation::{Installation, edit};

const EVENTS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn three_racing_cutters_publish_each_event_once() {
    let node = Installation::new().await;
    for number in 0..EVENTS {
        node.submit(&number.to_string(), &edit(), None).await;
    }
    let stop = CancellationToken::new();
    let cutters = ["a", "b", "c"].map(|name| node.cutter(name));
    let runs = cutters.iter().map(|cutter| async { cutter.run(&stop).await.unwrap() });
    let all = async {
        for number in 0..EVENTS {
            node.reaches(&number.to_string(), EventState::Done).await;
        }
        stop.cancel();
    };
    tokio::join!(futures_util::future::join_all(runs), all);
    for number in 0..EVENTS {
        node.assert_published_once(&number.to_string()).await;
    }
    let busy = node.test.value("SELECT count(DISTINCT uploader) FROM events").await;
    assert_eq!(busy.as_deref(), Some("3"));
}

/// One starts while the other works: it must not touch what is not its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_cutter_that_starts_leaves_the_others_alone() {
    let node = Installation::new().await;
    for number in 0..EVENTS {
        node.submit(&number.to_string(), &edit(), None).await;
    }
    let stop = CancellationToken::new();
    let worker = node.cutter("a");
    let starters = async {
        for _ in 0..10 {
            let other = node.cutter_by_way_of("b", node.test.url(), &Metrics::empty());
            let stop = CancellationToken::new();
            let stopped_soon = async {
                tokio::task::yield_now().await;
                stop.cancel();
            };
            tokio::join!(async { other.run(&stop).await.unwrap() }, stopped_soon);
        }
    };
    let all = async {
        for number in 0..EVENTS {
            node.reaches(&number.to_string(), EventState::Done).await;
        }
        stop.cancel();
    };
    tokio::join!(async { worker.run(&stop).await.unwrap() }, starters, all);
    for number in 0..EVENTS {
        node.assert_published_once(&number.to_string()).await;
    }
}
