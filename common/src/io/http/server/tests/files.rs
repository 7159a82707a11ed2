//! Files, sent without passing through this process.

use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Weak};

use axum::Router;
use axum::body::HttpBody;
use axum::extract::Path;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::FileRange;
use super::super::file::Outgoing;
use super::super::transfer::{Link, WINDOW_BYTES};
use super::{Running, body, rest, text};

/// A file that has no name, and its bytes.
fn random_file(length: usize) -> (Arc<File>, Vec<u8>) {
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(length as u64).fill_bytes(&mut bytes);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    (Arc::new(file), bytes)
}

/// Serves parts of `file` at `/START/LENGTH`, holding it only while it is being sent.
fn parts_of(file: &Arc<File>) -> Router {
    let file = Arc::downgrade(file);
    let part = async move |Path((start, length)): Path<(u64, u64)>| FileRange {
        file: Weak::upgrade(&file).unwrap(),
        start,
        length,
    };
    Router::new().route("/{start}/{length}", get(part)).route("/", get(async || "small"))
}

fn part(start: usize, length: usize) -> String {
    format!("GET /{start}/{length} HTTP/1.1\r\nhost: here\r\n\r\n")
}

/// The body of the next answer on `client`, which is this long.
async fn next_body(client: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    assert!(text(&head).contains(&format!("content-length: {length}\r\n")), "{}", text(&head));
    let mut body = vec![0; length];
    client.read_exact(&mut body).await.unwrap();
    body
}

#[tokio::test]
async fn every_part_is_the_same_bytes() {
    let (file, bytes) = random_file(3 * WINDOW_BYTES + 12_345);
    let server = Running::new(parts_of(&file));
    let mut client = server.ask("").await;
    let mut random = StdRng::seed_from_u64(1);
    let all = [(0, bytes.len()), (0, 0), (0, 1), (bytes.len() - 1, 1)];
    let whole_windows = [(0, WINDOW_BYTES), (1, WINDOW_BYTES), (1, 2 * WINDOW_BYTES)];
    let random_parts = (0..40).map(|_| {
        let start = random.random_range(0..bytes.len());
        (start, random.random_range(0..=bytes.len() - start))
    });
    for (start, length) in all.into_iter().chain(whole_windows).chain(random_parts) {
        client.write_all(part(start, length).as_bytes()).await.unwrap();
        let read = next_body(&mut client, length).await;
        assert!(read == bytes[start..start + length], "{length} bytes from {start} on");
    }
}

#[tokio::test]
async fn what_only_the_disk_has_is_sent_too() {
    let (file, bytes) = random_file(3 * WINDOW_BYTES + 5);
    let server = Running::new(parts_of(&file));
    file.sync_all().unwrap();
    for start in [0, WINDOW_BYTES / 2] {
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        let length = bytes.len() - start;
        let mut client = server.ask(&part(start, length)).await;
        assert!(next_body(&mut client, length).await == bytes[start..]);
    }
}

#[tokio::test]
async fn requests_in_one_go_are_answered_in_order() {
    let (file, bytes) = random_file(2 * WINDOW_BYTES);
    let server = Running::new(parts_of(&file));
    let parts = [(0, 10), (5, bytes.len() - 5), (7, 0), (100, WINDOW_BYTES), (3, 100_000)];
    let small = "GET / HTTP/1.1\r\nhost: here\r\n\r\n";
    let requests = parts.map(|(start, length)| part(start, length) + small);
    let mut client = server.ask(&requests.concat()).await;
    for (start, length) in parts {
        assert!(next_body(&mut client, length).await == bytes[start..start + length]);
        assert_eq!(next_body(&mut client, 5).await, b"small");
    }
}

