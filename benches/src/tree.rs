//! A recording of a week: 302,400 segments of 2 s in one quality. Made once, the same on every machine.
//!
//! The files of an hour are links to a single one, a real segment, so that a week takes 50 MB and some
//! seconds. Their names are canonical, with hashes of their numbers instead of their bytes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};
use chrono::TimeDelta;
use common::base::hash::ContentHash;
use common::base::time::{Hour, TimeRange, Timestamp};
use common::format::segment::{Completeness, MediaDuration, SegmentName, Tail};
use common::io::store::{Access, Feed, Store};

/// How many hours are recorded.
pub const HOURS: usize = 168;

/// How many segments an hour has.
pub const SEGMENTS_PER_HOUR: usize = 1_800;

/// How many segments there are.
pub const SEGMENTS: usize = HOURS * SEGMENTS_PER_HOUR;

/// How long each segment lasts, in seconds.
pub const SEGMENT_SECONDS: u8 = 2;

/// A Monday, 2026-01-05T00:00:00. Long ago, so that nothing looks like a clock that is wrong.
const START: Timestamp = Timestamp::from_micros(1_767_571_200_000_000);

/// The bytes of every segment.
const MEDIA: &[u8] = include_bytes!("../../common/testdata/media/h264-aac.ts");

/// The recording.
#[derive(Debug)]
pub struct Tree {
    base: PathBuf,
}

impl Tree {
    /// The recording, made first if it is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn ready() -> Result<Self> {
        let tree = Self { base: super::folder().join("tree") };
        if !tree.base.is_dir() {
            let unfinished = Self { base: super::folder().join("tree.unfinished") };
            if unfinished.base.exists() {
                fs::remove_dir_all(&unfinished.base).context("remove what was not finished")?;
            }
            unfinished.make().context("make the recording of a week")?;
            fs::rename(&unfinished.base, &tree.base).context("put the recording in its place")?;
        }
        Ok(tree)
    }

    /// The base folder of the store.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The store, with nothing of it in memory.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn store(&self) -> Result<Store> {
        Ok(Store::open(&self.base, Access::Read)?)
    }

    /// The folder of an hour of the week.
    pub fn hour_path(&self, hour: Hour) -> PathBuf {
        self.path(&week_feed(), hour)
    }

    /// The folders of all hours of the week.
    pub fn hour_paths(&self) -> Vec<PathBuf> {
        hours().map(|hour| self.hour_path(hour)).collect()
    }

    /// The only hour folder of [`hour_feed`].
    pub fn only_hour_path(&self) -> PathBuf {
        self.path(&hour_feed(), START.hour())
    }

    fn path(&self, feed: &Feed, hour: Hour) -> PathBuf {
        let Feed { channel, quality } = feed;
        self.base.join(channel.as_str()).join(quality.as_str()).join(hour.to_string())
    }

    fn make(&self) -> Result<()> {
        let mut folders: Vec<(PathBuf, Hour)> =
            hours().map(|hour| (self.hour_path(hour), hour)).collect();
        folders.push((self.only_hour_path(), START.hour()));
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let shares = folders.chunks(folders.len().div_ceil(workers));
        thread::scope(|scope| {
            let work = |share: &[(PathBuf, Hour)]| -> io::Result<()> {
                share.iter().try_for_each(|(folder, hour)| make_hour(folder, *hour))
            };
            let workers: Vec<_> = shares.map(|share| scope.spawn(move || work(share))).collect();
            workers.into_iter().try_for_each(|worker| Ok(worker.join().expect("no panic")?))
        })
    }
}

/// Where the week lies.
pub fn week_feed() -> Feed {
    feed("week")
}

/// Where a single hour lies, the first one of the week, with no neighbours that would be read with it.
pub fn hour_feed() -> Feed {
    feed("hour")
}

fn feed(channel: &str) -> Feed {
    let name = |text: &str| text.parse().expect("a plain word is a folder's name");
    Feed { channel: name(channel), quality: name("source") }
}

/// The hours of the week.
pub fn hours() -> impl Iterator<Item = Hour> {
    (0..).map(|hour| (START + TimeDelta::hours(hour)).hour()).take(HOURS)
}

/// The first instant after the recording.
pub fn end() -> Timestamp {
    START + TimeDelta::hours(HOURS.try_into().expect("a small number"))
}

/// The whole week.
pub fn week() -> TimeRange {
    TimeRange::new(START, end()).expect("a week is not empty")
}

/// The first hour.
pub fn first_hour() -> TimeRange {
    TimeRange::new(START, START + TimeDelta::hours(1)).expect("an hour is not empty")
}

/// The name of a segment that starts at `start`.
pub fn name(start: Timestamp) -> String {
    let duration = MediaDuration::from_seconds(SEGMENT_SECONDS.into()).expect("a few seconds");
    let hash = ContentHash::of(&start.micros().to_le_bytes());
    SegmentName::new(start, duration, Tail::Published(Completeness::Full, hash)).to_string()
}

fn make_hour(folder: &Path, hour: Hour) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let starts = (0..).map(|number| hour.start() + length() * number).take(SEGMENTS_PER_HOUR);
    let first = folder.join(name(hour.start()));
    fs::write(&first, MEDIA)?;
    starts.skip(1).try_for_each(|start| fs::hard_link(&first, folder.join(name(start))))
}

/// How long each segment lasts.
pub fn length() -> TimeDelta {
    TimeDelta::seconds(SEGMENT_SECONDS.into())
}
