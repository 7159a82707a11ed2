//! Publishing a file: temp name, flush, rename, flush the folder.
//!
//! A crash or power cut at any point leaves either no final name or the whole file under it.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::durable::{Renamed, flush_folder, rename_new};
use super::{Feed, Store};
use crate::base::hash::{ContentHash, Hasher};
use crate::base::time::Timestamp;
use crate::format::segment::{Completeness, MediaDuration, SegmentName, Tail};

/// A file that is being written under a name that nobody selects.
///
/// Dropped without [`TempFile::publish`], the file is removed.
#[derive(Debug)]
pub struct TempFile {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    size: u64,
    /// Whether the name `path` is still this file's to remove.
    armed: bool,
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
        Self::create_after(path, || Ok(())).await
    }

    /// Begins a file once `prepare` has made way for it.
    async fn create_after(
        path: PathBuf,
        prepare: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        // made whole where nothing can be dropped in between, so that whoever drops it removes it
        let create = move || {
            prepare()?;
            let file = File::from_std(std::fs::File::create_new(&path)?);
            Ok(Self { path, file, hasher: Hasher::default(), size: 0, armed: true })
        };
        tokio::task::spawn_blocking(create).await.map_err(io::Error::other)?
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    ///
    /// When the disk refuses; the file must then be dropped.
    ///
    /// Cancel safety: none; a file whose write was dropped must be dropped too.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// How many bytes were written.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hash of what was written so far.
    pub fn hash(&self) -> ContentHash {
        self.hasher.clone().finish()
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
        self.file.flush().await?;
        self.file.sync_data().await
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
        self.flush().await?;
        let from = self.path.clone();
        let to = path.clone();
        // from here on the blocking task owns the name
        self.armed = false;
        let renamed = tokio::task::spawn_blocking(move || rename_durably(&from, &to)).await;
        let already_there = renamed.map_err(io::Error::other)?? == Renamed::AlreadyThere;
        Ok(Published { path, size: self.size, hash: self.hash(), already_there })
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if self.armed {
            // nothing is lost if this fails: the sweep takes it away later
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn rename_durably(from: &Path, to: &Path) -> io::Result<Renamed> {
    let renamed = rename_new(from, to).inspect_err(|_| remove(from))?;
    if renamed == Renamed::AlreadyThere {
        remove(from);
    }
    to.parent().map_or(Ok(()), flush_folder)?;
    Ok(renamed)
}

fn remove(path: &Path) {
    // nothing is lost if this fails: the sweep takes it away later
    let _ = std::fs::remove_file(path);
}

/// A file that has its final name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its path.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// Whether it had been published before, and this copy was dropped.
    pub already_there: bool,
}

/// A segment that is being written; see [`TempFile`].
#[derive(Debug)]
pub struct TempSegment {
    file: TempFile,
    folder: PathBuf,
    start: Timestamp,
    duration: MediaDuration,
}

impl Store {
    /// Makes `folder`, which is below the base folder, with what is missing above it. Never makes
    /// the base folder itself: if that is gone, its disk is.
    ///
    /// # Errors
    ///
    /// When a folder cannot be made, or [`Store::check`] fails.
    pub(super) fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.check()?;
        self.folders.create(self.base(), folder)
    }

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
        let folder = path.parent().map(Path::to_owned);
        TempFile::create_after(path, move || {
            folder.map_or(Ok(()), |folder| store.create_folder(&folder))
        })
        .await
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
        let folder = self.hour_path(feed, start.hour());
        let unique = Tail::Temp(Uuid::new_v4().to_string().into());
        let name = SegmentName::new(start, duration, unique);
        let file = self.temp_file(folder.join(name.to_string())).await?;
        Ok(TempSegment { file, folder, start, duration })
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
    pub const fn size(&self) -> u64 {
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
        let tail = Tail::Published(completeness, self.file.hash());
        let name = SegmentName::new(self.start, self.duration, tail);
        self.file.publish(self.folder.join(name.to_string())).await
    }
}
