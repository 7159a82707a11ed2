//! Connections that are not served: told so, whatever they send or do not send.

use std::io;
use std::time::Duration;

use rustix::net::{SendFlags, Shutdown};
use tokio::net::TcpStream;

/// What they are told. It is complete without any request, and the same for each.
const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 63\r\n\
    retry-after: 5\r\n\
    access-control-allow-origin: *\r\n\
    connection: close\r\n\r\n\
    this node has as many clients as it can serve; try again later\n";

/// How long a request is waited for before the answer, and then the client's end of the connection.
const LINGER: Duration = Duration::from_millis(500);

/// How much of what nobody wants is read at a time.
const DISCARD_BYTES: usize = 16 * 1024;

/// Tells the client of `stream`, with care: some clients take an answer that comes before their
/// request for a mistake, and all lose one that is followed by a reset.
pub(super) async fn tell(stream: TcpStream) {
    // a client that sends nothing is told all the same
    let _ = tokio::time::timeout(LINGER, stream.peek(&mut [0])).await;
    tell_at_once(&stream);
    linger(&stream).await;
}

/// Tells the client of `stream`, which may or may not learn of it before the connection is gone.
pub(super) fn tell_at_once(stream: &TcpStream) {
    // the buffer of a new socket is empty, so there is room
    let told = rustix::net::send(stream, ANSWER, SendFlags::NOSIGNAL);
    if let Err(error) = told {
        tracing::debug!("a client was not told that it is refused: {error}");
    }
}

/// Ends `stream` such that what was written to it arrives: the kernel answers whatever comes to a
/// socket that is closed by a reset, which discards what the client has not read. So for a short time
/// that is read and thrown away.
pub(super) async fn linger(stream: &TcpStream) {
    if rustix::net::shutdown(stream, Shutdown::Write).is_ok() {
        let _ = tokio::time::timeout(LINGER, discard(stream)).await;
    }
}

/// Reads until the client has closed the connection.
async fn discard(stream: &TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; DISCARD_BYTES];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let answer = std::str::from_utf8(ANSWER).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())),
            "{}",
            body.len()
        );
    }
}
