//! Publishing a file from asynchronous code: temp name, flush, rename, flush the folder.
//!
//! The protocol is [`Draft`]'s; here its calls go where they may block.

use std::io;
use std::path::PathBuf;

use super::draft::{Draft, DraftName, Published};
use super::{Feed, Store};
use crate::base::hash::ContentHash;
use crate::base::time::Timestamp;
use crate::format::segment::{Completeness, MediaDuration};

/// A file that is being written under a name that nobody selects.
///
/// Dropped without [`TempFile::publish`], the file is removed.
#[derive(Debug)]
pub struct TempFile {
    /// Away while something is done with it, and lost if the wait for that was given up.
    draft: Option<Draft>,
}

impl TempFile {
    /// Begins a file at `path`, which must be new, in a folder that is there. Below a store's base,
    /// [`Store::temp_file`] makes the folder too.
    ///
    /// # Errors
    ///
    /// When the file cannot be made.
    ///
    /// Cancel safety: dropped in between, the file is removed as soon as it is there.
    pub async fn create(path: PathBuf) -> io::Result<Self> {
        Self::begin(move || Draft::create(path)).await
    }

    async fn begin(
        create: impl FnOnce() -> io::Result<Draft> + Send + 'static,
    ) -> io::Result<Self> {
        // made whole where nothing can be dropped in between, so that whoever drops it removes it
        let draft = tokio::task::spawn_blocking(create).await.map_err(io::Error::other)??;
        Ok(Self { draft: Some(draft) })
    }

    /// Does `work` with the file where it may block.
    async fn blocking(
        &mut self,
        work: impl FnOnce(&mut Draft) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let mut draft = self.draft.take().ok_or_else(lost)?;
        let work = move || {
            let done = work(&mut draft);
            (draft, done)
        };
        let (draft, done) = tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?;
        self.draft = Some(draft);
        done
    }

    /// Appends `bytes`, of which a copy is made.
    ///
    /// # Errors
    ///
    /// When the disk refuses; the file must then be dropped.
    ///
    /// Cancel safety: none; a file whose write was dropped must be dropped too.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let bytes = bytes.to_vec();
        self.blocking(move |draft| draft.append(&[bytes])).await
    }

    /// How many bytes were written.
    pub fn size(&self) -> u64 {
        self.draft.as_ref().map_or(0, Draft::size)
    }

    /// The hash of what was written so far.
    pub fn hash(&self) -> ContentHash {
        self.draft.as_ref().map_or_else(|| ContentHash::of(b""), Draft::hash)
    }

    /// Flushes what was written to the disk, so that publishing it later is quick and cannot fail
    /// for want of room.
    ///
    /// # Errors
    ///
    /// When the disk refuses; the file must then be dropped.
    ///
    /// Cancel safety: as [`TempFile::write`].
    pub async fn flush(&mut self) -> io::Result<()> {
        self.blocking(|draft| draft.flush()).await
    }

    /// Flushes the file and renames it to `path`, in the same folder. When that name exists, its
    /// bytes are taken to be the same, and this file is dropped.
    ///
    /// # Errors
    ///
    /// When the disk refuses; then there is no new name, or whether there is one after a power cut
    /// is unknown.
    ///
    /// Cancel safety: dropped in between, the file is either published or removed.
    pub async fn publish(mut self, path: PathBuf) -> io::Result<Published> {
        let draft = self.draft.take().ok_or_else(lost)?;
        let publish = move || draft.publish(path).map_err(|refused| refused.error);
        tokio::task::spawn_blocking(publish).await.map_err(io::Error::other)?
    }
}

fn lost() -> io::Error {
    io::Error::other("the wait for a write to this file was given up, and the file with it")
}

/// A segment that is being written; see [`TempFile`].
#[derive(Debug)]
pub struct TempSegment {
    file: TempFile,
    name: DraftName,
}

impl Store {
    /// Begins a file at `path`, which must be new and below the base folder; missing folders in
    /// between are made.
    ///
    /// # Errors
    ///
    /// When the file or a folder cannot be made, or [`Store::check`] fails.
    ///
    /// Cancel safety: as [`TempFile::create`].
    pub async fn temp_file(&self, path: PathBuf) -> io::Result<TempFile> {
        let store = self.clone();
        TempFile::begin(move || store.draft(path)).await
    }

    /// Begins a segment of `feed` that starts at `start`.
    ///
    /// # Errors
    ///
    /// When the temp file cannot be made.
    pub async fn begin_segment(
        &self,
        feed: &Feed,
        start: Timestamp,
        duration: MediaDuration,
    ) -> io::Result<TempSegment> {
        let name = DraftName::new(self, feed, start, duration);
        Ok(TempSegment { file: self.temp_file(name.unique()).await?, name })
    }
}

impl TempSegment {
    /// Appends `bytes`; see [`TempFile::write`].
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write(bytes).await
    }

    /// How many bytes were written.
    pub fn size(&self) -> u64 {
        self.file.size()
    }

    /// The hash of what was written so far.
    pub fn hash(&self) -> ContentHash {
        self.file.hash()
    }

    /// Publishes the segment; see [`TempFile::publish`].
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub async fn publish(self, completeness: Completeness) -> io::Result<Published> {
        let path = self.name.published(completeness, self.file.hash());
        self.file.publish(path).await
    }
}
