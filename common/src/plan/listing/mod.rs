//! What the file names of one hour's folder mean.
//!
//! A listing is what selection and playlists work on, for weeks of video at a time, so it holds 48
//! bytes a segment and no texts: a canonical name is printed again when it is needed.

use std::fmt;

use crate::base::hash::ContentHash;
use crate::base::time::{Hour, Timestamp};
use crate::format::segment::{Completeness, MediaDuration};

mod builder;
mod heads;
mod line;
mod names;
mod stored;

pub use builder::{ListingBuilder, NameKind};
pub use heads::{Format, Heads, HeadsView, KnownHead, PAUSE};
pub(super) use line::Line;
pub use names::{CHAT_EXTENSION, FolderKind, stem, tombstoned_stem, visible_names};
use stored::{Names, StoredSegment};

/// The published segments of one hour that lie in the store and that no tombstone covers, by start
/// and then by file name.
#[derive(Debug)]
pub struct HourListing {
    hour: Hour,
    names: Names,
    line: Line,
    digest: u64,
    heads: Heads,
}

/// Of the same names in the same hour.
impl PartialEq for HourListing {
    fn eq(&self, other: &Self) -> bool {
        let marks = |listing: &Self| (listing.hour, listing.digest);
        marks(self) == marks(other) && self.names == other.names
    }
}

impl HourListing {
    /// What `names`, found in the folder of `hour`, say; see [`ListingBuilder`].
    pub fn new<S: AsRef<str>>(
        hour: Hour,
        names: impl IntoIterator<Item = S>,
        size_of: impl FnMut(&str) -> Option<u64>,
    ) -> Self {
        let mut builder = ListingBuilder::new(hour);
        for name in names {
            builder.add(name.as_ref());
        }
        builder.finish(size_of)
    }

    /// The hour whose folder this is.
    pub const fn hour(&self) -> Hour {
        self.hour
    }

    /// How many segments there are.
    pub fn len(&self) -> usize {
        self.names.segments().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them in order, also those that a better one of the same start stands in for.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = Segment<'_>> + Clone {
        let count = u32::try_from(self.len()).expect("a folder holds fewer files");
        (0..count).map(|index| self.segment(index))
    }

    /// The one that counts of each start, in order.
    pub fn candidates(&self) -> impl Iterator<Item = Segment<'_>> {
        self.segments().filter(|segment| segment.stored().best)
    }

    /// The segment of this number.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn segment(&self, index: u32) -> Segment<'_> {
        assert!((index as usize) < self.len(), "a listing has the segments it counted");
        Segment { listing: self, index }
    }

    /// A number that differs, but for very bad luck, where the segments do; the same in every
    /// process.
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// What the first bytes of its segments told, as far as they were read.
    pub const fn heads(&self) -> &Heads {
        &self.heads
    }

    /// This listing, knowing what was known of the same segments in `before`, an earlier listing of
    /// the same hour.
    #[must_use]
    pub fn inheriting(self, before: &Self) -> Self {
        let view = before.heads.view();
        for segment in self.segments() {
            if let Some(same) = before.find(segment) {
                self.heads.inherit(segment.index(), &view, same.index());
            }
        }
        self
    }

    /// The segments of the line before `segment`, which need not be of it; the nearest first.
    pub fn line_before(&self, segment: Segment<'_>) -> impl Iterator<Item = Segment<'_>> {
        let line = &self.line.picks;
        let before = line.partition_point(|index| *index < segment.index());
        line[..before].iter().rev().map(|index| self.segment(*index))
    }

    /// The segment of the same name as `segment`, which is another listing's of this hour.
    pub fn find(&self, segment: Segment<'_>) -> Option<Segment<'_>> {
        let (all, start) = (self.names.segments(), segment.start_in_hour_micros());
        let first = all.partition_point(|stored| stored.start_in_hour_micros < start);
        let same = all[first..].iter().take_while(|stored| stored.start_in_hour_micros == start);
        let (first, count) = (u32::try_from(first).ok()?, same.count());
        let rivals = (first..).take(count).map(|index| self.segment(index));
        rivals.into_iter().find(|rival| rival.has_name_of(segment))
    }

    /// About how many bytes of memory this takes.
    pub fn memory_bytes(&self) -> usize {
        let line = size_of_val(&*self.line.picks);
        size_of::<Self>() + self.names.memory_bytes() + line + self.heads.memory_bytes()
    }

    pub(super) const fn line(&self) -> &Line {
        &self.line
    }
}

/// One segment of a listing.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    listing: &'a HourListing,
    index: u32,
}

impl<'a> Segment<'a> {
    fn stored(self) -> &'a StoredSegment {
        self.listing.names.segment(self.index)
    }

    /// Its number in its listing.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// The hour whose folder holds it.
    pub const fn hour(self) -> Hour {
        self.listing.hour
    }

    /// When it starts.
    pub fn start(self) -> Timestamp {
        Timestamp::from_micros(
            self.hour().start().micros() + i64::from(self.start_in_hour_micros()),
        )
    }

    /// Where it starts within its hour, in microseconds.
    pub fn start_in_hour_micros(self) -> u32 {
        self.stored().start_in_hour_micros
    }

    /// How long it lasts, as its publisher said.
    pub fn duration(self) -> MediaDuration {
        self.stored().duration
    }

    /// The first instant after it, counting its duration in whole microseconds.
    pub fn end(self) -> Timestamp {
        Timestamp::from_micros(self.start().micros() + self.duration().micros())
    }

    /// How far it can be trusted.
    pub fn completeness(self) -> Completeness {
        self.stored().completeness
    }

    /// The hash of its bytes.
    pub fn hash(self) -> ContentHash {
        self.stored().hash
    }

    /// Appends its file name as it is on disk, which need not be the canonical one.
    pub fn push_file_name(self, out: &mut String) {
        match self.odd_name() {
            Some(name) => out.push_str(name),
            None => self.stored().push_canonical_name(out),
        }
    }

    /// Its file name as it is on disk.
    pub fn file_name(self) -> String {
        self.listing.names.file_name(self.index).into_owned()
    }

    /// Its file name where that is not the canonical one; then it may hold any character that is
    /// not special to a path.
    pub fn odd_name(self) -> Option<&'a str> {
        self.listing.names.odd_name(self.index)
    }
}

impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.hour(), self.file_name())
    }
}

impl Segment<'_> {
    /// Whether it has the same file name as `other`.
    fn has_name_of(self, other: Segment<'_>) -> bool {
        let name = |segment: Segment<'_>| StoredSegment { best: true, ..*segment.stored() };
        name(self) == name(other) && self.odd_name() == other.odd_name()
    }
}

/// Of the same name in the same hour.
impl PartialEq for Segment<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.hour() == other.hour() && self.has_name_of(*other)
    }
}

#[cfg(test)]
mod tests;
