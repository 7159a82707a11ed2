//! Capture notes: what a downloader learned beyond the bytes, as JSON lines.
//!
//! `BASE/notes/<node>/<channel>/<quality>/<hour>.jsonl`, the hour being that of the note's start.
//! Only the node in the path appends to a file, and nothing is ever taken back, so that every copy
//! on another node is a prefix of the original.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Feed, Store};
use crate::base::time::{Hour, Timestamp};
use crate::format::folder::FolderName;

mod append;

use append::Appending;

/// The folder of all notes below the base folder; it replicates as an extra.
pub const FOLDER: &str = "notes";

/// How large the notes of one hour may become, in bytes: a publisher that announces gaps without
/// end must not fill the disk.
pub const MAX_FILE_BYTES: u64 = 16 << 20;

/// One thing that was learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Note {
    /// A span that should have video and has none from this downloader, or none that is whole.
    Missing {
        /// Where the span begins.
        start: Timestamp,
        /// Seconds.
        duration: f64,
        /// The reason.
        why: Why,
        /// More about the reason, for people.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
        /// When this was learned.
        learned: Timestamp,
    },
    /// The publisher said, or showed, that what begins here does not follow on from what was before.
    Discontinuity {
        /// Where the segment after it begins.
        start: Timestamp,
        /// For how many seconds before it the publisher's clock knows nothing, where it jumped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        skipped: Option<f64>,
        /// What was seen, for people, unless it was just announced.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
        /// When this was learned.
        learned: Timestamp,
    },
}

impl Note {
    /// Where the note belongs in time.
    pub const fn start(&self) -> Timestamp {
        match self {
            Self::Missing { start, .. } | Self::Discontinuity { start, .. } => *start,
        }
    }
}

/// Why a span is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Answered 404, or was gone from the list before it was fetched.
    Expired,
    /// Answered 401, 403 or 451, or may not be decrypted.
    Refused,
    /// Was an advertisement.
    Advertisement,
    /// Took too long.
    TimeOut,
    /// Came cut short.
    Truncated,
    /// Came, but not as video.
    Damaged,
    /// Was announced as a gap.
    Gap,
    /// Its number was skipped.
    SequenceJump,
    /// There was no room.
    DiskFull,
    /// This downloader was not running.
    Stopped,
    /// The channel was not live.
    Offline,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Expired,
        Self::Refused,
        Self::Advertisement,
        Self::TimeOut,
        Self::Truncated,
        Self::Damaged,
        Self::Gap,
        Self::SequenceJump,
        Self::DiskFull,
        Self::Stopped,
        Self::Offline,
    ];

    /// The word in the note.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Advertisement => "advertisement",
            Self::TimeOut => "time-out",
            Self::Truncated => "truncated",
            Self::Damaged => "damaged",
            Self::Gap => "gap",
            Self::SequenceJump => "sequence-jump",
            Self::DiskFull => "disk-full",
            Self::Stopped => "stopped",
            Self::Offline => "offline",
        }
    }
}

/// Notes that were not written.
#[derive(Debug, Error)]
#[error("{} notes are not written: {error}", notes.len() + lost)]
pub struct Unwritten {
    /// The first reason.
    #[source]
    pub error: io::Error,
    /// Those that may be tried again.
    pub notes: Vec<Note>,
    /// How many there were that have no room, now or later.
    pub lost: usize,
}

/// The notes of one node on one feed. Clones of one append one after another.
#[derive(Clone, Debug)]
pub struct Notes {
    store: Store,
    node: FolderName,
    feed: Feed,
    appending: Arc<Mutex<Appending>>,
}

impl Notes {
    /// The notes that `node` keeps on `feed`. There must be one writer only.
    pub fn new(store: Store, node: FolderName, feed: Feed) -> Self {
        Self { store, node, feed, appending: Arc::default() }
    }

    /// The file of an hour.
    pub fn path(&self, hour: Hour) -> PathBuf {
        let Feed { channel, quality } = &self.feed;
        let mut path = self.store.base().join(FOLDER);
        path.extend([self.node.as_str(), channel.as_str(), quality.as_str()]);
        path.join(format!("{hour}.jsonl"))
    }

    /// Appends `notes`, each to the file of its hour, and flushes them to the disk. Blocks.
    ///
    /// # Errors
    ///
    /// Gives back what was not written: when the disk refuses, or a file is as large as it may become.
    /// The notes of other hours are written all the same. What was given back is to be the first of the
    /// next call, which then goes on where the disk refused and writes no line twice.
    pub fn append(&self, notes: impl IntoIterator<Item = Note>) -> Result<(), Unwritten> {
        let mut hours: BTreeMap<Hour, Vec<Note>> = BTreeMap::new();
        for note in notes {
            hours.entry(note.start().hour()).or_default().push(note);
        }
        let mut unwritten: Option<Unwritten> = None;
        for (hour, notes) in hours {
            let Err(error) = self.append_to(hour, &notes) else { continue };
            // nothing would change by trying again
            let is_full = error.kind() == io::ErrorKind::FileTooLarge;
            let unwritten =
                unwritten.get_or_insert_with(|| Unwritten { error, notes: Vec::new(), lost: 0 });
            if is_full {
                unwritten.lost += notes.len();
            } else {
                unwritten.notes.extend(notes);
            }
        }
        unwritten.map_or(Ok(()), Err)
    }

    /// The notes of an hour, none when there are none. A line that is torn, damaged or of an unknown kind
    /// is left out. Blocks.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn read(&self, hour: Hour) -> io::Result<Vec<Note>> {
        match std::fs::read(self.path(hour)) {
            Ok(bytes) => Ok(parse(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn append_to(&self, hour: Hour, notes: &[Note]) -> io::Result<()> {
        let mut lines = String::new();
        for note in notes {
            lines.push_str(&serde_json::to_string(note).map_err(io::Error::other)?);
            lines.push('\n');
        }
        let mut appending = self.appending.lock().unwrap_or_else(PoisonError::into_inner);
        appending.append(&self.store, hour, &self.path(hour), &lines)
    }
}

/// The notes in the bytes of a file; what follows the last line break is not there yet.
pub(super) fn parse(bytes: &[u8]) -> Vec<Note> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let lines = bytes[..end].split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[cfg(test)]
mod tests;
