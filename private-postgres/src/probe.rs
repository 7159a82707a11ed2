//! Asks a server whether it takes queries, in the few bytes of its protocol that this needs.
//!
//! A connection alone proves nothing: the server accepts one while it still starts up, and then
//! answers with an error.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long the server may take for one message.
const PATIENCE: Duration = Duration::from_secs(5);
/// Protocol version 3.0.
const VERSION: [u8; 4] = [0, 3, 0, 0];

/// Returns whether the server behind `socket` lets `user` in and is ready for a query.
pub(crate) fn answers(socket: &Path, user: &str) -> bool {
    ask(socket, user).unwrap_or(false)
}

fn ask(socket: &Path, user: &str) -> io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&start_up(user))?;
    loop {
        match read_message(&mut stream)? {
            b'Z' => {
                // Terminate, so that the server's log does not speak of a lost client.
                stream.write_all(&[b'X', 0, 0, 0, 4])?;
                return Ok(true);
            }
            b'E' => return Ok(false),
            _ => {}
        }
    }
}

/// Makes a StartupMessage: length, version, pairs of NUL-terminated strings, a final NUL.
fn start_up(user: &str) -> Vec<u8> {
    let mut body = VERSION.to_vec();
    for text in ["user", user, "database", "postgres"] {
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).expect("a user's name is short");
    [&length.to_be_bytes()[..], &body].concat()
}

/// Reads one message and returns its type.
fn read_message(stream: &mut UnixStream) -> io::Result<u8> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let [kind, length @ ..] = head;
    let body = u32::from_be_bytes(length).saturating_sub(4);
    io::copy(&mut stream.take(body.into()), &mut io::sink())?;
    Ok(kind)
}
