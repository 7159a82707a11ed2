//! Selecting the segments of an hour and of a week, against the system calls that list the same folders.
//!
//! What is compared runs in turn, so that whatever else the machine does hits both alike.

use std::hint::black_box;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use benches::figures::{Figures, Row, Unit};
use benches::tree::{self, Tree};
use benches::{limit, select};
use common::base::time::TimeRange;
use common::io::store::Feed;

fn main() -> Result<()> {
    let tree = Tree::ready()?;
    let (hour, week) = ([tree.only_hour_path()], tree.hour_paths());
    let figures = Compared::measure(&tree, &hour, &tree::hour_feed(), tree::first_hour(), 1_001)?;
    let work = "select 1 h (1,800 names), index empty";
    row(work, figures.empty, ("getdents", figures.getdents), "≤ 1.4 ×");
    let figures = Compared::measure(&tree, &week, &tree::week_feed(), tree::week(), 31)?;
    let work = "select 168 h (302,400 names), index empty";
    row(work, figures.empty, ("getdents", figures.getdents), "≤ 1.5 ×");
    let work = "select 168 h (302,400 names), index warm";
    row(work, figures.warm, ("stat of the folders", figures.stat), "≤ 3 ms");
    Ok(())
}

/// What was measured of a span.
struct Compared {
    getdents: Figures,
    empty: Figures,
    stat: Figures,
    warm: Figures,
}

impl Compared {
    /// Selects all of `range`, which lies in `folders`, with an empty and with a warm index, and does
    /// what cannot be avoided for that, `rounds` times.
    fn measure<P: AsRef<Path>>(
        tree: &Tree,
        folders: &[P],
        feed: &Feed,
        range: TimeRange,
        rounds: usize,
    ) -> Result<Self> {
        let names = folders.len() * tree::SEGMENTS_PER_HOUR;
        let kept = tree.store()?;
        let selected = select(&kept, feed, range)?;
        ensure!(selected.len() == names && selected.is_whole(), "{} segments", selected.len());
        let mut buffer = limit::buffer();
        ensure!(limit::getdents(folders, &mut buffer)? == names, "other files are there");
        let [mut getdents, mut empty, mut stat, mut warm] = [(); 4].map(|()| Vec::new());
        for _ in 0..rounds {
            getdents.push(timed(|| limit::getdents(folders, &mut buffer))?);
            let store = tree.store()?;
            empty.push(timed(|| select(&store, feed, range))?);
            stat.push(timed(|| limit::stat(folders))?);
            warm.push(timed(|| select(&kept, feed, range))?);
        }
        let [getdents, empty, stat, warm] =
            [getdents, empty, stat, warm].map(|times: Vec<Duration>| Figures::of_times(times));
        Ok(Self { getdents, empty, stat, warm })
    }
}

fn timed<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<Duration> {
    let begun = Instant::now();
    let done = black_box(work()?);
    let time = begun.elapsed();
    drop(done);
    Ok(time)
}

fn row(work: &str, figures: Figures, limit: (&str, Figures), target: &str) {
    println!("{}", Row { work, figures, unit: Unit::Nanoseconds, limit: Some(limit), target });
}
