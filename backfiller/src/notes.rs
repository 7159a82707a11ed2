//! Bringing a copy of another node's capture notes up to date.
//!
//! Only the node that they are of appends to them, so a copy is a prefix of the original and grows
//! by what the original has beyond the copy's own length.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use common::base::time::{Hour, Timestamp};
use common::format::folder::FolderName;
use common::io::http::client::Answer;
use common::io::store::Store;
use common::io::store::notes::{FOLDER, MAX_FILE_BYTES};

use crate::fetch::{self, FetchError};
use crate::peer::{Peer, PeerError, TreePath};
use crate::shared::Shared;

/// How many files of notes are remembered to have had nothing new.
pub(crate) const REMEMBERED: usize = 100_000;

/// For how long after its hour a file is asked for in every pass.
const LIVELY_FOR: TimeDelta = TimeDelta::hours(3);
/// How often after that: a node that was down writes, when it comes back, why it has nothing.
const AFTERWARDS_EVERY: Duration = Duration::from_hours(1);

/// One append at a time: the workers of several nodes may bring the same file.
static APPENDING: Mutex<()> = Mutex::new(());

/// Whose notes a file holds, and of which hour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoteFile<'a> {
    pub(crate) node: &'a FolderName,
    hour: Hour,
}

impl<'a> NoteFile<'a> {
    /// Reads `<node>/<channel>/<quality>/<hour>.jsonl`.
    pub(crate) fn new(path: &'a TreePath) -> Option<Self> {
        let [node, _channel, _quality, file_name] = path.names() else { return None };
        let hour = file_name.as_str().strip_suffix(".jsonl")?.parse().ok()?;
        Some(Self { node, hour })
    }

    /// Whether to ask for the file at the time `now`, if it was last found unchanged `asked` ago.
    pub(crate) fn is_due(&self, now: Timestamp, asked: Option<Duration>) -> bool {
        let is_lively = now < self.hour.end() + LIVELY_FOR;
        is_lively || asked.is_none_or(|asked| asked >= AFTERWARDS_EVERY)
    }
}

/// Fetches what the node has beyond the length of our copy; returns whether there was something.
///
/// Cancel safety: dropped in between, our copy is still a prefix.
pub(crate) async fn grow(
    shared: &Shared,
    peer: &Peer,
    path: &TreePath,
) -> Result<bool, FetchError> {
    let folder = FOLDER.parse().expect("it is a constant that is a folder's name");
    let to = path.below(&shared.store.base().join(FOLDER));
    let length = match tokio::fs::metadata(&to).await {
        Ok(file) => file.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error.into()),
    };
    let lines = peer.in_time(async {
        let answer = peer.extra(&folder, path, length).await?;
        Ok::<_, FetchError>(whole_lines(beyond(answer, length).await?))
    });
    let lines = lines.await?;
    if lines.is_empty() {
        return Ok(false);
    }
    if length == 0 {
        return Ok(begin(&shared.store, to, &lines).await?);
    }
    Ok(shared.store.blocking(move |_| append(&to, length, &lines)).await?)
}

/// The bytes of an answer that come after the first `length` of the file.
async fn beyond(answer: Answer, length: u64) -> Result<Vec<u8>, PeerError> {
    let status = answer.status().as_u16();
    if status == 416 {
        return Ok(Vec::new());
    }
    if status == 206 && !begins_at(&answer, length) {
        return Err(PeerError::Status(status));
    }
    let limit = usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX);
    let mut bytes = Vec::from(answer.bytes(limit).await?);
    if status == 200 {
        // it does not know ranges
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        bytes.drain(..length.min(bytes.len()));
    }
    Ok(bytes)
}

fn begins_at(answer: &Answer, from: u64) -> bool {
    let range = answer.headers().get("content-range").and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {from}-")))
}

/// `bytes` up to the last line break: a line without its end is not there yet.
fn whole_lines(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
    bytes.truncate(end);
    bytes
}

async fn begin(store: &Store, path: PathBuf, lines: &[u8]) -> io::Result<bool> {
    let mut file = store.temp_file(fetch::hidden_beside(&path)).await?;
    file.write(lines).await?;
    // when another worker was faster, the rest comes next time
    Ok(!file.publish(path).await?.already_there)
}

/// Appends to a file of `length` bytes. Does nothing when it has another length by now, or would
/// become too long.
fn append(path: &Path, length: u64, lines: &[u8]) -> io::Result<bool> {
    let _one_at_a_time = APPENDING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut file: File = OpenOptions::new().append(true).open(path)?;
    let is_expected = file.metadata()?.len() == length;
    if !is_expected || length + lines.len() as u64 > MAX_FILE_BYTES {
        return Ok(false);
    }
    file.write_all(lines)?;
    file.sync_data()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Tree;

    fn path(text: &str) -> TreePath {
        Tree::new([text]).files.remove(0)
    }

    #[test]
    fn only_notes_are_called_like_notes() {
        assert!(NoteFile::new(&path("b/chan/source/2026-11-20T10.jsonl")).is_some());
        for bad in ["b/chan/2026-11-20T10.jsonl", "b/chan/source/x.jsonl", "b/c/d/2026-11-20T10"] {
            assert!(NoteFile::new(&path(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn old_notes_are_asked_for_now_and_then() {
        let path = path("b/chan/source/2026-11-20T10.jsonl");
        let file = NoteFile::new(&path).unwrap();
        let at = |text: &str| Timestamp::parse_http(text).unwrap();
        let just_asked = Some(Duration::from_secs(1));
        assert!(file.is_due(at("2026-11-20T13:59"), just_asked));
        assert!(!file.is_due(at("2026-11-20T14:00"), just_asked));
        assert!(file.is_due(at("2026-11-20T14:00"), Some(AFTERWARDS_EVERY)));
        assert!(file.is_due(at("2026-11-20T14:00"), None));
    }

    #[test]
    fn a_line_without_its_end_is_not_there_yet() {
        assert_eq!(whole_lines(b"a\nb\nc".to_vec()), b"a\nb\n");
        assert_eq!(whole_lines(b"abc".to_vec()), b"");
    }

    #[test]
    fn a_copy_that_grew_meanwhile_is_left_as_it_is() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("notes");
        std::fs::write(&path, "a\nb\n").unwrap();
        assert!(!append(&path, 2, b"b\n").unwrap());
        assert!(append(&path, 4, b"c\n").unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"a\nb\nc\n");
        File::options().write(true).open(&path).unwrap().set_len(MAX_FILE_BYTES - 1).unwrap();
        assert!(!append(&path, MAX_FILE_BYTES - 1, b"d\n").unwrap(), "it would be too long");
    }
}
