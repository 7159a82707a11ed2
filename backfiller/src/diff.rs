//! What another node's hour has and ours lacks. Pure: names in, names out.

use std::collections::{BTreeSet, HashSet};

use common::base::time::{Hour, Timestamp};
use common::format::segment::Completeness;

use crate::folder::{Entry, Folder, Identity, SAME_START_WITHIN};

/// What is to be copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// The names of tombstones.
    pub tombstones: Vec<Box<str>>,
    /// Segments and chat batches, the better and earlier ones first.
    pub files: Vec<Entry>,
    /// How many began so recently that the downloader may be about to have them.
    pub recent: usize,
    /// How many are here already under another name, up to 1 ms away.
    pub small_differences: usize,
}

/// Returns what `remote` has and `ours` lacks, in O(n log n).
///
/// `beside` are our files of the hours next to this one, which matter where [`reaches`] says so.
/// What starts after `newest_start` is left for later. A file that a tombstone on either side covers
/// exists on neither.
pub fn lacking(
    ours: &Folder,
    beside: &[Entry],
    remote: &Folder,
    newest_start: Timestamp,
) -> Lacking {
    let named: HashSet<&str> = ours.files.iter().map(|entry| &*entry.file_name).collect();
    let exists = |entry: &&Entry| !ours.is_covered(remote, &entry.file_name);
    let mut held = Held::default();
    for entry in ours.files.iter().filter(exists).chain(beside) {
        held.insert(entry.identity);
    }
    let mut candidates: Vec<&Entry> = remote
        .files
        .iter()
        .filter(|entry| !named.contains(&*entry.file_name))
        .filter(exists)
        .collect();
    // of several that are the same, the best is taken, and on every node the same one
    candidates.sort_unstable_by(|a, b| precedence(a).cmp(&precedence(b)));
    let mut lacking = Lacking {
        tombstones: remote.tombstones.difference(&ours.tombstones).cloned().collect(),
        ..Lacking::default()
    };
    for entry in candidates {
        if held.has_same(entry.identity) {
            lacking.small_differences += 1;
        } else if entry.identity.start > newest_start {
            lacking.recent += 1;
        } else {
            held.insert(entry.identity);
            lacking.files.push(entry.clone());
        }
    }
    lacking
}

/// Which of the hours before and after `hour` could hold the same as some file of `folder`.
pub fn reaches(folder: &Folder, hour: Hour) -> impl Iterator<Item = Hour> {
    let starts = || folder.files.iter().map(|entry| entry.identity.start);
    let before = starts().any(|start| start < hour.start() + SAME_START_WITHIN);
    let after = starts().any(|start| start >= hour.end() - SAME_START_WITHIN);
    let before = before.then(|| hour.previous()).flatten();
    let after = after.then(|| hour.next()).flatten();
    before.into_iter().chain(after)
}

fn precedence(entry: &Entry) -> (Completeness, Timestamp, &str) {
    (entry.identity.completeness, entry.identity.start, &entry.file_name)
}

/// The segments that are here, so that the same one is found up to 1 ms away.
#[derive(Default)]
struct Held(BTreeSet<Identity>);

impl Held {
    fn insert(&mut self, identity: Identity) {
        self.0.insert(identity);
    }

    /// Whether the same content is held under a name that says at least as much for it: for how
    /// long it lasts, a name must say the same.
    fn has_same(&self, identity: Identity) -> bool {
        [Completeness::Full, Completeness::Suspect, Completeness::Partial]
            .into_iter()
            .filter(|completeness| *completeness <= identity.completeness)
            .any(|completeness| self.0.range(identity.same_with(completeness)).next().is_some())
    }
}

#[cfg(test)]
mod tests;
