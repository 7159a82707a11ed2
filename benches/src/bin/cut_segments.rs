//! Cutting ten minutes of 720p60 at 6.4 Mbit/s out of a restreamer, against `cat` of the same segments through the same
//! loopback.
//!
//!     cargo build --release --package restreamer
//!     cut_segments target/release/restreamer [ROUNDS]
//!
//! Needs ffmpeg and cat in the path. The recording is twenty seconds of ffmpeg's, thirty times on one clock. A cut begins
//! and ends in the middle of a segment, so that pictures are encoded at both of its ends, or at the first picture of one.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use benches::figures::{Figures, Row, Unit};
use benches::restreamer::Restreamer;
use benches::{child, process, scratch};
use chrono::TimeDelta;
use common::base::hash::ContentHash;
use common::base::time::{Hour, Timestamp};
use common::format::mpegts::{Retimer, Shift};

/// How often the twenty seconds are there.
const COPIES: i64 = 30;
const COPY_SECONDS: i64 = 20;
const SEGMENT_SECONDS: i64 = 2;

fn main() -> Result<()> {
    let program = Restreamer::program()?;
    let rounds: usize = std::env::args().nth(2).map_or(Ok(5), |rounds| rounds.parse())?;
    let folder = scratch("cut")?;
    let files = make_store(folder.path()).context("make the recording")?;
    let restreamer = Restreamer::start(&program, folder.path())?;
    let bytes: u64 = files.iter().map(|file| Ok(fs::metadata(file)?.len())).sum::<Result<u64>>()?;
    eprintln!("{} segments, {} MB", files.len(), bytes / 1_000_000);
    let cuts = [
        ("rough", "rough", 0.0, 600.0),
        ("smart", "smart", 0.9, 599.3),
        ("smart, from a key frame", "smart", 2.0, 599.3),
        ("fast", "fast", 0.9, 599.3),
    ];
    let mut measured: [Vec<Measured>; 4] = Default::default();
    let mut limits = Vec::new();
    for round in 0..=rounds {
        let cat = cat(&files)?;
        for (times, (_, kind, start, end)) in measured.iter_mut().zip(cuts) {
            let found = Measured::of(&restreamer, kind, start, end)?;
            // the first round brings everything into memory
            times.extend((round > 0).then_some(found));
        }
        limits.extend((round > 0).then_some(cat));
    }
    let limit = || Some(("cat", Figures::of_times(limits.iter().copied())));
    for (times, (name, ..)) in measured.iter().zip(cuts) {
        let targets = match name {
            "rough" => ["≤ 1.11 ×", "", "", ""],
            "smart" => ["≤ 1.5 s", "≤ 0.4 s", "≤ 1.5 s", "≤ 400 ms"],
            "smart, from a key frame" => ["", "", "", "≤ 20 ms"],
            _ => [""; 4],
        };
        let row = |what: &str, target, limit, of: fn(&Measured) -> Duration| {
            let work = format!("cut of 10 min, {name}: {what}");
            let figures = Figures::of_times(times.iter().map(of));
            println!("{}", Row { work: &work, figures, unit: Unit::Nanoseconds, limit, target });
        };
        row("all of it", targets[0], limit(), |measured| measured.wall);
        row("CPU of the restreamer", targets[1], None, |measured| measured.own_cpu);
        row("CPU of ffmpeg", targets[2], None, |measured| measured.child_cpu);
        row("first byte", targets[3], None, |measured| measured.first);
    }
    let peak = Figures::of_bytes([process::peak_bytes(restreamer.id())?]);
    let work = "most memory of the restreamer in all of these cuts";
    println!("{}", Row { work, figures: peak, unit: Unit::Bytes, limit: None, target: "≤ 64 MB" });
    Ok(())
}

/// What a cut took.
struct Measured {
    wall: Duration,
    first: Duration,
    own_cpu: Duration,
    child_cpu: Duration,
}

