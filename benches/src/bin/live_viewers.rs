//! What a viewer costs who watches live: a segment arrives every 2 s, and the playlist is loaded again
//! as often, as an update and compressed, as players in browsers do.
//!
//!     live_viewers target/release/restreamer [SECONDS]

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use benches::figures::{Figures, Row, Unit};
use benches::growing::Growing;
use benches::process;
use benches::restreamer::Restreamer;
use benches::tree::{self, Tree};
use chrono::TimeDelta;

const RELOAD: Duration = Duration::from_secs(tree::SEGMENT_SECONDS as u64);

const COMPRESSED: &str = "Accept-Encoding: gzip, deflate, br, zstd\r\n";

fn main() -> Result<()> {
    let (program, tree) = (Restreamer::program()?, Tree::ready()?);
    let seconds = std::env::args().nth(2).map_or(Ok(60), |text| text.parse());
    let seconds = Duration::from_secs(seconds.context("the seconds are a number")?);
    for hours in [12, 168] {
        let restreamer = Restreamer::start(&program, tree.base())?;
        let figures = watch(&restreamer, &tree, TimeDelta::hours(hours), seconds)?;
        let work = format!("live viewer of {hours} h, restreamer's CPU time");
        let target = "< 1 % of a core";
        let row = Row { work: &work, figures, unit: Unit::Percent, limit: None, target };
        println!("{row}");
    }
    Ok(())
}

/// Watches for `time`, and says how much of one processor the restreamer took from reload to reload, in
/// percent. What it took to load the playlist first does not count.
fn watch(
    restreamer: &Restreamer,
    tree: &Tree,
    length: TimeDelta,
    time: Duration,
) -> Result<Figures> {
    let mut growing = Growing::begin(tree)?;
    let start = tree::week().end() - length;
    let path = format!("/playlist/week/source.m3u8?start={start}&end=2099-01-01T00:00");
    let update = format!("{path}&_HLS_skip=YES");
    let mut client = restreamer.connect()?;
    growing.publish()?;
    client.get_with(&path, COMPRESSED)?;
    client.get(&update)?;
    let whole = client.body().len();
    let mut percents = Vec::new();
    let begun = Instant::now();
    let mut next = begun;
    while begun.elapsed() < time {
        let before = process::cpu_of_threads(restreamer.id())?;
        growing.publish()?;
        next += RELOAD;
        thread::sleep(next.saturating_duration_since(Instant::now()));
        client.get_with(&update, COMPRESSED)?;
        ensure!(client.body().len() < 2 * whole, "the updates grow");
        // a thread that ended took what it had used with it
        let used = process::cpu_of_threads(restreamer.id())?.checked_sub(before);
        percents.extend(used.map(|used| 100.0 * used.div_duration_f64(RELOAD)));
    }
    Ok(Figures::of(percents))
}
