//! A scripted origin: serves exactly the bytes that a test wants, wrong ones above all.
//!
//! It speaks HTTP/1.1 by hand, since a proper server refuses to truncate, stall or lie.
#![allow(
    clippy::allow_attributes,
    dead_code,
    reason = "each test that includes this file uses a part of it"
)]

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// What the origin does with a request.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    /// How long nothing comes.
    delay: Duration,
    bytes: Vec<u8>,
    /// What is waited for behind the bytes.
    gate: Option<Arc<Notify>>,
    then: Then,
}

/// What follows the bytes of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    KeepAlive,
    Close,
    Stall,
    CloseAfter(Duration),
    /// The last so many bytes again, every so often.
    Drip(Duration, usize),
}

impl Response {
    /// A proper answer.
    pub(crate) fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::new(200, &[], body.as_ref())
    }

    /// A proper answer with that status and, beside its length, those headers.
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let length = body.len().to_string();
        let headers = [headers, &[("Content-Length", length.as_str())]].concat();
        Self::raw(status, &headers, body, Then::KeepAlive)
    }

    /// A body that ends when the connection does, without anyone having said how long it is.
    pub(crate) fn until_close(body: &[u8]) -> Self {
        Self::raw(200, &[("Connection", "close")], body, Then::Close)
    }

    /// A body that is shorter than promised.
    pub(crate) fn truncated(body: &[u8], promised: usize) -> Self {
        let promised = promised.to_string();
        Self::raw(200, &[("Content-Length", &promised)], body, Then::Close)
    }

    /// A chunked body without its last chunk.
    pub(crate) fn chunked_cut(body: &[u8]) -> Self {
        let chunk = [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n"].concat();
        Self::raw(200, &[("Transfer-Encoding", "chunked")], &chunk, Then::Close)
    }

    /// A body that stops in the middle, while the connection stays.
    pub(crate) fn stalled(body: &[u8], promised: usize) -> Self {
        Self { then: Then::Stall, ..Self::truncated(body, promised) }
    }

    /// A body that comes in the same pieces for ever.
    pub(crate) fn dripping(piece: &[u8], every: Duration, promised: usize) -> Self {
        Self { then: Then::Drip(every, piece.len()), ..Self::truncated(piece, promised) }
    }

    /// A body of the same pieces that never ends, without anyone having said how long it is.
    pub(crate) fn endless(piece: &[u8], every: Duration) -> Self {
        Self { then: Then::Drip(every, piece.len()), ..Self::until_close(piece) }
    }

    /// These bytes, headers included, and then nothing while the connection stays.
    pub(crate) fn raw_then_silence(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), ..Self::silence() }
    }

    /// A body that is shorter than promised, which shows only after a while.
    pub(crate) fn truncated_after(body: &[u8], promised: usize, wait: Duration) -> Self {
        Self { then: Then::CloseAfter(wait), ..Self::truncated(body, promised) }
    }

    /// No answer at all.
    pub(crate) fn silence() -> Self {
        Self { delay: Duration::ZERO, bytes: Vec::new(), gate: None, then: Then::Stall }
    }

    /// No answer, and the end of the connection.
    pub(crate) fn closed() -> Self {
        Self { then: Then::Close, ..Self::silence() }
    }

    /// The same, after a while.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The same, but what follows the bytes does so once `gate` is notified.
    pub(crate) fn held_by(self, gate: &Arc<Notify>) -> Self {
        Self { gate: Some(Arc::clone(gate)), ..self }
    }

    fn raw(status: u16, headers: &[(&str, &str)], body: &[u8], then: Then) -> Self {
        Self { bytes: raw(status, headers, body), then, ..Self::silence() }
    }

    /// Only the status.
    pub(crate) fn status(status: u16) -> Self {
        Self::new(status, &[], b"")
    }
}

fn raw(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut lines = vec![format!("HTTP/1.1 {status} status")];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    [lines.join("\r\n").as_bytes(), b"\r\n\r\n", body].concat()
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With the query.
    pub(crate) target: String,
    /// As they came, names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
    /// The other end's port, which tells connections apart.
    pub(crate) port: u16,
}

impl Request {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

#[derive(Default)]
struct Script {
    answers: HashMap<String, VecDeque<Response>>,
    requests: Vec<Request>,
}

/// The origin; gone when it is dropped.
pub(crate) struct Origin {
    address: std::net::SocketAddr,
    script: Arc<Mutex<Script>>,
    _tasks: JoinSet<()>,
}

impl Origin {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback");
        let address = listener.local_addr().expect("bound");
        let script = Arc::new(Mutex::new(Script::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&script)));
        Self { address, script, _tasks: tasks }
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        format!("http://{}{path}", self.address).parse().expect("a path")
    }

    /// Lets requests for `path` be answered by `responses` in turn, the last one for ever.
    pub(crate) fn serve(&self, path: &str, responses: impl IntoIterator<Item = Response>) {
        let responses = responses.into_iter().collect();
        self.script.lock().expect("no panic").answers.insert(path.to_owned(), responses);
    }

    /// Every request for `path` so far.
    pub(crate) fn requests(&self, path: &str) -> Vec<Request> {
        let script = self.script.lock().expect("no panic");
        script.requests.iter().filter(|request| request.path() == path).cloned().collect()
    }
}

async fn accept(listener: TcpListener, script: Arc<Mutex<Script>>) {
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        connections.spawn(converse(connection, Arc::clone(&script)));
    }
}

async fn converse(mut connection: TcpStream, script: Arc<Mutex<Script>>) {
    let mut buffer = Vec::new();
    let Ok(port) = connection.peer_addr().map(|peer| peer.port()) else { return };
    while let Some(request) = read_request(&mut connection, &mut buffer).await {
        let response = answer(&script, Request { port, ..request });
        if !response.delay.is_zero() {
            tokio::time::sleep(response.delay).await;
        }
        if connection.write_all(&response.bytes).await.is_err() {
            return;
        }
        if let Some(gate) = response.gate {
            gate.notified().await;
        }
        match response.then {
            Then::KeepAlive => {}
            Then::Close => return,
            Then::Stall => std::future::pending().await,
            Then::CloseAfter(wait) => return tokio::time::sleep(wait).await,
            Then::Drip(every, length) => {
                let piece = &response.bytes[response.bytes.len() - length..];
                loop {
                    tokio::time::sleep(every).await;
                    if connection.write_all(piece).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

fn answer(script: &Mutex<Script>, request: Request) -> Response {
    let mut script = script.lock().expect("no panic");
    let path = request.path().to_owned();
    script.requests.push(request);
    match script.answers.get_mut(&path) {
        Some(answers) if answers.len() > 1 => answers.pop_front(),
        Some(answers) => answers.front().cloned(),
        None => None,
    }
    .unwrap_or_else(|| Response::status(404))
}

async fn read_request(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        read_more(connection, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end + 4);
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap_or(0));
    while buffer.len() < length {
        read_more(connection, buffer).await?;
    }
    let body = String::from_utf8_lossy(&buffer[..length]).into_owned();
    buffer.drain(..length);
    Some(Request { method, target, headers, body, port: 0 })
}

async fn read_more(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 4096];
    let count = connection.read(&mut piece).await.ok().filter(|count| *count > 0)?;
    buffer.extend_from_slice(&piece[..count]);
    Some(())
}
