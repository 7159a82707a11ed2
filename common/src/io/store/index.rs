//! The listings of hours in memory, read again only when their folders changed.
//!
//! It is no truth of its own: whether a listing still holds is asked of the folder each time, which
//! costs one system call. The listings are shared, and one reader makes each while others wait for it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Feed;
use super::folder::{Folder, Stamp, Trouble};
use crate::base::time::Hour;
use crate::plan::listing::{HourListing, ListingBuilder, NameKind};

/// How much memory the listings may take, in bytes: some seven weeks of one quality.
pub(super) const MEMORY_BYTES: usize = 128 << 20;

/// What a listing takes besides what it knows of, about.
const ENTRY_BYTES: usize = 256;

/// The listings that were read.
#[derive(Debug)]
pub(super) struct Index {
    hours: Mutex<Hours>,
    max_bytes: usize,
}

/// What is told of while a folder is read.
pub(super) trait Told {
    /// `name` ends like a segment's but is none.
    fn stranger(&self, folder: &Path, name: &str);
    /// `folder` is there but cannot be read; what was known of it before stands.
    fn unreadable(&self, folder: &Path, error: &io::Error);
}

impl Index {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { hours: Mutex::default(), max_bytes }
    }

    /// The listing of the hour of `feed` that lies in `folder`; an empty one when there is no such
    /// folder. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// When this process lacks what it takes to read a folder.
    pub(super) fn hour(
        &self,
        feed: &Feed,
        hour: Hour,
        folder: &Path,
        told: &impl Told,
    ) -> io::Result<Arc<HourListing>> {
        let slot = self.hours().slot(feed, hour);
        let mut known = slot.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref().filter(|known| known.still_holds(folder)) {
            return Ok(Arc::clone(&known.listing));
        }
        let before = known.take().map(|known| known.listing);
        match read(hour, folder, told) {
            Ok((listing, stamp)) => {
                let listing = shared(listing, before);
                let bytes = listing.memory_bytes() + ENTRY_BYTES;
                *known = Some(Known { stamp, listing: Arc::clone(&listing) });
                drop(known);
                self.hours().weigh(feed, hour, bytes, self.max_bytes);
                Ok(listing)
            }
            Err(error) => match Trouble::of(&error) {
                Trouble::Gone => {
                    self.hours().forget(feed, hour);
                    Ok(empty(hour))
                }
                Trouble::Unreadable => {
                    told.unreadable(folder, &error);
                    let listing = before.unwrap_or_else(|| empty(hour));
                    *known = Some(Known { stamp: None, listing: Arc::clone(&listing) });
                    Ok(listing)
                }
                Trouble::Ours => {
                    *known = before.map(|listing| Known { stamp: None, listing });
                    Err(error)
                }
            },
        }
    }

    fn hours(&self) -> MutexGuard<'_, Hours> {
        self.hours.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn empty(hour: Hour) -> Arc<HourListing> {
    Arc::new(ListingBuilder::new(hour).finish(|_| None))
}

/// `listing`, or the one of `before` where that tells the same, so that whoever holds it shares it.
fn shared(listing: HourListing, before: Option<Arc<HourListing>>) -> Arc<HourListing> {
    match before {
        Some(before) if *before == listing => before,
        Some(before) => Arc::new(listing.inheriting(&before)),
        None => Arc::new(listing),
    }
}

fn read(hour: Hour, path: &Path, told: &impl Told) -> io::Result<(HourListing, Option<Stamp>)> {
    let folder = Folder::open(path)?;
    let mut builder = ListingBuilder::new(hour);
    folder.each_file(|name| {
        if builder.add(name) == NameKind::Stranger {
            told.stranger(path, name);
        }
    })?;
    Ok((builder.finish(|name| folder.size_of(name)), folder.stamp))
}

/// A listing and what it can be recognised by.
#[derive(Debug)]
struct Known {
    /// `None` when it must be read again in any case.
    stamp: Option<Stamp>,
    listing: Arc<HourListing>,
}

impl Known {
    fn still_holds(&self, folder: &Path) -> bool {
        self.stamp.is_some_and(|stamp| Stamp::read(folder).is_ok_and(|now| now == stamp))
    }
}

/// Where a listing is kept. Its lock is held while the listing is read.
#[derive(Debug, Default)]
struct Slot {
    known: Mutex<Option<Known>>,
}

#[derive(Debug, Default)]
struct Entry {
    slot: Arc<Slot>,
    bytes: usize,
    last_used: u64,
}

/// The slots and what they weigh.
#[derive(Debug, Default)]
struct Hours {
    feeds: HashMap<Feed, BTreeMap<Hour, Entry>>,
    bytes: usize,
    /// Counts the uses.
    now: u64,
}

impl Hours {
    fn slot(&mut self, feed: &Feed, hour: Hour) -> Arc<Slot> {
        self.now += 1;
        if !self.feeds.contains_key(feed) {
            self.feeds.insert(feed.clone(), BTreeMap::new());
        }
        let hours = self.feeds.get_mut(feed).expect("it was just put in");
        let entry = hours.entry(hour).or_default();
        entry.last_used = self.now;
        Arc::clone(&entry.slot)
    }

    fn forget(&mut self, feed: &Feed, hour: Hour) {
        let Some(hours) = self.feeds.get_mut(feed) else { return };
        self.bytes -= hours.remove(&hour).map_or(0, |entry| entry.bytes);
        if hours.is_empty() {
            self.feeds.remove(feed);
        }
    }

    /// Notes that an hour takes `bytes`, and forgets the coldest hours while all take too many.
    fn weigh(&mut self, feed: &Feed, hour: Hour, bytes: usize, max_bytes: usize) {
        // it may have been forgotten while it was read
        let entry = self.feeds.get_mut(feed).and_then(|hours| hours.get_mut(&hour));
        let Some(entry) = entry else { return };
        self.bytes = self.bytes - entry.bytes + bytes;
        entry.bytes = bytes;
        while self.bytes > max_bytes {
            let Some((feed, hour)) = self.coldest() else { return };
            self.forget(&feed, hour);
        }
    }

    fn coldest(&self) -> Option<(Feed, Hour)> {
        let all = self.feeds.iter().flat_map(|(feed, hours)| {
            hours.iter().map(move |(hour, entry)| (entry.last_used, feed, *hour))
        });
        all.min().map(|(_, feed, hour)| (feed.clone(), hour))
    }
}

#[cfg(test)]
mod tests;
