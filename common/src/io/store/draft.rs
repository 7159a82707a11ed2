//! A file on its way to being published, for code that may block: the protocol of publishing itself.
//! [`TempFile`](super::TempFile) is the same for asynchronous code.
//!
//! A crash or power cut at any point leaves either no final name or the whole file under it.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::durable::{Renamed, flush_folder, rename_new};
use super::faults::{Faults, Step};
use super::{Feed, Store};
use crate::base::hash::{ContentHash, Hasher};
use crate::base::time::Timestamp;
use crate::format::segment::{Completeness, MediaDuration, SegmentName, Tail};

/// How many pieces one call may write (IOV_MAX of Linux).
const MAX_PIECES: usize = 1024;

/// A file that is being written under a name that nobody selects. Every call blocks on the disk.
///
/// Dropped without [`Draft::publish`], the file is removed.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    size: u64,
    /// Whether the name `path` is still this file's to remove.
    armed: bool,
    faults: Faults,
}

/// A file that could not be published, and why. What was written can still be had.
#[derive(Debug)]
pub struct Refused {
    /// What the disk said.
    pub error: io::Error,
    /// The file; to be dropped once its bytes were recalled.
    pub draft: Draft,
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

impl Draft {
    /// Begins a file at `path`, which must be new, in a folder that is there.
    ///
    /// # Errors
    ///
    /// When the file cannot be made.
    pub fn create(path: PathBuf) -> io::Result<Self> {
        Self::create_on(Faults::default(), path)
    }

    fn create_on(faults: Faults, path: PathBuf) -> io::Result<Self> {
        // to be read again where the disk fails later
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        let file = faults.take(Step::Create, || options.open(&path))?;
        Ok(Self { path, file, hasher: Hasher::default(), size: 0, armed: true, faults })
    }

    /// Appends `pieces`, which are not copied on the way, and hashes them while the cache has them.
    ///
    /// # Errors
    ///
    /// When the disk refuses. Nothing of `pieces` counts as written then, and the file can only be
    /// recalled ([`Draft::recall`]) and dropped.
    pub fn append<B: AsRef<[u8]>>(&mut self, pieces: &[B]) -> io::Result<()> {
        let (mut hasher, mut size) = (self.hasher.clone(), self.size);
        for pieces in pieces.chunks(MAX_PIECES) {
            self.write(pieces)?;
            for piece in pieces {
                hasher.update(piece.as_ref());
                size += piece.as_ref().len() as u64;
            }
        }
        // all of them or none: whoever keeps them elsewhere then keeps all
        (self.hasher, self.size) = (hasher, size);
        Ok(())
    }