#[tokio::test]
async fn headers_alone_take_nothing_of_the_file() {
    let (file, bytes) = random_file(WINDOW_BYTES);
    let server = Running::new(parts_of(&file));
    let head = part(0, bytes.len()).replace("GET", "HEAD");
    let mut client = server.ask(&(head + &part(1, 5))).await;
    let mut answer = vec![0; 1000];
    let mut read = 0;
    while !answer[..read].ends_with(&bytes[1..6]) {
        read += client.read(&mut answer[read..]).await.unwrap();
    }
    let head = text(answer[..read].split(|byte| *byte == b'\r').nth(1).unwrap());
    assert!(answer.starts_with(b"HTTP/1.1 200 ") && !head.is_empty());
}

#[tokio::test]
async fn a_client_that_goes_away_gives_back_the_file() {
    let (file, bytes) = random_file(64 << 20);
    let server = Running::new(parts_of(&file));
    let mut client = server.ask(&part(0, bytes.len())).await;
    client.read_u8().await.unwrap();
    let held = Arc::downgrade(&file);
    drop(file);
    assert!(held.upgrade().is_some(), "it is still being sent");
    drop(client);
    server.until("http_connections_open 0").await;
    assert!(held.upgrade().is_none());
}

#[tokio::test]
async fn a_file_is_held_until_its_last_byte_was_sent_and_no_longer() {
    let (file, bytes) = random_file(64 << 20);
    let server = Running::new(parts_of(&file));
    let mut client = server.ask(&part(0, bytes.len())).await;
    let held = Arc::downgrade(&file);
    client.read_u8().await.unwrap();
    drop(file);
    assert!(next_body(&mut client, bytes.len()).await == bytes);
    while held.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
    assert!(server.shows("http_connections_open 1"), "the connection is kept, the file is not");
}

#[tokio::test]
async fn a_file_that_shrinks_ends_its_answer_and_nothing_else() {
    let (file, bytes) = random_file(64 << 20);
    let server = Running::new(parts_of(&file));
    let mut client = server.ask(&part(0, bytes.len())).await;
    client.read_u8().await.unwrap();
    file.set_len(1000).unwrap();
    let mut answer = b"H".to_vec();
    answer.extend(rest(&mut client).await);
    let sent = body(&answer);
    assert!(sent.len() < bytes.len());
    server.until("http_connections_open 0").await;
    let mut client = server.ask(&part(0, 1000)).await;
    assert!(next_body(&mut client, 1000).await == bytes[..1000]);
}

#[tokio::test]
async fn a_file_that_cannot_be_sent_directly_is_read() {
    // sendfile(2) says EINVAL to it
    let file = Arc::new(File::open("/proc/self/cmdline").unwrap());
    let bytes = std::fs::read("/proc/self/cmdline").unwrap();
    let server = Running::new(parts_of(&file));
    let mut client = server.ask(&part(1, bytes.len() - 1)).await;
    assert_eq!(next_body(&mut client, bytes.len() - 1).await, bytes[1..]);
}

#[test]
fn only_an_answer_that_is_still_the_file_is_sent_as_one() {
    let (file, _) = random_file(10);
    let link = Arc::new(Link::default());
    let answer = || FileRange { file: Arc::clone(&file), start: 0, length: 10 }.into_response();
    let is_sent = |response| matches!(Outgoing::of(response, &link).into_body(), Outgoing::Sent(_));
    assert!(is_sent(answer()));
    let mut encoded = answer();
    encoded.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
    assert!(!is_sent(encoded));
    let mut without_length = answer();
    without_length.headers_mut().remove(header::CONTENT_LENGTH);
    assert!(!is_sent(without_length));
    assert!(!is_sent(answer().map(|_| axum::body::Body::empty())), "as for HEAD");
}

#[tokio::test]
async fn without_this_server_the_file_is_read() {
    let (file, bytes) = random_file(1000);
    let answer = FileRange { file, start: 10, length: 900 }.into_response();
    assert_eq!(answer.body().size_hint().exact(), None);
    let read = axum::body::to_bytes(answer.into_body(), 1000).await.unwrap();
    assert_eq!(read, bytes[10..910]);
}
