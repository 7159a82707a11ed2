//! Playlists and listings over HTTP, from a restreamer in a process of its own.
//!
//!     serve_playlists target/release/restreamer

use std::time::Duration;

use anyhow::{Result, ensure};
use benches::client::{Client, Times};
use benches::figures::{Figures, Row, Unit};
use benches::growing::Growing;
use benches::process;
use benches::restreamer::Restreamer;
use benches::tree::{self, Tree};
use chrono::TimeDelta;

/// How often the playlist of a week is asked for.
const WEEKS: usize = 21;

/// How often a listing is asked for.
const LISTINGS: usize = 1_000;

/// How many segments arrive.
const UPDATES: usize = 200;

fn main() -> Result<()> {
    let (program, tree) = (Restreamer::program()?, Tree::ready()?);
    // each in a fresh process, so that none profits from another
    week(&Restreamer::start(&program, tree.base())?)?;
    listings(&Restreamer::start(&program, tree.base())?)?;
    updates(&Restreamer::start(&program, tree.base())?, &tree)
}

/// The playlist of a whole week, which is over.
fn week(restreamer: &Restreamer) -> Result<()> {
    let (start, end) = (tree::week().start(), tree::week().end());
    let path = format!("/playlist/week/source.m3u8?start={start}&end={end}");
    let mut client = restreamer.connect()?;
    client.get("/healthz")?;
    let before = restreamer.resident_bytes()?;
    let first = client.get(&path)?;
    let segments = lines_beginning(client.body(), "#EXTINF");
    ensure!(segments == tree::SEGMENTS, "the playlist lists {segments} segments");
    ensure!(client.body().ends_with(b"#EXT-X-ENDLIST\n"), "the playlist is not complete");
    let warm = (0..WEEKS).map(|_| client.get(&path)).collect::<Result<Vec<_>>>()?;
    let grown = restreamer.resident_bytes()?.saturating_sub(before);
    let compressed = (0..3).map(|_| client.get_with(&path, "Accept-Encoding: gzip\r\n"));
    let compressed = compressed.collect::<Result<Vec<_>>>()?;

    time("playlist of 168 h, the first time: last byte", [first.last_byte], "");
    time("playlist of 168 h, warm: first byte", warm.iter().map(first_byte), "≤ 5 ms");
    time("playlist of 168 h, warm: last byte", warm.iter().map(last_byte), "≤ 60 ms");
    time("playlist of 168 h, warm, gzip: last byte", compressed.iter().map(last_byte), "");
    let figures = Figures::of_bytes([grown]);
    let work = "restreamer, memory after the playlist of 168 h";
    let row = Row { work, figures, unit: Unit::Bytes, limit: None, target: "≤ + 30 MB" };
    println!("{row}");
    Ok(())
}

fn listings(restreamer: &Restreamer) -> Result<()> {
    let mut client = restreamer.connect()?;
    let nothing = round_trips(&mut client, "/healthz")?;
    let hour = format!("/files/week/source/{}", tree::week().start().hour());
    for (work, path) in [
        ("listing of the channels, kept-alive", "/files"),
        ("listing of 168 hours, kept-alive", "/files/week/source"),
        ("listing of 1,800 segments, kept-alive", &hour),
    ] {
        client.get(path)?;
        let (figures, limit) = (round_trips(&mut client, path)?, Some(("/healthz", nothing)));
        let (unit, target) = (Unit::Nanoseconds, "≤ 200 µs");
        println!("{}", Row { work, figures, unit, limit, target });
    }
    Ok(())
}

fn round_trips(client: &mut Client, path: &str) -> Result<Figures> {
    let times = (0..LISTINGS).map(|_| client.get(path)).collect::<Result<Vec<_>>>()?;
    Ok(Figures::of_times(times.iter().map(last_byte)))
}

/// A playlist that grows, asked for what is new after each segment.
fn updates(restreamer: &Restreamer, tree: &Tree) -> Result<()> {
    let mut growing = Growing::begin(tree)?;
    let start = tree::week().end() - TimeDelta::hours(12);
    let path = format!("/playlist/week/source.m3u8?start={start}&end=2099-01-01T00:00");
    let update = format!("{path}&_HLS_skip=YES");
    let mut client = restreamer.connect()?;
    growing.publish()?;
    client.get(&path)?;
    let (mut times, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..UPDATES {
        let name = growing.publish()?;
        let before = process::cpu_of_threads(restreamer.id())?;
        times.push(client.get(&update)?);
        // a thread that ended took what it had used with it
        let after = process::cpu_of_threads(restreamer.id())?;
        cpu.extend(after.checked_sub(before));
        check_update(&client, &name)?;
    }
    let work = "12 h live, update after a new segment: server's CPU time";
    time(work, cpu, "≤ 1 ms");
    time(
        "12 h live, update after a new segment: round trip",
        times.iter().map(last_byte),
        "≤ 1 ms",
    );
    Ok(())
}

fn check_update(client: &Client, name: &str) -> Result<()> {
    let text = String::from_utf8_lossy(client.body());
    ensure!(text.contains("#EXT-X-SKIP:"), "it is no update:\n{text}");
    ensure!(text.contains(name), "{name} is not in it yet:\n{text}");
    Ok(())
}

fn time(work: &str, times: impl IntoIterator<Item = Duration>, target: &str) {
    let figures = Figures::of_times(times);
    println!("{}", Row { work, figures, unit: Unit::Nanoseconds, limit: None, target });
}

fn first_byte(times: &Times) -> Duration {
    times.first_byte
}

fn last_byte(times: &Times) -> Duration {
    times.last_byte
}

fn lines_beginning(text: &[u8], word: &str) -> usize {
    text.split(|byte| *byte == b'\n').filter(|line| line.starts_with(word.as_bytes())).count()
}
