//! What clients cannot do to a server.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use super::super::accept::{Incoming, Open};
use super::super::limits::{BODY_PAUSE, HEADERS_WITHIN, MAX_HEADER_BYTES, TAKE_PAUSE};
use super::super::metrics::ConnectionMetrics;
use super::super::{FileRange, Limits, bind};
use super::{Running, Still, rest, text};
use crate::metrics::Metrics;

const GET: &str = "GET / HTTP/1.1\r\nhost: here\r\n\r\n";

fn small() -> Router {
    Router::new().route("/", get(async || "small"))
}

/// Reads one answer of [`small`].
async fn read_answer(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"small") {
        assert_ne!(client.read_buf(&mut answer).await.unwrap(), 0);
    }
    text(&answer).to_owned()
}

#[tokio::test(start_paused = true)]
async fn headers_must_come_whatever_their_bytes_do() {
    let still = Still::new();
    let server = Running::new(small());
    let begun = Instant::now();
    let mut client = server.ask(GET).await;
    read_answer(&mut client).await;
    client.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
    drop(still);
    let (mut reading, mut writing) = client.split();
    let drip = async {
        while writing.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let mut answer = Vec::new();
    tokio::select! { () = drip => {}, _ = reading.read_to_end(&mut answer) => {} }
    assert_eq!(begun.elapsed().as_secs(), HEADERS_WITHIN.as_secs());
    server.until("http_connections_timed_out_total{waiting_for=\"headers\"} 1").await;
    server.until("http_connections_open 0").await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_idles_only_for_so_long() {
    let still = Still::new();
    let server = Running::new(small());
    let mut never_used = TcpStream::connect(server.address).await.unwrap();
    let mut kept_alive = server.ask(GET).await;
    read_answer(&mut kept_alive).await;
    let begun = Instant::now();
    drop(still);
    tokio::time::sleep(HEADERS_WITHIN / 2).await;
    let still = Still::new();
    kept_alive.write_all(GET.as_bytes()).await.unwrap();
    read_answer(&mut kept_alive).await;
    drop(still);
    assert!(rest(&mut never_used).await.is_empty());
    assert_eq!(begun.elapsed().as_secs(), HEADERS_WITHIN.as_secs());
    assert!(rest(&mut kept_alive).await.is_empty());
    assert_eq!(begun.elapsed().as_secs(), HEADERS_WITHIN.as_secs() * 3 / 2);
    server.until("http_connections_open 0").await;
    assert!(server.shows("http_connections_timed_out_total{waiting_for=\"headers\"} 0"));
}

#[tokio::test]
async fn headers_are_bounded() {
    let server = Running::new(small());
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(MAX_HEADER_BYTES));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(1000));
    for request in [long, many] {
        let answer = server.answer(&request).await;
        assert!(text(&answer).starts_with("HTTP/1.1 431 "), "{}", text(&answer));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    let still = Still::new();
    let (arrived, mut arrivals) = tokio::sync::mpsc::channel(1);
    let upload = async move |request: Request| {
        let mut body = request.into_body().into_data_stream();
        while let Some(Ok(_)) = body.next().await {
            arrived.send(()).await.unwrap();
        }
        "given up"
    };
    let server = Running::new(Router::new().route("/", post(upload)));
    let mut client = server.ask("POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\na").await;
    arrivals.recv().await.unwrap();
    drop(still);
    tokio::time::sleep(BODY_PAUSE * 2 / 3).await;
    let still = Still::new();
    client.write_all(b"b").await.unwrap();
    arrivals.recv().await.unwrap();
    drop(still);
    let last = Instant::now();
    let answer = rest(&mut client).await;
    assert!(answer.ends_with(b"given up"), "{}", text(&answer));
    assert_eq!(last.elapsed().as_secs(), BODY_PAUSE.as_secs());
    assert!(server.shows("http_connections_timed_out_total{waiting_for=\"body\"} 1"));
}

/// Routes with an answer that never ends, and what tells when it is dropped.
fn endless() -> (Router, oneshot::Receiver<Infallible>) {
    let (dropped, told) = oneshot::channel();
    let dropped = Arc::new(Mutex::new(Some(dropped)));
    let handler = async move |_: Request| {
        let dropped = dropped.lock().unwrap().take();
        Body::from_stream(stream::repeat_with(move || {
            let _held = &dropped;
            io::Result::Ok(Bytes::from_static(&[0; 16 * 1024]))
        }))
    };
    (Router::new().route("/", get(handler)), told)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_given_up() {
    let still = Still::new();
    let (routes, dropped) = endless();
    let server = Running::new(routes);
    let begun = Instant::now();
    let mut client = server.ask(GET).await;
    client.read_u8().await.unwrap();
    drop(still);
    dropped.await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), TAKE_PAUSE.as_secs());
    assert!(server.shows("http_connections_timed_out_total{waiting_for=\"answer\"} 1"));
}