impl Measured {
    fn of(restreamer: &Restreamer, kind: &str, start: f64, end: f64) -> Result<Self> {
        let id = restreamer.id();
        let cpu = || -> Result<_> { Ok((process::cpu(id)?, process::cpu_of_ended_children(id)?)) };
        let (own, child) = cpu()?;
        let begun = Instant::now();
        let mut stream = TcpStream::connect(restreamer.address())?;
        let (start, end) = (time(start), time(end));
        let query = format!("start={start}&end={end}&type={kind}");
        write!(stream, "GET /cut/chan/source.ts?{query} HTTP/1.0\r\n\r\n")?;
        let (first, size, head) = drain(&mut stream, begun)?;
        let wall = begun.elapsed();
        ensure!(head.starts_with("HTTP/1.0 200"), "it answers: {head}");
        ensure!(size > 100_000_000, "it answers with {size} bytes only");
        let (own_now, child_now) = cpu()?;
        let own_cpu = own_now.saturating_sub(own);
        Ok(Self { wall, first, own_cpu, child_cpu: child_now.saturating_sub(child) })
    }
}

/// When the first byte came, how many came, and the first ones.
fn drain(stream: &mut TcpStream, begun: Instant) -> Result<(Duration, usize, String)> {
    let mut buffer = vec![0; 1 << 20];
    let mut first = None;
    let (mut size, mut head) = (0, String::new());
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok((first.context("nothing came")?, size, head));
        }
        if first.is_none() {
            first = Some(begun.elapsed());
            head = String::from_utf8_lossy(&buffer[..read.min(200)]).into_owned();
        }
        size += read;
    }
}

/// How long `cat` takes to send these files.
fn cat(files: &[PathBuf]) -> Result<Duration> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let mut stream = TcpStream::connect(listener.local_addr()?)?;
    let (theirs, _) = listener.accept()?;
    let begun = Instant::now();
    let mut cat = child::command("cat");
    cat.args(files).stdout(Stdio::from(OwnedFd::from(theirs)));
    let mut running = cat.spawn()?;
    // its end of the connection is not ours
    drop(cat);
    drain(&mut stream, begun)?;
    let wall = begun.elapsed();
    ensure!(running.wait()?.success(), "cat failed");
    Ok(wall)
}

fn begin() -> Timestamp {
    let hour: Hour = "2026-11-20T10".parse().expect("it is one");
    hour.start()
}

fn time(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "it is small")]
    let millis = (seconds * 1000.0) as i64;
    (begin() + TimeDelta::milliseconds(millis))
        .to_naive()
        .format("%Y-%m-%dT%H:%M:%S%.3f")
        .to_string()
}

/// Makes a store in `folder` and returns its files in order.
fn make_store(folder: &Path) -> Result<Vec<PathBuf>> {
    let parts = folder.join("parts");
    fs::create_dir(&parts)?;
    let arguments = "-nostdin -v error -f lavfi -i testsrc2=size=1280x720:rate=60,noise=alls=12:allf=t \
        -f lavfi -i anoisesrc=r=48000:a=0.2:seed=1 -t 20 -c:v libx264 -preset superfast -b:v 5.9M -minrate 5.9M \
        -maxrate 5.9M -bufsize 3M -bf 2 -g 120 -keyint_min 120 -sc_threshold 0 -pix_fmt yuv420p -c:a aac -b:a 160k \
        -f hls -hls_time 2 -hls_list_size 0 -hls_segment_filename";
    let mut ffmpeg = child::command("ffmpeg");
    ffmpeg.args(arguments.split_whitespace()).arg(parts.join("%d.ts")).arg(parts.join("list.m3u8"));
    ensure!(ffmpeg.status()?.success(), "ffmpeg failed");
    let hour = begin().hour();
    let to = folder.join("chan/source").join(hour.to_string());
    fs::create_dir_all(&to)?;
    let mut files = Vec::new();
    for copy in 0..COPIES {
        for part in 0..COPY_SECONDS / SEGMENT_SECONDS {
            let mut bytes = fs::read(parts.join(format!("{part}.ts")))?;
            let shift = Shift::by(copy * COPY_SECONDS * 90_000);
            Retimer::default().retime(&mut bytes, &shift.into(), |_| {});
            let second = copy * COPY_SECONDS + part * SEGMENT_SECONDS;
            let hash = ContentHash::of(&bytes);
            let name = format!("{:02}:{:02}.000000-2.0-full-{hash}.ts", second / 60, second % 60);
            let path = to.join(name);
            fs::write(&path, bytes)?;
            files.push(path);
        }
    }
    Ok(files)
}
