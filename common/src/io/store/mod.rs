//! The segment store: a folder tree that is its own index.
//!
//! A name that is visible is true, so everything here either reads names or publishes a finished
//! file under one. The rules are in `docs/STORAGE.md`; this module owns the layout below the base
//! folder and the protocol of publishing. What it keeps in memory only saves reading again what did
//! not change.
//!
//! All calls block on the disk unless they say otherwise; from asynchronous code they go through
//! [`Store::blocking`].

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use crate::base::time::{Hour, TimeRange};
use crate::format::folder::FolderName;
use crate::format::segment::{EXTENSION, TOMBSTONE_EXTENSION};
use crate::metrics::Metrics;
use crate::plan::listing::HourListing;

mod awaited;
mod base;
mod breaks;
mod draft;
mod durable;
mod faults;
mod folder;
mod heads;
mod index;
pub mod notes;
mod open;
mod publish;
mod room;
mod strangers;
mod sweep;

use awaited::{Awaited, Waiting};
use base::Base;
pub use base::{Access, OpenError};
use breaks::Breaks;
pub use draft::{Draft, Published, Refused, SegmentDraft};
use durable::Folders;
use faults::Faults;
#[cfg(any(test, feature = "test-util"))]
pub use faults::Hang;
pub use faults::Step;
pub use folder::Stamp;
use folder::{Folder, Trouble};
use index::Index;
pub use open::{Unopened, Wait, names_nothing};
pub use publish::{TempFile, TempSegment};
use strangers::Strangers;

/// Where the segments of one channel and quality lie.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feed {
    /// The channel's folder.
    pub channel: FolderName,
    /// The quality's folder below it.
    pub quality: FolderName,
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.channel, self.quality)
    }
}

/// The store below one base folder; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    base: Arc<Base>,
    folders: Arc<Folders>,
    index: Arc<Index>,
    breaks: Arc<Breaks>,
    strangers: Arc<Strangers>,
    awaited: Awaited,
    faults: Faults,
}

impl Store {
    /// Opens the store below `base`, which must be there.
    ///
    /// # Errors
    ///
    /// When `base` is no folder, or not accessible as `access` needs.
    pub fn open(base: impl Into<PathBuf>, access: Access) -> Result<Self, OpenError> {
        Ok(Self {
            base: Arc::new(Base::open(base.into(), access)?),
            folders: Arc::default(),
            index: Arc::new(Index::new(index::MEMORY_BYTES)),
            breaks: Arc::default(),
            strangers: Arc::default(),
            awaited: Awaited::default(),
            faults: Faults::default(),
        })
    }

    /// Shows what is counted here among `metrics`, to be called once.
    pub fn register(&self, metrics: &Metrics) {
        self.strangers.register(metrics);
    }

    /// Whether the base folder is still the one that was opened.
    ///
    /// # Errors
    ///
    /// When it is gone, or another has taken its place, as after its disk was unmounted; the
    /// message says what to do.
    pub fn check(&self) -> io::Result<()> {
        self.base.check()
    }

    /// The base folder.
    pub fn base(&self) -> &Path {
        self.base.path()
    }

    /// Runs `work` on this store where it may block.
    ///
    /// Cancel safety: when the future is dropped, `work` still runs to its end.
    ///
    /// # Panics
    ///
    /// When `work` panics.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> T {
        let store = self.clone();
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(value) => value,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// As [`Store::blocking`], for work that is worth nothing once nobody waits for it: when the future
    /// is dropped, `work` ends as soon as it reads the next hour or head of a file, which fails from then
    /// on. What it was given besides, such as a permit, it keeps until then.
    ///
    /// Cancel safety: when the future is dropped, `work` ends by itself, and soon.
    ///
    /// # Panics
    ///
    /// When `work` panics.
    pub async fn while_awaited<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> T {
        let waiting = Waiting::default();
        let store = Self { awaited: waiting.awaited(), ..self.clone() };
        store.blocking(work).await
    }

    /// For work that goes through much without reading hours or heads.
    ///
    /// # Errors
    ///
    /// When nobody waits for it any more, see [`Store::while_awaited`].
    pub fn check_awaited(&self) -> io::Result<()> {
        self.awaited.check()
    }

    /// The channels, sorted. A folder whose name no channel can have is left out.
    ///
    /// # Errors
    ///
    /// When the base folder cannot be read.
    pub fn channels(&self) -> io::Result<Vec<FolderName>> {
        self.check()?;
        self.folders_in(self.base())
    }

