//! How a server ends.

use axum::Router;
use axum::routing::get;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::super::DRAIN_WITHIN;
use super::{Running, Still, rest, text};

/// Routes whose handler tells that it runs, and waits until it may answer.
fn waiting() -> (Router, tokio::sync::mpsc::Receiver<()>, std::sync::Arc<tokio::sync::Notify>) {
    let (arrived, arrivals) = tokio::sync::mpsc::channel(1);
    let go = std::sync::Arc::new(tokio::sync::Notify::new());
    let gone = std::sync::Arc::clone(&go);
    let handler = async move || {
        arrived.send(()).await.unwrap();
        gone.notified().await;
        "done"
    };
    (Router::new().route("/", get(handler)), arrivals, go)
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_long_does_not_keep_the_server() {
    let still = Still::new();
    let (routes, mut arrivals, _go) = waiting();
    let mut server = Running::new(routes);
    let mut client = server.ask("GET / HTTP/1.1\r\nhost: here\r\n\r\n").await;
    arrivals.recv().await.unwrap();
    drop(still);
    let stopped = Instant::now();
    server.stop.cancel();
    server.tasks.join_next().await.unwrap().unwrap();
    assert_eq!(stopped.elapsed(), DRAIN_WITHIN);
    assert!(rest(&mut client).await.is_empty(), "its client learns that it is broken off");
    assert!(server.shows("http_connections_open 0"));
}

#[tokio::test(start_paused = true)]
async fn a_request_under_way_is_answered_and_an_idle_connection_closed() {
    // so whatever would only end with time never does
    let _still = Still::new();
    let (routes, mut arrivals, go) = waiting();
    let mut server = Running::new(routes);
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    let mut client = server.ask("GET / HTTP/1.1\r\nhost: here\r\n\r\n").await;
    arrivals.recv().await.unwrap();
    server.stop.cancel();
    assert!(rest(&mut idle).await.is_empty());
    assert!(TcpStream::connect(server.address).await.is_err(), "nothing more is accepted");
    go.notify_one();
    let answer = rest(&mut client).await;
    assert!(text(&answer).contains("connection: close"), "{}", text(&answer));
    assert!(answer.ends_with(b"done"));
    server.tasks.join_next().await.unwrap().unwrap();
}
