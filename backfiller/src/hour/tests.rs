use axum::Router;
use axum::routing::get;
use common::base::hash::ContentHash;
use common::format::segment::{Completeness, MediaDuration, SegmentName, Tail};
use common::io::http::server;
use common::service::CancellationToken;

use super::*;
use crate::node::Node;
use crate::shared::tests::shared;

#[tokio::test]
async fn an_hour_that_is_not_over_is_not_settled() {
    let (_base, shared) = shared(&[]);
    let now = shared.clock.now();
    let tail = Tail::Published(Completeness::Full, ContentHash::of(b""));
    let name = SegmentName::new(now, MediaDuration::ZERO, tail).to_string();
    let listing = serde_json::to_string(&[name]).unwrap();
    let listener = server::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().route("/files/{c}/{q}/{h}", get(async move || listing));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(server::serve(listener, routes, CancellationToken::new()));

    let node = Node::at(&address).unwrap();
    let peer = Peer::new(node, shared.client.clone(), shared.config.limits);
    let feed = shared.config.feeds[0].clone();
    let target = Target { hour: now.hour(), feed };
    let report = bring_up_to_date(&shared, &peer, &mut Memory::default(), &target).await;
    assert_eq!(report, HourReport { recent: 1, ..HourReport::default() });
    assert!(!report.is_settled(), "it is to be looked at again soon");
    assert!(HourReport { put_off: 1, ..HourReport::default() }.is_settled());
}
