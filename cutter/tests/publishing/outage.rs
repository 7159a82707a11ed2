//! A database that goes away and comes back, at any moment of a run.

use std::pin::pin;
use std::time::Duration;

use common::io::db::EventState;
use common::metrics::Metrics;
use common::service::CancellationToken;
use common::test_util::database_proxy::DatabaseProxy;
use tokio::time::timeout;

use crate::installation::{Installation, PATIENCE, edit, poll_times};

/// More moments than a run has; the test fails if that is ever not so.
const TOO_MANY: usize = 2_000;

/// What happens on the way to the database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outage {
    /// Nothing gets through.
    Cut,
    /// What is asked is done, but the answer is lost.
    AnswerLost,
}

#[tokio::test]
async fn an_outage_at_any_even_moment_is_survived_without_a_restart() {
    survives(Outage::Cut, 0).await;
}

#[tokio::test]
async fn an_outage_at_any_odd_moment_is_survived_without_a_restart() {
    survives(Outage::Cut, 1).await;
}

#[tokio::test]
async fn answers_lost_at_any_even_moment_are_survived_without_a_restart() {
    survives(Outage::AnswerLost, 0).await;
}

#[tokio::test]
async fn answers_lost_at_any_odd_moment_are_survived_without_a_restart() {
    survives(Outage::AnswerLost, 1).await;
}

/// Every other moment from `first` on, so that no test takes too long.
async fn survives(outage: Outage, first: usize) {
    let node = Installation::new().await;
    let mut way = DatabaseProxy::cut_off(&node.test);
    way.mend();
    for times in (first..TOO_MANY).step_by(2) {
        let id = format!("event {times}");
        node.submit(&id, &edit(), None).await;
        let cutter = node.cutter_by_way_of("a", way.url(), &Metrics::empty());
        let stop = CancellationToken::new();
        let mut run = pin!(cutter.run(&stop));
        poll_times(run.as_mut(), times).await;
        if outage == Outage::AnswerLost {
            // before anything else runs: what was just asked is on its way
            way.lose_answers();
        }
        let state = format!("SELECT state FROM events WHERE id = '{id}'");
        let was_done = node.test.value(&state).await.as_deref() == Some("DONE");
        // it goes on without, as far as it gets
        if outage == Outage::AnswerLost {
            let _ = timeout(Duration::from_millis(15), run.as_mut()).await;
        }
        way.cut().await;
        let _ = timeout(Duration::from_millis(15), run.as_mut()).await;
        way.mend();
        let done = async {
            node.reaches(&id, EventState::Done).await;
            stop.cancel();
        };
        tokio::join!(async { run.await.unwrap() }, done);
        node.assert_published_once(&id).await;
        if was_done {
            return;
        }
    }
    panic!("a run has more moments than {TOO_MANY}");
}

#[tokio::test]
async fn a_cutter_starts_before_its_database() {
    let node = Installation::new().await;
    node.submit("e", &edit(), None).await;
    let mut way = DatabaseProxy::cut_off(&node.test);
    let cutter = node.cutter_by_way_of("a", way.url(), &Metrics::empty());
    let stop = CancellationToken::new();
    let mut run = pin!(cutter.run(&stop));
    assert!(timeout(Duration::from_millis(300), run.as_mut()).await.is_err());
    way.mend();
    let done = async {
        node.reaches("e", EventState::Done).await;
        stop.cancel();
    };
    tokio::join!(async { run.await.unwrap() }, done);
}

#[tokio::test]
async fn a_cutter_stops_without_its_database() {
    let node = Installation::new().await;
    let way = DatabaseProxy::cut_off(&node.test);
    let cutter = node.cutter_by_way_of("a", way.url(), &Metrics::empty());
    let stop = CancellationToken::new();
    let mut run = pin!(cutter.run(&stop));
    assert!(timeout(Duration::from_millis(300), run.as_mut()).await.is_err());
    stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap();
}
