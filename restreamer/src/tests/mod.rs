//! The restreamer as its clients see it: served on a port of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::TimeDelta;
use common::base::time::{Hour, Timestamp};
use common::format::segment::{Completeness, MediaDuration};
use common::io::http::client::{Client, Options};
use common::io::store::{Access, Feed, Store};
use common::metrics::Metrics;
use common::service::{self, Context};
use common::test_util::TestClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::app::App;

mod bad_requests;
mod chat;
mod cuts;
mod files;
mod limits;
mod listings;
mod live;
mod live_random;
mod media;
mod pictures;
mod players;
mod playlists;

/// A store that is being served. All its times are seconds from ten o'clock; it is noon.
struct Served {
    base: tempfile::TempDir,
    store: Store,
    address: SocketAddr,
    client: Client,
    _context: Context,
}

fn at(seconds: i64) -> Timestamp {
    "2026-11-20T10".parse::<Hour>().unwrap().start() + TimeDelta::seconds(seconds)
}

fn feed(quality: &str) -> Feed {
    Feed { channel: "chan".parse().unwrap(), quality: quality.parse().unwrap() }
}

impl Served {
    fn new() -> Self {
        Self::changed(|_| ())
    }

    /// A store that is served in another way than usual.
    fn changed(change: impl FnOnce(&mut App)) -> Self {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Write).unwrap();
        let mut context = Context::new(Metrics::empty());
        context.clock = Arc::new(TestClock::at(at(7200)));
        let mut app = App::new(&context, store.clone());
        change(&mut app);
        let routes = crate::router::router(app);
        let address = service::serve(&context, ([127, 0, 0, 1], 0).into(), routes).unwrap();
        let client = Client::new(&Metrics::empty(), Options::default());
        Self { base, store, address, client, _context: context }
    }

    /// A store that holds full segments of two seconds in `chan/source`, starting at these seconds.
    async fn with(starts: &[i64]) -> Self {
        let served = Self::new();
        for start in starts {
            served
                .segment("source", *start, Completeness::Full, start.to_string().as_bytes())
                .await;
        }
        served
    }

    /// Publishes a segment of two seconds and returns the path that it is served at.
    async fn segment(
        &self,
        quality: &str,
        start: i64,
        completeness: Completeness,
        bytes: &[u8],
    ) -> String {
        let duration = MediaDuration::from_seconds(2.0).unwrap();
        let begun = self.store.begin_segment(&feed(quality), at(start), duration).await;
        let mut segment = begun.unwrap();
        segment.write(bytes).await.unwrap();
        let path = segment.publish(completeness).await.unwrap().path;
        format!("/segments/{}", path.strip_prefix(self.base.path()).unwrap().display())
    }

    /// Writes a file below the base folder.
    fn file(&self, path: &str, content: &[u8]) -> PathBuf {
        let path = self.base.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The file that is served at `path`.
    fn stored(&self, path: &str) -> PathBuf {
        self.base.path().join(path.strip_prefix("/segments/").unwrap())
    }

    /// Sends a request as it is given, which no client would leave alone, and reads all of the answer.
    async fn send(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        self.send_body(method, path, headers, b"").await
    }

    async fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.send_body("POST", path, &[&format!("Content-Length: {}", body.len())], body).await
    }

    async fn send_body(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // answers to this version come without chunks and end with the connection
        let mut request = format!("{method} {path} HTTP/1.0\r\n");
        for header in headers {
            request.extend([header, "\r\n"]);
        }
        request.push_str("\r\n");
        let (mut reading, mut writing) = stream.split();
        let mut answer = Vec::new();
        let sent = async {
            // what is too large is refused before all of it was sent
            let _ = writing.write_all(&[request.as_bytes(), body].concat()).await;
        };
        let (read, ()) = tokio::join!(reading.read_to_end(&mut answer), sent);
        // a server that closes on what it did not read resets the connection behind its answer
        assert!(read.is_ok() || !answer.is_empty(), "{read:?}");
        Answer::new(&answer)
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[]).await
    }

    fn url(&self, path: &str) -> url::Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn new(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}