    /// The qualities of a channel, sorted; none when there is no such channel.
    ///
    /// # Errors
    ///
    /// When the channel's folder cannot be read.
    pub fn qualities(&self, channel: &FolderName) -> io::Result<Vec<FolderName>> {
        self.folders_in(&self.base().join(channel.as_str()))
    }

    /// The hours of a feed, sorted; none when there is no such feed. A folder that is no hour is
    /// left out.
    ///
    /// # Errors
    ///
    /// When the feed's folder cannot be read.
    pub fn hours(&self, feed: &Feed) -> io::Result<Vec<Hour>> {
        self.folders_in(&self.feed_path(feed))
    }

    /// The names of all files in an hour's folder, hidden ones left out, in no order; none when
    /// there is no such hour.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn file_names(&self, feed: &Feed, hour: Hour) -> io::Result<Vec<String>> {
        self.stamped_file_names(feed, hour).map(|(names, _)| names)
    }

    /// As [`Store::file_names`], with the stamp that the folder has as long as they hold; without one
    /// when they may change unseen.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or nobody waits for it any more.
    pub fn stamped_file_names(
        &self,
        feed: &Feed,
        hour: Hour,
    ) -> io::Result<(Vec<String>, Option<Stamp>)> {
        self.check_awaited()?;
        self.faults.check(Step::List)?;
        let mut names = Vec::new();
        let read = Folder::open(&self.hour_path(feed, hour)).and_then(|folder| {
            folder.each_file(|name| names.push(name.to_owned()))?;
            Ok(folder.stamp)
        });
        match read {
            Ok(stamp) => Ok((names, stamp)),
            Err(error) if Trouble::of(&error) == Trouble::Gone => {
                self.check().map(|()| (Vec::new(), None))
            }
            Err(error) => Err(error),
        }
    }

    /// The stamp of the folder of an hour now, `None` when it cannot be told.
    pub fn stamp(&self, feed: &Feed, hour: Hour) -> Option<Stamp> {
        Stamp::read(&self.hour_path(feed, hour)).ok()
    }

    /// The segments of one hour; none when there is no such hour, or its folder was never readable.
    ///
    /// Read only if the folder changed since the last time; other callers for the same hour wait
    /// until that is done.
    ///
    /// # Errors
    ///
    /// When this process lacks what it takes to read a folder, such as a free file descriptor, or nobody
    /// waits for it any more.
    pub fn hour(&self, feed: &Feed, hour: Hour) -> io::Result<Arc<HourListing>> {
        self.check_awaited()?;
        self.index.hour(feed, hour, &self.hour_path(feed, hour), &*self.strangers)
    }

    /// The segments of every hour that can hold some of any of `ranges`, in order.
    ///
    /// # Errors
    ///
    /// As [`Store::hours`] and [`Store::hour`].
    pub fn hours_of(&self, feed: &Feed, ranges: &[TimeRange]) -> io::Result<Vec<Arc<HourListing>>> {
        let may_lie = |hour: &Hour| ranges.iter().any(|range| range.may_lie_in(*hour));
        let hours = self.hours(feed)?.into_iter().filter(may_lie);
        hours.map(|hour| self.hour(feed, hour)).collect()
    }

    /// The folder of a feed.
    pub fn feed_path(&self, feed: &Feed) -> PathBuf {
        self.base().join(feed.channel.as_str()).join(feed.quality.as_str())
    }

    /// The folder of an hour.
    pub fn hour_path(&self, feed: &Feed, hour: Hour) -> PathBuf {
        self.feed_path(feed).join(hour.to_string())
    }

    /// Whether there is a tombstone for the file `name` (with its extension) of an hour.
    pub fn is_tombstoned(&self, feed: &Feed, hour: Hour, name: &str) -> bool {
        let stem = name.strip_suffix(EXTENSION).unwrap_or(name);
        self.hour_path(feed, hour).join(format!("{stem}{TOMBSTONE_EXTENSION}")).exists()
    }

    /// The names of the folders in `folder` that can be read as such, sorted; none when there is no such
    /// folder.
    fn folders_in<T: FromStr + Ord>(&self, folder: &Path) -> io::Result<Vec<T>> {
        self.faults.check(Step::List)?;
        let mut names = Vec::new();
        let read = Folder::open(folder)
            .and_then(|folder| folder.each_folder(|name| names.extend(name.parse::<T>().ok())));
        match read {
            Ok(()) => {
                names.sort_unstable();
                Ok(names)
            }
            Err(error) if Trouble::of(&error) == Trouble::Gone => self.check().map(|()| Vec::new()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
