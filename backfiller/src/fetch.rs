//! Fetching one file to its end and publishing it, or nothing.

use std::io;
use std::path::{Path, PathBuf};

use common::base::hash::ContentHash;
use common::base::time::{Hour, Timestamp};
use common::format::segment::{MediaDuration, SegmentName, Tail};
use common::io::http::client::Answer;
use common::io::store::{Feed, Published, Store, TempFile};
use thiserror::Error;
use uuid::Uuid;

use crate::folder::Entry;
use crate::peer::{Peer, PeerError};

/// How many bytes are gathered before they are written; each write changes threads.
const WRITE_BYTES: usize = 256 << 10;

/// Why a file was not published.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("its {size} bytes hash to {actual}, which is not what its name says")]
    Mismatch { actual: ContentHash, size: u64 },
    #[error("cannot be written here: {0}")]
    Disk(#[from] io::Error),
}

impl FetchError {
    /// Whether the next file is likely to fail in the same way.
    pub(crate) fn is_general(&self) -> bool {
        match self {
            Self::Peer(error) => error.is_silence(),
            Self::Disk(_) => true,
            Self::Mismatch { .. } => false,
        }
    }

    /// Whether the same file is likely to fail again.
    pub(crate) fn is_lasting(&self) -> bool {
        match self {
            Self::Peer(error) => error.is_lasting(),
            Self::Mismatch { .. } => true,
            Self::Disk(_) => false,
        }
    }
}

/// Fetches a segment or a chat batch, hashing it on the way, and publishes it under the name that the
/// node has it under, if its bytes are what that name says.
///
/// Cancel safety: dropped in between, the file is either published or removed.
pub(crate) async fn segment(
    peer: &Peer,
    store: &Store,
    feed: &Feed,
    hour: Hour,
    entry: &Entry,
) -> Result<Published, FetchError> {
    let folder = store.hour_path(feed, hour);
    peer.in_time(async {
        // only an answer makes a folder
        let mut answer = peer.segment(feed, hour, &entry.file_name).await?;
        let mut file = store.temp_file(folder.join(temp_name(entry.identity.start))).await?;
        receive(&mut answer, &mut file, peer.file_bytes()).await?;
        let (actual, size) = (file.hash(), file.size());
        if actual != entry.identity.hash {
            return Err(FetchError::Mismatch { actual, size });
        }
        Ok(file.publish(folder.join(&*entry.file_name)).await?)
    })
    .await
}

/// Publishes a tombstone unless there is one, making folders as needed.
pub(crate) async fn tombstone(
    store: &Store,
    feed: &Feed,
    hour: Hour,
    file_name: &str,
) -> io::Result<Published> {
    let folder = store.hour_path(feed, hour);
    let file = store.temp_file(folder.join(temp_name(hour.start()))).await?;
    file.publish(folder.join(file_name)).await
}

/// A new name, in the folder of `path`, that is ignored everywhere.
pub(crate) fn hidden_beside(path: &Path) -> PathBuf {
    path.with_file_name(format!(".{}.temp", Uuid::new_v4()))
}

/// Whether `name` is one that [`hidden_beside`] makes.
pub(crate) fn is_hidden_temp(name: &str) -> bool {
    let unique = name.strip_prefix('.').and_then(|name| name.strip_suffix(".temp"));
    unique.is_some_and(|unique| Uuid::try_parse(unique).is_ok())
}

/// Writes all of an answer's body to `file`.
pub(crate) async fn receive(
    answer: &mut Answer,
    file: &mut TempFile,
    limit: u64,
) -> Result<(), FetchError> {
    let mut gathered = Vec::with_capacity(WRITE_BYTES);
    let mut received = 0;
    while let Some(chunk) = answer.chunk().await.map_err(PeerError::from)? {
        received += chunk.len() as u64;
        if received > limit {
            return Err(PeerError::TooLong(limit).into());
        }
        gathered.extend_from_slice(&chunk);
        if gathered.len() >= WRITE_BYTES {
            file.write(&gathered).await?;
            gathered.clear();
        }
    }
    Ok(file.write(&gathered).await?)
}

/// A new name that the sweep knows as a temp file's, whatever is to become of the file.
fn temp_name(start: Timestamp) -> String {
    let tail = Tail::Temp(Uuid::new_v4().to_string().into());
    SegmentName::new(start, MediaDuration::ZERO, tail).to_string()
}