/// How much a slow client takes within [`TAKE_PAUSE`], in parts of this many: 20 KB a second.
const SLOW_PARTS: u32 = 60;

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_little_but_steadily_is_kept() {
    const PART_BYTES: usize = 20_000;
    // only what is read here makes time go on
    let _still = Still::new();
    let file = Arc::new(tempfile::tempfile().unwrap());
    file.set_len(1 << 30).unwrap();
    let whole = async move || FileRange { file: Arc::clone(&file), start: 0, length: 1 << 30 };
    for routes in [endless().0, Router::new().route("/", get(whole))] {
        let server = Running::new(routes);
        let mut client = server.ask(GET).await;
        let mut part = vec![0; PART_BYTES];
        for _ in 0..10 * SLOW_PARTS {
            client.read_exact(&mut part).await.unwrap();
            tokio::time::advance(TAKE_PAUSE / SLOW_PARTS).await;
            // what the kernel then asks for is handed to it
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
        assert!(server.shows("http_connections_timed_out_total{waiting_for=\"answer\"} 0"));
        for _ in 0..=SLOW_PARTS {
            tokio::time::advance(TAKE_PAUSE / SLOW_PARTS).await;
        }
        server.until("http_connections_timed_out_total{waiting_for=\"answer\"} 1").await;
    }
}

#[tokio::test]
async fn a_client_that_goes_away_stops_what_it_waits_for() {
    // what it sends ahead is in the way of its end
    for (ahead, half) in [("", true), ("", false), ("G", true), ("G", false), (GET, false)] {
        let (dropped, told) = oneshot::channel::<Infallible>();
        let (arrived, arrival) = oneshot::channel();
        let held = Arc::new(Mutex::new(Some((dropped, arrived))));
        let handler = async move || {
            let (_dropped, arrived) = held.lock().unwrap().take().unwrap();
            arrived.send(()).unwrap();
            std::future::pending::<()>().await;
        };
        let server = Running::new(Router::new().route("/", get(handler)));
        let mut client = server.ask(&(GET.to_owned() + ahead)).await;
        arrival.await.unwrap();
        if half {
            client.shutdown().await.unwrap();
        } else {
            drop(client);
        }
        told.await.unwrap_err();
        server.until("http_connections_open 0").await;
    }
}

/// What a client gets that looks for an answer only after it has sent megabytes.
async fn answer_after_megabytes(server: &Running) -> Vec<u8> {
    let mut client = server.ask("POST / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n").await;
    client.write_all(&vec![b'x'; 4 << 20]).await.unwrap();
    rest(&mut client).await
}

#[tokio::test]
async fn an_answer_reaches_a_client_that_sends_on() {
    let early = async || (StatusCode::PAYLOAD_TOO_LARGE, "too large");
    let server = Running::new(Router::new().route("/", post(early)));
    let answer = answer_after_megabytes(&server).await;
    assert!(answer.starts_with(b"HTTP/1.1 413 ") && answer.ends_with(b"too large"));
}

/// A connection from another client than the usual one, on which `request` was sent.
async fn ask_as_another(server: &Running, request: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 2], 0).into()).unwrap();
    let mut client = socket.connect(server.address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

#[tokio::test]
async fn beyond_the_limit_clients_are_told_so() {
    for (limits, reason) in [
        (Limits { connections: 1, per_client: 1, refusals: 1 }, "full"),
        (Limits { connections: 9, per_client: 1, refusals: 1 }, "client"),
    ] {
        let server = Running::with_limits(small(), limits);
        let mut first = server.ask(GET).await;
        read_answer(&mut first).await;
        let answer = server.answer(GET).await;
        let answer = text(&answer);
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("retry-after: 5\r\n") && answer.contains("connection: close\r\n"));
        assert!(server.shows(&format!("http_connections_refused_total{{reason=\"{reason}\"}} 1")));
        server.until("http_connections_open 1").await;
        drop(first);
        server.until("http_connections_open 0").await;
        assert!(read_answer(&mut server.ask(GET).await).await.starts_with("HTTP/1.1 200 "));
    }
}

