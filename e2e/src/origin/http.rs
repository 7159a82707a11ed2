//! HTTP/1.1 by hand (RFC 9112), since a proper server refuses to truncate, stall or lie.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::answer::{Answer, End, Step};

/// The largest head of a request that is read, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// A request, as far as anybody here cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Without the query.
    pub(super) path: String,
    /// Names and values, as they came.
    pub(super) query: Vec<(String, String)>,
    /// The first and the last byte of the Range header.
    pub(super) range: Option<(usize, usize)>,
    /// What came with it.
    pub(super) body: String,
}

impl Request {
    /// Reads the next one; `None` when there is none.
    pub(super) async fn read(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Self> {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            more(connection, buffer).await?;
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        buffer.drain(..end);
        let header = |wanted: &str| {
            let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
            headers
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.trim())
        };
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        while buffer.len() < length {
            more(connection, buffer).await?;
        }
        let body = String::from_utf8_lossy(&buffer[..length]).into_owned();
        buffer.drain(..length);
        let target = head.split(' ').nth(1)?;
        let range = header("range").and_then(read_range);
        Some(Self { range, body, ..Self::of(target) })
    }

    /// A request for `target` without headers.
    pub(super) fn of(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { path: path.to_owned(), query, range: None, body: String::new() }
    }

    /// The number that a part of the query is.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.query.iter().find(|(other, _)| other == name)?.1.parse().ok()
    }
}

fn read_range(value: &str) -> Option<(usize, usize)> {
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

async fn more(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let count = connection.read_buf(buffer).await.ok().filter(|count| *count > 0)?;
    (count <= MAX_HEAD && buffer.len() <= MAX_HEAD).then_some(())
}

/// Sends `answer`; returns whether all of it was taken, and whether the connection can go on.
pub(super) async fn send(connection: &mut TcpStream, answer: Answer) -> (bool, bool) {
    for step in answer.steps {
        let sent = match step {
            Step::Send(bytes) => connection.write_all(&bytes).await.is_ok(),
            Step::Wait(time) => {
                sleep(time).await;
                true
            }
            Step::Stall => {
                gone(connection).await;
                false
            }
            Step::Repeat(bytes, every, times) => repeat(connection, bytes, every, times).await,
        };
        if !sent {
            return (false, false);
        }
    }
    match answer.end {
        End::KeepAlive => (true, true),
        End::Close => {
            let shut = connection.shutdown().await.is_ok();
            // whoever closes with bytes unread resets, which may take away what is on its way
            let _ = tokio::time::timeout(Duration::from_secs(1), gone(connection)).await;
            (shut, false)
        }
        End::Reset => {
            let _ = socket2::SockRef::from(&*connection).set_linger(Some(Duration::ZERO));
            (true, false)
        }
    }
}

async fn repeat(
    connection: &mut TcpStream,
    bytes: Bytes,
    every: Duration,
    times: Option<u32>,
) -> bool {
    let mut count = 0;
    while times.is_none_or(|times| count < times) {
        if connection.write_all(&bytes).await.is_err() {
            return false;
        }
        count += 1;
        if !every.is_zero() {
            sleep(every).await;
        }
    }
    true
}

/// Waits until the other side has closed; what it sends until then is dropped.
async fn gone(connection: &mut TcpStream) {
    let mut nothing = [0; 1024];
    while connection.read(&mut nothing).await.is_ok_and(|count| count > 0) {}
}
