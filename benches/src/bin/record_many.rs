//! A hundred live channels of 6.4 Mbit/s at once, recorded by one process: whether anything is lost,
//! processor time, and memory; on the disk of the workspace and in memory, each beside what only receives,
//! hashes and stores the same.
//!
//!     record_many target/release/downloader [SECONDS [CHANNELS]]

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
use common::base::time::{Clock, SystemClock};

/// How long a recorder may take until it records, in segments that it could have by then.
const WARM_UP: u32 = 8;

/// From one look at a recorder to the next.
const STEP: Duration = Duration::from_secs(10);

/// A folder that is in memory, wherever Linux runs.
const MEMORY: &str = "/dev/shm";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let program = fs::canonicalize(arguments.next().context("give the downloader's path")?)?;
    let seconds: u64 = arguments.next().map_or(Ok(60), |seconds| seconds.parse())?;
    let channels: usize = arguments.next().map_or(Ok(100), |channels| channels.parse())?;
    let material = Arc::new(Material::ready()?);
    let time = Duration::from_secs(seconds);
    let bytes = 800_000 * channels as u64 * (time + WARM_UP * SEGMENT + 2 * STEP).as_secs();
    for (place, parent) in [("on disk", benches::folder()), ("in memory", MEMORY.into())] {
        ensure_room(&parent, bytes)?;
        let measured = [true, false].map(|ours| {
            let folder = benches::scratch_in(&parent, &format!("record-many-{ours}"))?;
            let origin = Origin::start(Arc::clone(&material), channels, TimeDelta::zero(), false)?;
            let recorder = if ours {
                Recorder::downloader(&program, &origin, 0..channels, folder.path())?
            } else {
                Recorder::limit("store", &origin, 0..channels, folder.path())?
            };
            measure(&origin, recorder, time, ours)
        });
        let [ours, limit] = measured;
        report(place, channels, &ours?, &limit?);
    }
    Ok(())
}

/// What was measured of a recorder.
struct Measured {
    /// In percent of a processor, from look to look.
    cpu: Vec<f64>,
    resident_bytes: Vec<u64>,
    peak_bytes: u64,
    lost: usize,
}

fn measure(
    origin: &Origin,
    mut recorder: Recorder,
    time: Duration,
    ours: bool,
) -> Result<Measured> {
    // whatever is listed from here on must be had, however much there is to do at the start
    let started = SystemClock.now();
    thread::sleep(SEGMENT * WARM_UP);
    let begun = Instant::now();
    let (mut cpu, mut resident_bytes) = (Vec::new(), Vec::new());
    let mut before = (begun, recorder.cpu()?);
    while begun.elapsed() < time {
        thread::sleep(STEP);
        let now = (Instant::now(), recorder.cpu()?);
        let used = now.1.saturating_sub(before.1);
        cpu.push(100.0 * used.div_duration_f64(now.0 - before.0));
        resident_bytes.push(recorder.resident_bytes()?);
        before = now;
    }
    let until = SystemClock.now();
    let peak_bytes = process::peak_bytes(recorder.id())?;
    // what was listed last may still be on its way
    thread::sleep(3 * SEGMENT);
    recorder.stop()?;
    let mut lost = 0;
    for channel in (0..origin.schedule().channels).filter(|_| ours) {
        let numbers = recorded::listed(origin, channel, started, until)?;
        lost += recorded::lost(&recorder.store(), origin, channel, numbers)?;
    }
    Ok(Measured { cpu, resident_bytes, peak_bytes, lost })
}

fn report(place: &str, channels: usize, ours: &Measured, limit: &Measured) {
    let name = "receiving, hashing, storing";
    let work = |what| format!("recording {channels} channels, stored {place}: {what}");
    let row = |what, figures, unit, limit, target| {
        println!("{}", Row { work: &work(what), figures, unit, limit, target });
    };
    let cpu = |measured: &Measured| Figures::of(measured.cpu.iter().copied());
    row("CPU time", cpu(ours), Unit::Percent, Some((name, cpu(limit))), "≤ 100 %");
    let memory = |measured: &Measured| Figures::of_bytes(measured.resident_bytes.iter().copied());
    row("memory", memory(ours), Unit::Bytes, Some((name, memory(limit))), "≤ 120 MB");
    row("most memory", Figures::of_bytes([ours.peak_bytes]), Unit::Bytes, None, "≤ 120 MB");
    let lost = u32::try_from(ours.lost).unwrap_or(u32::MAX);
    row("segments lost", Figures::of([lost.into()]), Unit::Count, None, "0");
}

fn ensure_room(folder: &Path, bytes: u64) -> Result<()> {
    fs::create_dir_all(folder)?;
    let room = rustix::fs::statvfs(folder).context("ask how much room there is")?;
    let free = room.f_bavail * room.f_frsize;
    ensure!(free > bytes, "{} has {free} bytes, and {bytes} are needed", folder.display());
    Ok(())
}
