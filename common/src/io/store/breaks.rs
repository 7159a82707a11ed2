//! Where capture notes say that the stream does not follow on, read again only when a file grew.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::notes::{FOLDER, MAX_FILE_BYTES, Note, parse};
use super::{Feed, Store};
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
        let base = self.base().join(FOLDER);
        let nodes: Vec<FolderName> = self.folders_in(&base).unwrap_or_default();
        let mut all = Vec::new();
        for node in nodes {
            let mut folder = base.join(node.as_str());
            folder.extend([feed.channel.as_str(), feed.quality.as_str()]);
            if !folder.is_dir() {
                continue;
            }
            for hour in hours {
                let path = folder.join(format!("{hour}.jsonl"));
                all.extend_from_slice(&self.breaks.of(&path));
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Breaks {
    fn of(&self, path: &Path) -> Arc<[Timestamp]> {
        let Ok(file) = std::fs::metadata(path) else {
            return Arc::default();
        };
        let identity = Identity::of(&file);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(path).filter(|known| known.identity == identity) {
            return Arc::clone(&known.discontinuities);
        }
        let Ok(discontinuities) = read(path) else {
            return Arc::default();
        };
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let answer = Known { identity, discontinuities: discontinuities.into() };
        known.insert(path.to_owned(), answer.clone());
        answer.discontinuities
    }
}

fn read(path: &Path) -> io::Result<Vec<Timestamp>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    let notes = parse(&String::from_utf8_lossy(&bytes));
    let is_break = |note: &Note| match note {
        Note::Discontinuity { start, .. } => Some(*start),
        Note::Missing { .. } => None,
    };
    Ok(notes.iter().filter_map(is_break).collect())
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
        let discontinuity =
            |start| Note::Discontinuity { start, detail: String::new(), learned: start };
        let missing = Note::Missing {
            start: at(1),
            duration: 2.0,
            why: Why::Expired,
            detail: String::new(),
            learned: at(1),
        };
        assert_eq!(store.discontinuities(&feed, &[hour]), []);
        of("a").append(&[discontinuity(at(4)), missing]).unwrap();
        of("b").append(&[discontinuity(at(2)), discontinuity(at(4))]).unwrap();
        assert_eq!(store.discontinuities(&feed, &[hour]), [at(2), at(4)]);
        of("a").append(&[discontinuity(at(6))]).unwrap();
        assert_eq!(store.discontinuities(&feed, &[hour]), [at(2), at(4), at(6)]);
        assert_eq!(store.discontinuities(&feed, &[hour.next().unwrap()]), []);
    }
}
