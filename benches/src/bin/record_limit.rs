//! What recording cannot be cheaper than: receives segments, hashes them, stores them so that they
//! survive a power cut, and no more. It needs no playlist, since the origin answers once there is a segment,
//! and knows nothing of what it receives. So that it can be seen what costs how much, it can be told to do
//! less, or to store without the page cache, which nobody would who is asked for the segment a second later.
//!
//!     record_limit WORK ADDRESS FOLDER CHANNEL:FIRST...
//!
//! where WORK is `receive`, `hash` (and receive), `store` (and both), or `store-direct`. Ends when it is killed.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use common::base::hash::Hasher;
use rustix::fs::OFlags;

/// What is read, hashed and written at once: small enough to stay in the processor's cache.
const BUFFER_BYTES: usize = 256 << 10;
/// The same past the page cache, where every write waits for the disk: a whole segment.
const DIRECT_BUFFER_BYTES: usize = 2 << 20;
/// What writes past the page cache must begin and end at, in memory and in the file.
const BLOCK_BYTES: usize = 4096;

const STACK_BYTES: usize = 128 << 10;

/// What is done with each segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Receive,
    Hash,
    Store,
    StoreDirect,
}

impl Work {
    fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "receive" => Self::Receive,
            "hash" => Self::Hash,
            "store" => Self::Store,
            "store-direct" => Self::StoreDirect,
            _ => bail!("nobody knows the work {word}"),
        })
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let work = Work::parse(&arguments.next().context("say what to do")?)?;
    let address: SocketAddr = arguments.next().context("give the origin's address")?.parse()?;
    let folder = arguments.next().context("give a folder")?;
    let mut threads = Vec::new();
    for channel in arguments {
        let (channel, first) = channel.split_once(':').context("give CHANNEL:FIRST")?;
        let (number, first) = (channel.to_owned(), first.parse()?);
        let folder = Path::new(&folder).join(channel);
        fs::create_dir_all(&folder)?;
        let record = move || record(work, address, &number, first, &folder);
        threads.push(thread::Builder::new().stack_size(STACK_BYTES).spawn(record)?);
    }
    threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
}

fn record(work: Work, address: SocketAddr, channel: &str, first: u64, folder: &Path) -> Result<()> {
    let stream = TcpStream::connect(address)?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, &stream);
    let names = File::open(folder)?;
    let bytes = if work == Work::StoreDirect { DIRECT_BUFFER_BYTES } else { BUFFER_BYTES };
    let mut room = vec![0; bytes + BLOCK_BYTES];
    let aligned = room.as_ptr().align_offset(BLOCK_BYTES);
    let buffer = &mut room[aligned..aligned + bytes];
    for number in first.. {
        let request = format!("GET /{channel}/{number}.ts?wait HTTP/1.1\r\nHost: bench\r\n\r\n");
        (&stream).write_all(request.as_bytes())?;
        let length = length(&mut reader)?;
        let mut segment = Segment::begin(work, folder)?;
        let mut left = length;
        while left > 0 {
            let read = fill(&mut reader, &mut buffer[..bytes.min(left)], work)?;
            segment.take_in(buffer, read)?;
            left -= read;
        }
        segment.end(length, folder, &names)?;
    }
    Ok(())
}

/// Reads what has come, or all that fits where that is written past the page cache.
fn fill(reader: &mut impl Read, buffer: &mut [u8], work: Work) -> Result<usize> {
    if work == Work::StoreDirect {
        reader.read_exact(buffer).context("the answer breaks off")?;
        return Ok(buffer.len());
    }
    let read = reader.read(buffer)?;
    ensure!(read > 0, "the answer breaks off");
    Ok(read)
}

/// A segment that is being received.
struct Segment {
    work: Work,
    hasher: Hasher,
    file: Option<(File, PathBuf)>,
}

impl Segment {
    fn begin(work: Work, folder: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        if work == Work::StoreDirect {
            options.custom_flags(OFlags::DIRECT.bits().cast_signed());
        }
        let temp = folder.join("temp");
        let file = if work >= Work::Store { Some((options.open(&temp)?, temp)) } else { None };
        Ok(Self { work, hasher: Hasher::default(), file })
    }

    /// Takes in the first `length` bytes of `buffer`.
    fn take_in(&mut self, buffer: &[u8], length: usize) -> Result<()> {
        if self.work >= Work::Hash {
            self.hasher.update(&buffer[..length]);
        }
        if let Some((file, _)) = &mut self.file {
            let whole = self.work != Work::StoreDirect;
            let written = if whole { length } else { length.next_multiple_of(BLOCK_BYTES) };
            file.write_all(&buffer[..written])?;
        }
        Ok(())
    }

    fn end(self, length: usize, folder: &Path, names: &File) -> Result<()> {
        let Some((file, temp)) = self.file else { return Ok(()) };
        if self.work == Work::StoreDirect {
            file.set_len(u64::try_from(length)?)?;
        }
        file.sync_data()?;
        fs::rename(&temp, folder.join(self.hasher.finish().to_string()))?;
        names.sync_all()?;
        Ok(())
    }
}

/// Reads the head of an answer, and says how long its body is.
fn length(reader: &mut BufReader<&TcpStream>) -> Result<usize> {
    let mut length = None;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = Some(value.trim().parse()?);
        }
        ensure!(!line.is_empty(), "the answer breaks off");
        if line == "\r\n" {
            return length.context("an answer has a length");
        }
    }
}
