//! Where capture notes say that the stream does not follow on, read again only when a file grew.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::notes::{FOLDER, MAX_FILE_BYTES, Note, parse};
use super::{Feed, Store, Wait};
use crate::base::time::{Hour, Timestamp};
use crate::format::folder::FolderName;

/// How many files' answers are kept; more than two weeks of a feed of several nodes.
const REMEMBERED: usize = 10_000;

/// What was read of files of notes.
#[derive(Debug, Default)]
pub(super) struct Breaks {
    known: Mutex<HashMap<PathBuf, Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    identity: Identity,
    discontinuities: Arc<[Timestamp]>,
}

/// A file of notes only ever grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    inode: u64,
    size: u64,
}

impl Identity {
    fn of(file: &Metadata) -> Self {
        Self { inode: file.ino(), size: file.len() }
    }
}

impl Store {
    /// Where the notes of any node say that what begins there does not follow on from what was
    /// before, in `hours` of `feed`; sorted. What cannot be read says nothing. Blocks on the disk.
    pub fn discontinuities(&self, feed: &Feed, hours: &[Hour]) -> Vec<Timestamp> {
        let nodes: Vec<FolderName> = self.folders_in(&self.base().join(FOLDER)).unwrap_or_default();
        let mut all = Vec::new();
        for node in nodes {
            let parts = [FOLDER, node.as_str(), feed.channel.as_str(), feed.quality.as_str()];
            let folder: PathBuf = parts.iter().collect();
            if !self.base().join(&folder).is_dir() {
                continue;
            }
            for hour in hours {
                let path = folder.join(format!("{hour}.jsonl"));
                all.extend_from_slice(&self.breaks.of(self, &path));
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Breaks {
    /// Those in the file at `path`, relative to the base folder of `store`.
    fn of(&self, store: &Store, path: &Path) -> Arc<[Timestamp]> {
        let Ok(now) = std::fs::metadata(store.base().join(path)) else {
            return Arc::default();
        };
        let now = Identity::of(&now);
        if let Some(known) = self.known().get(path).filter(|known| known.identity == now) {
            return Arc::clone(&known.discontinuities);
        }
        // others need not wait for the disk
        let Ok(read) = read(store, path) else {
            return Arc::default();
        };
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(path.to_owned(), read.clone());
        read.discontinuities
    }

    fn known(&self) -> MutexGuard<'_, HashMap<PathBuf, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(store: &Store, path: &Path) -> io::Result<Known> {
    let file = store.open_file(path, Wait::ForDisk)?;
    // asked before it is read: what is appended meanwhile is read again
    let identity = Identity::of(&file.metadata()?);
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    let notes = parse(&bytes);
    let is_break = |note: &Note| match note {
        Note::Discontinuity { start, .. } => Some(*start),
        Note::Missing { .. } => None,
    };
    Ok(Known { identity, discontinuities: notes.iter().filter_map(is_break).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::store::Access;
    use crate::io::store::notes::{Notes, Why};

    #[test]
    fn the_notes_of_every_node_count_and_new_ones_are_seen() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Write).unwrap();
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        let hour: Hour = "2026-11-20T10".parse().unwrap();
        let at = |second| hour.start() + chrono::TimeDelta::seconds(second);
        let of = |node: &str| Notes::new(store.clone(), node.parse().unwrap(), feed.clone());
        let discontinuity = |start| Note::Discontinuity {
            start,
            skipped: None,
            detail: String::new(),
            learned: start,
        };
        let missing = Note::Missing {
            start: at(1),
            duration: 2.0,
            why: Why::Expired,
            detail: String::new(),
            learned: at(1),
        };
        assert_eq!(store.discontinuities(&feed, &[hour]), []);
        of("a").append([discontinuity(at(4)), missing]).unwrap();
        of("b").append([discontinuity(at(2)), discontinuity(at(4))]).unwrap();
        assert_eq!(store.discontinuities(&feed, &[hour]), [at(2), at(4)]);
        of("a").append([discontinuity(at(6))]).unwrap();
        assert_eq!(store.discontinuities(&feed, &[hour]), [at(2), at(4), at(6)]);
        assert_eq!(store.discontinuities(&feed, &[hour.next().unwrap()]), []);
    }

    #[test]
    fn notes_that_must_not_be_read_say_nothing_and_hold_nobody_up() {
        let [base, outside] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let store = Store::open(base.path(), Access::Write).unwrap();
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        let hour: Hour = "2026-11-20T10".parse().unwrap();
        let [elsewhere, of_a, of_b] = [
            Notes::new(
                Store::open(outside.path(), Access::Write).unwrap(),
                "x".parse().unwrap(),
                feed.clone(),
            ),
            Notes::new(store.clone(), "a".parse().unwrap(), feed.clone()),
            Notes::new(store.clone(), "b".parse().unwrap(), feed.clone()),
        ];
        let start = hour.start();
        let note =
            Note::Discontinuity { start, skipped: None, detail: String::new(), learned: start };
        elsewhere.append([note]).unwrap();
        for notes in [&of_a, &of_b] {
            store.create_folder(notes.path(hour).parent().unwrap()).unwrap();
        }
        std::os::unix::fs::symlink(elsewhere.path(hour), of_a.path(hour)).unwrap();
        let (pipe, kind) = (of_b.path(hour), rustix::fs::FileType::Fifo);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, rustix::fs::Mode::RUSR, 0).unwrap();
        assert_eq!(store.discontinuities(&feed, &[hour]), []);
    }
}
