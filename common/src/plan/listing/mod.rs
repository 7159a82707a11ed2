//! What the file names of one hour's folder mean.
//!
//! A listing is what selection and playlists work on, for weeks of video at a time, so it holds 48
//! bytes a segment and no texts: a canonical name is printed again when it is needed.

use std::fmt;

use chrono::TimeDelta;

use crate::base::hash::ContentHash;
use crate::base::time::{Hour, Timestamp};
use crate::format::segment::{Completeness, MediaDuration, SegmentName, Tail, push_published};

mod builder;
mod heads;
mod names;

pub use builder::{ListingBuilder, NameKind};
pub use heads::{Format, Heads, HeadsView, KnownHead};
pub use names::{CHAT_EXTENSION, FolderKind, stem, tombstoned_stem, visible_names};

/// The published segments of one hour that lie in the store and that no tombstone covers, by start
/// and then by file name.
#[derive(Debug)]
pub struct HourListing {
    hour: Hour,
    segments: Box<[StoredSegment]>,
    /// The file names that are not the canonical ones, by the number of their segment.
    odd_names: Box<[(u32, Box<str>)]>,
    /// The segments that a walk from the beginning of the hour accepts (see [`super::select`]).
    line: Box<[u32]>,
    /// The latest end of a segment of the line; the beginning of the hour where there is none.
    line_end: Timestamp,
    /// Whether no hole lies between any two segments of the line.
    line_is_whole: bool,
    /// The longest segment of the line.
    longest: MediaDuration,
    digest: u64,
    heads: Heads,
}

/// Of the same names in the same hour.
impl PartialEq for HourListing {
    fn eq(&self, other: &Self) -> bool {
        let names = |listing: &Self| (listing.hour, listing.digest);
        names(self) == names(other)
            && self.segments == other.segments
            && self.odd_names == other.odd_names
    }
}

/// What the name of a file says, without its hour.
#[derive(Clone, Copy, Debug, PartialEq)]
struct StoredSegment {
    hash: ContentHash,
    duration: MediaDuration,
    start_in_hour_micros: u32,
    completeness: Completeness,
    /// Whether it is the one that counts of those with its start.
    best: bool,
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
    pub const fn len(&self) -> usize {
        self.segments.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// All of them in order, also those that a better one of the same start stands in for.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = Segment<'_>> + Clone {
        let count = u32::try_from(self.segments.len()).expect("a folder holds fewer files");
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
        assert!((index as usize) < self.segments.len(), "a listing has the segments it counted");
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
        let before = self.line.partition_point(|index| *index < segment.index());
        self.line[..before].iter().rev().map(|index| self.segment(*index))
    }

    /// The segment of the same name as `segment`, which is another listing's of this hour.
    pub fn find(&self, segment: Segment<'_>) -> Option<Segment<'_>> {
        let start = segment.start_in_hour_micros();
        let first = self.segments.partition_point(|stored| stored.start_in_hour_micros < start);
        let first = u32::try_from(first).expect("a folder holds fewer files");
        let count = self.segments[first as usize..]
            .iter()
            .take_while(|stored| stored.start_in_hour_micros == start)
            .count();
        let rivals = (first..).take(count).map(|index| self.segment(index));
        rivals.into_iter().find(|rival| rival.has_name_of(segment))
    }

    /// About how many bytes of memory this takes.
    pub fn memory_bytes(&self) -> usize {
        let odd: usize = self.odd_names.iter().map(|(_, name)| name.len() + ODD_NAME_BYTES).sum();
        let segments = size_of_val(&*self.segments) + size_of_val(&*self.line);
        size_of::<Self>() + segments + self.heads.memory_bytes() + odd
    }

    pub(super) const fn line(&self) -> &[u32] {
        &self.line
    }

    pub(super) const fn line_is_whole(&self) -> bool {
        self.line_is_whole
    }

    pub(super) const fn longest(&self) -> MediaDuration {
        self.longest
    }

    pub(super) const fn line_end(&self) -> Timestamp {
        self.line_end
    }
}

/// What an odd name takes besides its letters.
const ODD_NAME_BYTES: usize = size_of::<(u32, Box<str>)>();

/// One segment of a listing.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    listing: &'a HourListing,
    index: u32,
}

impl<'a> Segment<'a> {
    fn stored(self) -> &'a StoredSegment {
        &self.listing.segments[self.index as usize]
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
        self.hour().start() + TimeDelta::microseconds(i64::from(self.start_in_hour_micros()))
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
        self.start() + self.duration().delta()
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
        self.odd_name().map_or_else(|| self.stored().canonical_name(), str::to_owned)
    }

    /// Its file name where that is not the canonical one; then it may hold any character that is
    /// not special to a path.
    pub fn odd_name(self) -> Option<&'a str> {
        let odd = &self.listing.odd_names;
        let found = odd.binary_search_by_key(&self.index, |(index, _)| *index);
        found.ok().map(|at| &*odd[at].1)
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

impl StoredSegment {
    /// What `name` says, unless it is that of a temp file.
    fn of(name: &SegmentName) -> Option<Self> {
        let &Tail::Published(completeness, hash) = name.tail() else {
            return None;
        };
        Some(Self {
            hash,
            duration: name.duration(),
            start_in_hour_micros: name.start_in_hour_micros(),
            completeness,
            best: false,
        })
    }

    fn push_canonical_name(&self, out: &mut String) {
        let Self { hash, duration, start_in_hour_micros, completeness, .. } = self;
        push_published(out, *start_in_hour_micros, *duration, *completeness, hash);
    }

    fn canonical_name(&self) -> String {
        let mut name = String::with_capacity(CANONICAL_NAME_BYTES);
        self.push_canonical_name(&mut name);
        name
    }
}

/// Enough for most canonical names.
const CANONICAL_NAME_BYTES: usize = 80;

#[cfg(test)]
mod tests;
