//! A reader of one kept-alive connection that notes when the first and the last byte of an answer came.
//!
//! Its own HTTP/1.1, since it must cost next to nothing beside what it measures: it knows answers with
//! a length and chunked ones, and decodes no compression.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// An answer takes no longer.
const TIMEOUT: Duration = Duration::from_mins(2);

/// The longest line of a head that is read, in bytes.
const LONGEST_LINE: u64 = 16 << 10;

/// A connection.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

/// When an answer came, counted from the request.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The first byte of the body; of an empty one the end of the head.
    pub first_byte: Duration,
    /// The end of the body.
    pub last_byte: Duration,
}

/// How long the body is.
enum Length {
    Bytes(usize),
    Chunked,
}

impl Client {
    /// Connects to `address`.
    ///
    /// # Errors
    ///
    /// When nobody takes the connection.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).context("connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { stream: BufReader::with_capacity(256 << 10, stream), body: Vec::new() })
    }

    /// Asks for `path` and reads the whole answer.
    ///
    /// # Errors
    ///
    /// When the answer is not 200, or breaks off.
    pub fn get(&mut self, path: &str) -> Result<Times> {
        self.get_with(path, "")
    }

    /// As [`Client::get`], with lines added to the head, each ended by CRLF.
    ///
    /// # Errors
    ///
    /// When the answer is not 200, or breaks off.
    pub fn get_with(&mut self, path: &str, lines: &str) -> Result<Times> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n{lines}\r\n");
        let asked = Instant::now();
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.body.clear();
        let length = self.head().with_context(|| format!("GET {path}"))?;
        let first_byte = match length {
            Length::Bytes(0) => asked.elapsed(),
            Length::Bytes(bytes) => {
                self.stream.fill_buf()?;
                let first_byte = asked.elapsed();
                self.take_in(bytes)?;
                first_byte
            }
            Length::Chunked => self.chunks(asked)?,
        };
        Ok(Times { first_byte, last_byte: asked.elapsed() })
    }

    /// The body of the last answer.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    fn head(&mut self) -> Result<Length> {
        let status = self.line()?;
        ensure!(status.starts_with("HTTP/1.1 200 "), "it answers {status}");
        let mut length = Length::Bytes(0);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(':').map(|(name, value)| (name, value.trim())) {
                Some(("content-length", value)) => length = Length::Bytes(value.parse()?),
                Some(("transfer-encoding", "chunked")) => length = Length::Chunked,
                Some(_) => {}
                None if line.is_empty() => return Ok(length),
                None => bail!("{line:?} is no header"),
            }
        }
    }

    /// Reads a chunked body, and says when its first byte came.
    fn chunks(&mut self, asked: Instant) -> Result<Duration> {
        let mut first_byte = None;
        loop {
            let line = self.line()?;
            let size =
                usize::from_str_radix(&line, 16).with_context(|| format!("chunk {line:?}"))?;
            self.take_in(size)?;
            first_byte.get_or_insert_with(|| asked.elapsed());
            ensure!(self.line()?.is_empty(), "a chunk is longer than it says");
            if size == 0 {
                return Ok(first_byte.unwrap_or_else(|| asked.elapsed()));
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stream.by_ref().take(LONGEST_LINE).read_line(&mut line)?;
        let line = line.strip_suffix("\r\n").context("the answer breaks off")?;
        Ok(line.to_owned())
    }

    fn take_in(&mut self, bytes: usize) -> Result<()> {
        let read = self.stream.by_ref().take(bytes as u64).read_to_end(&mut self.body)?;
        ensure!(read == bytes, "the answer breaks off");
        Ok(())
    }
}
