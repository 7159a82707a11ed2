//! A downloader at work on one channel, and what it has recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::base::hash::ContentHash;
use common::base::time::{Hour, Timestamp};
use common::format::segment::{Completeness, MediaDuration, SegmentName, Tail};
use common::io::store::notes::{Note, Notes, Why};
use common::io::store::{Access, Feed, Store};

/// The node, the channel and the quality that every recording is of.
const NODE: &str = "node";
const CHANNEL: &str = "chan";
const QUALITY: &str = "source";

/// The arguments of a downloader that records what is at `url` into `base`.
pub(crate) fn recorder_arguments(url: &str, base: &Path) -> Vec<String> {
    let base = base.to_str().expect("tests have plain paths");
    let channel = format!("{CHANNEL}!:url:{url}");
    [&channel, "--base-dir", base, "--name", NODE].map(str::to_owned).to_vec()
}

/// A published file of a store.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recorded {
    pub(crate) path: PathBuf,
    pub(crate) start: Timestamp,
    pub(crate) duration: MediaDuration,
    pub(crate) completeness: Completeness,
    pub(crate) hash: ContentHash,
}

impl Recorded {
    pub(crate) fn end(&self) -> Timestamp {
        self.start + self.duration.delta()
    }
}

/// Everything that is published in the store at `base`, in the order of time.
pub(crate) fn recorded(base: &Path) -> Vec<Recorded> {
    let (store, feed) = opened(base);
    let mut recorded = Vec::new();
    for hour in store.hours(&feed).expect("it can be listed") {
        let folder = store.hour_path(&feed, hour);
        let names = store.file_names(&feed, hour).expect("it can be listed");
        recorded.extend(names.iter().filter_map(|name| of(&folder, hour, name)));
    }
    recorded.sort_by_key(|recorded| (recorded.start, recorded.completeness));
    recorded
}

fn of(folder: &Path, hour: Hour, name: &str) -> Option<Recorded> {
    let parsed: SegmentName = name.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
    let (completeness, hash) = parsed.published()?;
    let (start, duration) = (parsed.start(hour), parsed.duration());
    Some(Recorded { path: folder.join(name), start, duration, completeness, hash })
}

/// The files in the store at `base` that are being written, or were when their downloader died, each with
/// the bytes that it has.
pub(crate) fn unfinished(base: &Path) -> BTreeMap<PathBuf, usize> {
    let (store, feed) = opened(base);
    let mut files = Vec::new();
    for hour in store.hours(&feed).expect("it can be listed") {
        let mut names = store.file_names(&feed, hour).expect("it can be listed");
        names.retain(|name| name.parse().is_ok_and(|name| is_temp(&name)));
        files.extend(names.iter().map(|name| store.hour_path(&feed, hour).join(name)));
    }
    // one that is gone meanwhile was published
    let size = |path: PathBuf| {
        let size = path.metadata().ok()?.len();
        Some((path, usize::try_from(size).expect("it is short")))
    };
    files.into_iter().filter_map(size).collect()
}

fn is_temp(name: &SegmentName) -> bool {
    matches!(name.tail(), Tail::Temp(_))
}

/// A span of which a note says that it is missing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Missing {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) why: Why,
    detail: String,
}

/// All spans that are noted as missing in the store at `base`, as they were noted.
pub(crate) fn missing(base: &Path) -> Vec<Missing> {
    let (store, feed) = opened(base);
    let notes = Notes::new(store, NODE.parse().expect("it is plain"), feed);
    let folder = notes.path("2026-01-01T00".parse().expect("it is an hour"));
    let folder = folder.parent().expect("it lies in a folder");
    let files = std::fs::read_dir(folder).into_iter().flatten();
    let mut hours: Vec<Hour> =
        files.filter_map(|file| file.ok()?.path().file_stem()?.to_str()?.parse().ok()).collect();
    hours.sort();
    let notes = hours.into_iter().flat_map(|hour| notes.read(hour).expect("it can be read"));
    notes.filter_map(span).collect()
}

fn span(note: Note) -> Option<Missing> {
    match note {
        Note::Missing { start, duration, why, detail, .. } => {
            let duration =
                chrono::TimeDelta::from_std(std::time::Duration::from_secs_f64(duration));
            let end = start + duration.expect("it is no eternity");
            Some(Missing { start, end, why, detail })
        }
        Note::Discontinuity { .. } => None,
    }
}

fn opened(base: &Path) -> (Store, Feed) {
    let store = Store::open(base, Access::Read).expect("it is there");
    let name = |name: &str| name.parse().expect("it is plain");
    (store, Feed { channel: name(CHANNEL), quality: name(QUALITY) })
}