#[tokio::test]
async fn clients_that_are_refused_learn_of_it_whatever_they_send() {
    let server =
        Running::with_limits(small(), Limits { connections: 0, per_client: 0, refusals: 1 });
    let answer = answer_after_megabytes(&server).await;
    assert!(answer.starts_with(b"HTTP/1.1 503 ") && answer.ends_with(b"try again later\n"));
}

#[tokio::test(start_paused = true)]
async fn clients_that_are_refused_are_soon_forgotten() {
    let server =
        Running::with_limits(small(), Limits { connections: 0, per_client: 0, refusals: 1 });
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let answer = rest(&mut client).await;
    assert!(text(&answer).starts_with("HTTP/1.1 503 "), "it is told before it has asked");
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.until("http_connections_open 0").await;
}

#[tokio::test(start_paused = true)]
async fn silent_clients_keep_nobody_waiting() {
    // so nothing ends because of its time
    let _still = Still::new();
    let limits = Limits { connections: 4, per_client: 2, refusals: 2 };
    let server = Running::with_limits(small(), limits);
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    assert!(read_answer(&mut ask_as_another(&server, GET).await).await.contains("200 OK"));
    assert!(server.shows("http_connections_refused_total{reason=\"client\"} 98"));
    // of the refusals one client has its share as well, and whoever comes then is told at once
    let answer = rest(&mut silent[99]).await;
    assert!(text(&answer).starts_with("HTTP/1.1 503 "), "{}", text(&answer));
    server.until("http_connections_open 3").await;
}

/// Fails some times for want of files, then has one connection.
struct Poor {
    outcomes: Mutex<VecDeque<io::Result<(TcpStream, SocketAddr)>>>,
    /// From the connection on.
    still: Mutex<Option<Still>>,
}

impl Incoming for Poor {
    fn poll_accept(&self, _: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let outcome = self.outcomes.lock().unwrap().pop_front();
        if outcome.as_ref().is_some_and(Result::is_ok) {
            *self.still.lock().unwrap() = Some(Still::new());
        }
        outcome.map_or(Poll::Pending, Poll::Ready)
    }
}

#[tokio::test(start_paused = true)]
async fn failing_to_accept_neither_spins_nor_ends_the_server() {
    let listener = bind(([127, 0, 0, 1], 0).into()).unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let none_left = || Err(io::Error::from_raw_os_error(24));
    let broken_off = Err(io::ErrorKind::ConnectionAborted.into());
    let outcomes = [none_left(), none_left(), broken_off, listener.accept().await];
    let poor = Poor { outcomes: Mutex::new(outcomes.into()), still: Mutex::default() };
    let stop = CancellationToken::new();
    let metrics = ConnectionMetrics::new(&Metrics::empty());
    let mut open = Open::new(Limits::of_process(), metrics, small(), stop.clone());
    let begun = Instant::now();
    let asked = async {
        client.write_all(GET.as_bytes()).await.unwrap();
        read_answer(&mut client).await
    };
    tokio::select! {
        () = open.accept_from(&poor, &stop) => panic!("it ends"),
        answer = asked => assert!(answer.contains("small")),
    }
    assert_eq!(begun.elapsed().as_secs(), 2, "a pause each time that there were no files");
}
