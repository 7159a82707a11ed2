//! What recording one live channel costs, of 6.4 Mbit/s in segments of 2 s: processor time for a minute
//! of it, and memory. The downloader, its peers, and what only receives, hashes and stores record at the
//! same time, each a channel of its own of the same origin.
//!
//!     record_stream target/release/downloader target/tools/peers/bin [ROUNDS [SECONDS]]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use benches::figures::{Figures, Row, Unit};
use benches::live::material::{Material, SEGMENT};
use benches::live::origin::Origin;
use benches::live::recorded;
use benches::live::recorders::Recorder;
use benches::process;
use chrono::TimeDelta;
use common::base::time::{Clock, SystemClock, Timestamp};

const PEERS: [&str; 3] = ["streamlink", "yt-dlp", "ffmpeg"];

/// What our own limits do, and what that is called.
const LIMITS: [(&str, &str); 4] = [
    ("receive", "receiving alone"),
    ("hash", "receiving, hashing"),
    ("store", "receiving, hashing, storing"),
    ("store-direct", "the same, past the page cache"),
];

/// How many of them, the first ones, store nothing.
const LIMITS_WITHOUT_STORE: usize = 2;

/// How long a recorder may take until it records, in segments that it could have by then.
const WARM_UP: u32 = 15;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let program = fs::canonicalize(arguments.next().context("give the downloader's path")?)?;
    let tools = fs::canonicalize(arguments.next().context("give the folder of its peers")?)?;
    let rounds: usize = arguments.next().map_or(Ok(5), |rounds| rounds.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(30), |seconds| seconds.parse())?;
    let folder = benches::scratch("record-stream")?;
    let material = Arc::new(Material::ready()?);
    let channels = 1 + LIMITS.len() + PEERS.len();
    let origin = Origin::start(material, channels, TimeDelta::zero(), false)?;
    let mut recorders = start(&program, &tools, &origin, folder.path())?;
    thread::sleep(SEGMENT * WARM_UP);

    let begun = SystemClock.now();
    let mut measured: Vec<Vec<Round>> = recorders.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        let round = round(&recorders, Duration::from_secs(seconds))?;
        measured.iter_mut().zip(round).for_each(|(all, one)| all.push(one));
    }
    let ended = SystemClock.now();
    report(&measured);
    let [downloader, ..] = &mut recorders[..] else { unreachable!("there are several") };
    peak(downloader)?;
    // what was listed last may still be on its way
    thread::sleep(SEGMENT);
    downloader.stop()?;
    check(&origin, downloader, begun, ended)
}

/// The downloader first, then its limits, then the peers.
fn start(program: &Path, tools: &Path, origin: &Origin, folder: &Path) -> Result<Vec<Recorder>> {
    let downloader = Recorder::downloader(program, origin, [0], &folder.join("downloader"))?;
    let mut recorders = vec![downloader];
    for (channel, (work, _)) in (1..).zip(LIMITS) {
        recorders.push(Recorder::limit(work, origin, channel..channel + 1, &folder.join(work))?);
    }
    for (channel, name) in (1 + LIMITS.len()..).zip(PEERS) {
        recorders.push(Recorder::peer(name, tools, origin, channel, &folder.join(name))?);
    }
    Ok(recorders)
}

/// What was measured of a recorder in one round.
struct Round {
    /// For a minute.
    cpu: Duration,
    resident_bytes: u64,
}

/// Measures all recorders for `time`.
fn round(recorders: &[Recorder], time: Duration) -> Result<Vec<Round>> {
    let before: Vec<(Duration, u64)> = recorders.iter().map(used).collect::<Result<_>>()?;
    let begun = Instant::now();
    thread::sleep(time);
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    let stores = (0..).map(|index| !(1..=LIMITS_WITHOUT_STORE).contains(&index));
    let measured = recorders.iter().zip(before).zip(stores).map(|((recorder, before), stores)| {
        let (cpu, written) = before;
        let (cpu_after, written_after) = used(recorder)?;
        // a rate of 6.4 Mbit/s, less two segments for being out of phase
        let expected = 800_000 * time.saturating_sub(2 * SEGMENT).as_secs();
        let grown = written_after.saturating_sub(written);
        ensure!(grown >= expected || !stores, "{} stored only {grown} bytes", recorder.name());
        let cpu = cpu_after.saturating_sub(cpu).div_f64(minutes);
        Ok(Round { cpu, resident_bytes: recorder.resident_bytes()? })
    });
    measured.collect()
}

fn used(recorder: &Recorder) -> Result<(Duration, u64)> {
    Ok((recorder.cpu()?, recorder.written()?))
}

fn report(measured: &[Vec<Round>]) {
    let limits = LIMITS.into_iter().map(|(_, name)| name);
    let names = [""].into_iter().chain(limits).chain(PEERS);
    let cpu = |rounds: &[Round]| Figures::of_times(rounds.iter().map(|round| round.cpu));
    let memory =
        |rounds: &[Round]| Figures::of_bytes(rounds.iter().map(|round| round.resident_bytes));
    let ours = &measured[0];
    for (name, theirs) in names.zip(measured).skip(1) {
        let row = Row {
            work: "recording one channel: CPU time for a minute",
            figures: cpu(ours),
            unit: Unit::Nanoseconds,
            limit: Some((name, cpu(theirs))),
            target: if PEERS.contains(&name) { "< 1 ×" } else { "≤ 50 ms" },
        };
        println!("{row}");
    }
    for (name, theirs) in PEERS.into_iter().zip(&measured[1 + LIMITS.len()..]) {
        let row = Row {
            work: "recording one channel: memory",
            figures: memory(ours),
            unit: Unit::Bytes,
            limit: Some((name, memory(theirs))),
            target: "≤ 20 MB",
        };
        println!("{row}");
    }
}

fn peak(downloader: &Recorder) -> Result<()> {
    let figures = Figures::of_bytes([process::peak_bytes(downloader.id())?]);
    let work = "recording one channel: most memory";
    println!("{}", Row { work, figures, unit: Unit::Bytes, limit: None, target: "≤ 20 MB" });
    Ok(())
}

/// Nothing is said of a downloader that lost something.
fn check(origin: &Origin, downloader: &Recorder, from: Timestamp, until: Timestamp) -> Result<()> {
    let numbers = recorded::listed(origin, 0, from, until)?;
    let lost = recorded::lost(&downloader.store(), origin, 0, numbers)?;
    ensure!(lost == 0, "{lost} segments are not stored full, with their bytes");
    Ok(())
}