    fn write<B: AsRef<[u8]>>(&mut self, pieces: &[B]) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> =
            pieces.iter().map(|piece| IoSlice::new(piece.as_ref())).collect();
        let mut slices = slices.as_mut_slice();
        if let Err(error) = self.faults.check(Step::Write) {
            let half = slices.iter().map(|slice| slice.len()).sum::<usize>() / 2;
            let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            self.file.write_all(&bytes[..half])?;
            return Err(error);
        }
        // empty slices at the front would make a call write nothing, which means a full disk below
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            match self.file.write_vectored(slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut slices, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
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

    /// Reads back what was written, to be kept elsewhere when the disk takes no more.
    ///
    /// # Errors
    ///
    /// When the disk does not give back the very bytes that were written.
    pub fn recall(&self) -> io::Result<Vec<u8>> {
        let size = usize::try_from(self.size).map_err(io::Error::other)?;
        let mut bytes = vec![0; size];
        self.file.read_exact_at(&mut bytes, 0)?;
        if ContentHash::of(&bytes) == self.hash() {
            Ok(bytes)
        } else {
            let problem = "the disk gave back other bytes than were written";
            Err(io::Error::new(io::ErrorKind::InvalidData, problem))
        }
    }

    /// Flushes what was written to the disk, so that publishing it later is quick and cannot fail
    /// for want of room.
    ///
    /// # Errors
    ///
    /// When the disk refuses; the file can then only be recalled and dropped.
    pub fn flush(&self) -> io::Result<()> {
        self.faults.take(Step::Flush, || self.file.sync_data())
    }

    /// Flushes the file and renames it to `path`, in the same folder. When that name exists, its
    /// bytes are taken to be the same, and this file is removed.
    ///
    /// # Errors
    ///
    /// When the disk refuses; then there is no new name, or whether there is one after a power cut
    /// is unknown. Publishing the same bytes again settles that.
    pub fn publish(mut self, path: PathBuf) -> Result<Published, Box<Refused>> {
        match self.publish_at(&path) {
            Ok(renamed) => {
                let already_there = renamed == Renamed::AlreadyThere;
                Ok(Published { path, size: self.size, hash: self.hash(), already_there })
            }
            Err(error) => Err(Box::new(Refused { error, draft: self })),
        }
    }

    fn publish_at(&mut self, path: &Path) -> io::Result<Renamed> {
        self.flush()?;
        let renamed = self.faults.take(Step::Rename, || rename_new(&self.path, path))?;
        match renamed {
            Renamed::Done => self.armed = false,
            Renamed::AlreadyThere => self.remove(),
        }
        let folder = path.parent();
        self.faults.take(Step::FlushFolder, || folder.map_or(Ok(()), flush_folder))?;
        Ok(renamed)
    }

    fn remove(&mut self) {
        if std::mem::take(&mut self.armed) {
            let _ = self.faults.check(Step::Remove);
            // nothing is lost if this fails: the sweep takes it away later
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.remove();
    }
}

/// A segment that is being written; see [`Draft`].
#[derive(Debug)]
pub struct SegmentDraft {
    draft: Draft,
    name: DraftName,
}

/// What the name of a segment will be, but for its end.
#[derive(Clone, Debug)]
pub(super) struct DraftName {
    folder: PathBuf,
    start: Timestamp,
    duration: MediaDuration,
}

impl DraftName {
    pub(super) fn new(
        store: &Store,
        feed: &Feed,
        start: Timestamp,
        duration: MediaDuration,
    ) -> Self {
        Self { folder: store.hour_path(feed, start.hour()), start, duration }
    }

    /// A temp name that nobody else has.
    pub(super) fn unique(&self) -> PathBuf {
        self.with(Tail::Temp(Uuid::new_v4().to_string().into()))
    }

    pub(super) fn published(&self, completeness: Completeness, hash: ContentHash) -> PathBuf {
        self.with(Tail::Published(completeness, hash))
    }

    fn with(&self, tail: Tail) -> PathBuf {
        self.folder.join(SegmentName::new(self.start, self.duration, tail).to_string())
    }
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
    pub fn draft(&self, path: PathBuf) -> io::Result<Draft> {
        if let Some(folder) = path.parent() {
            self.create_folder(folder)?;
        }
        Draft::create_on(self.faults.clone(), path)
    }

    /// Begins a segment of `feed` that starts at `start`.
    ///
    /// # Errors
    ///
    /// When the temp file cannot be made.
    pub fn draft_segment(
        &self,
        feed: &Feed,
        start: Timestamp,
        duration: MediaDuration,
    ) -> io::Result<SegmentDraft> {
        let name = DraftName::new(self, feed, start, duration);
        Ok(SegmentDraft { draft: self.draft(name.unique())?, name })
    }
}

impl SegmentDraft {
    /// Appends `pieces`; see [`Draft::append`].
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn append<B: AsRef<[u8]>>(&mut self, pieces: &[B]) -> io::Result<()> {
        self.draft.append(pieces)
    }

    /// How many bytes were written.
    pub const fn size(&self) -> u64 {
        self.draft.size()
    }

    /// Reads back what was written; see [`Draft::recall`].
    ///
    /// # Errors
    ///
    /// When the disk does not give back the very bytes that were written.
    pub fn recall(&self) -> io::Result<Vec<u8>> {
        self.draft.recall()
    }

    /// Publishes the segment; see [`Draft::publish`].
    ///
    /// # Errors
    ///
    /// When the disk refuses; what was written can still be recalled.
    pub fn publish(self, completeness: Completeness) -> Result<Published, Box<Refused>> {
        let path = self.name.published(completeness, self.draft.hash());
        self.draft.publish(path)
    }
}

#[cfg(test)]
mod tests;
