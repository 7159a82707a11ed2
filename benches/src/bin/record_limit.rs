//! What recording cannot be cheaper than: receives segments, hashes them, stores them so that they
//! survive a power cut, and no more. It needs no playlist, since the origin answers once there is a segment,
//! and knows nothing of what it receives.
//!
//!     record_limit ADDRESS FOLDER CHANNEL:FIRST...
//!
//! Ends when it is killed.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, ensure};
use common::base::hash::Hasher;

/// What is read, hashed and written at once: small enough to stay in the processor's cache.
const BUFFER_BYTES: usize = 256 << 10;

const STACK_BYTES: usize = 128 << 10;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address: SocketAddr = arguments.next().context("give the origin's address")?.parse()?;
    let folder = arguments.next().context("give a folder")?;
    let mut threads = Vec::new();
    for channel in arguments {
        let (channel, first) = channel.split_once(':').context("give CHANNEL:FIRST")?;
        let (number, first) = (channel.to_owned(), first.parse()?);
        let folder = Path::new(&folder).join(channel);
        fs::create_dir_all(&folder)?;
        let record = move || record(address, &number, first, &folder);
        threads.push(thread::Builder::new().stack_size(STACK_BYTES).spawn(record)?);
    }
    threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
}

fn record(address: SocketAddr, channel: &str, first: u64, folder: &Path) -> Result<()> {
    let stream = TcpStream::connect(address)?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, &stream);
    let names = File::open(folder)?;
    let temp = folder.join("temp");
    let mut buffer = vec![0; BUFFER_BYTES];
    for number in first.. {
        let request = format!("GET /{channel}/{number}.ts?wait HTTP/1.1\r\nHost: bench\r\n\r\n");
        (&stream).write_all(request.as_bytes())?;
        let mut left = length(&mut reader)?;
        let mut file = File::create(&temp)?;
        let mut hasher = Hasher::default();
        while left > 0 {
            let most = buffer.len().min(left);
            let read = reader.read(&mut buffer[..most])?;
            ensure!(read > 0, "the answer breaks off");
            hasher.update(&buffer[..read]);
            file.write_all(&buffer[..read])?;
            left -= read;
        }
        file.sync_data()?;
        fs::rename(&temp, folder.join(hasher.finish().to_string()))?;
        names.sync_all()?;
    }
    Ok(())
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
