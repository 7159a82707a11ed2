//! Reading the names of a folder into a listing.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::HashSet;

use super::{Heads, HourListing, StoredSegment, stem, tombstoned_stem};
use crate::base::digest::Digest;
use crate::base::time::Hour;
use crate::format::segment::{Completeness, EXTENSION, MediaDuration, SegmentName};
use crate::plan::select::{hole_between, line_of};

/// Takes the names of an hour's folder one by one, in any order.
#[derive(Debug)]
pub struct ListingBuilder {
    hour: Hour,
    segments: Vec<Entry>,
    /// The beginnings of the names that tombstones cover.
    tombstoned: HashSet<Box<str>>,
    /// Room to print the beginning of a canonical name in.
    canonical: String,
}

/// What a name turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// Counted in, or none of a listing's business.
    Fine,
    /// It ends like a segment's name but is none: worth a warning.
    Stranger,
}

impl ListingBuilder {
    /// Begins the listing of `hour`.
    pub fn new(hour: Hour) -> Self {
        Self { hour, segments: Vec::new(), tombstoned: HashSet::new(), canonical: String::new() }
    }

    /// Takes in the file `name`.
    pub fn add(&mut self, name: &str) -> NameKind {
        if let Some(stem) = tombstoned_stem(name) {
            self.tombstoned.insert(stem.into());
            return NameKind::Fine;
        }
        if name.starts_with('.') || !name.ends_with(EXTENSION) {
            return NameKind::Fine;
        }
        let Ok(parsed) = name.parse::<SegmentName>() else {
            return NameKind::Stranger;
        };
        if let Some(segment) = StoredSegment::of(&parsed) {
            let is_canonical = parsed.is_canonical(name, &mut self.canonical);
            let odd_name = (!is_canonical).then(|| name.into());
            self.segments.push(Entry { segment, odd_name, is_gone: false });
        }
        NameKind::Fine
    }

    /// The listing of what was taken in.
    ///
    /// `size_of` is asked only where the size decides, since asking costs a system call a file;
    /// where it answers `None` the file is gone and does not count.
    pub fn finish(mut self, mut size_of: impl FnMut(&str) -> Option<u64>) -> HourListing {
        self.segments.retain({
            let tombstoned = std::mem::take(&mut self.tombstoned);
            move |entry| tombstoned.is_empty() || !tombstoned.contains(stem(&entry.file_name()))
        });
        self.segments.sort_unstable_by(Entry::by_start_and_name);
        for rivals in self.segments.chunk_by_mut(|a, b| a.start() == b.start()) {
            match rivals {
                [alone] => alone.segment.best = true,
                rivals => judge(rivals, &mut size_of),
            }
        }
        self.segments.retain(|entry| !entry.is_gone);
        listing(self.hour, self.segments)
    }
}

/// Marks the one that counts of `rivals`, which share their start and are in order of their names, and
/// those that are gone.
fn judge(rivals: &mut [Entry], size_of: &mut impl FnMut(&str) -> Option<u64>) {
    let mut best: Option<(usize, u64)> = None;
    for index in 0..rivals.len() {
        let Some(size) = size_of(&rivals[index].file_name()) else {
            rivals[index].is_gone = true;
            continue;
        };
        let this = (&rivals[index].segment, size);
        if best.is_none_or(|(best, size)| by_merit(this, (&rivals[best].segment, size)).is_lt()) {
            best = Some((index, size));
        }
    }
    if let Some((best, _)) = best {
        rivals[best].segment.best = true;
    }
}

/// Which of two segments of one start, each with its size, comes first.
fn by_merit(a: (&StoredSegment, u64), b: (&StoredSegment, u64)) -> Ordering {
    let merit = |(segment, size): (&StoredSegment, u64)| {
        let longest_and_highest = (segment.completeness == Completeness::Full)
            .then(|| (segment.duration.micros(), size, segment.hash));
        (segment.completeness, Reverse(longest_and_highest), Reverse(size))
    };
    merit(a).cmp(&merit(b))
}

fn listing(hour: Hour, entries: Vec<Entry>) -> HourListing {
    let (mut segments, mut odd_names) = (Vec::with_capacity(entries.len()), Vec::new());
    for (index, entry) in (0..).zip(entries) {
        odd_names.extend(entry.odd_name.map(|name| (index, name)));
        segments.push(entry.segment);
    }
    let stored: Box<[StoredSegment]> = segments.into();
    let segments = stored.len();
    let mut listing = HourListing {
        hour,
        segments: stored,
        odd_names: odd_names.into(),
        line: Box::default(),
        line_end: hour.start(),
        line_is_whole: false,
        longest: MediaDuration::ZERO,
        digest: 0,
        heads: Heads::of(segments),
    };
    listing.line = line_of(&listing);
    let ends = listing.line.iter().map(|index| listing.segment(*index).end());
    listing.line_end = ends.max().unwrap_or(hour.start());
    let mut line = listing.line.iter().map(|index| listing.segment(*index));
    let mut previous = line.next();
    listing.line_is_whole = line.all(|next| {
        previous.replace(next).is_some_and(|last| hole_between(last, next.start()).is_none())
    });
    let lengths = listing.line.iter().map(|index| listing.segment(*index).duration());
    listing.longest = lengths.fold(MediaDuration::ZERO, MediaDuration::max);
    listing.digest = digest(&listing);
    listing
}

/// A published segment's name, and its text where that is not the canonical one.
#[derive(Debug)]
struct Entry {
    segment: StoredSegment,
    odd_name: Option<Box<str>>,
    is_gone: bool,
}

impl Entry {
    fn start(&self) -> u32 {
        self.segment.start_in_hour_micros
    }

    fn file_name(&self) -> Cow<'_, str> {
        match &self.odd_name {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(self.segment.canonical_name()),
        }
    }

    fn by_start_and_name(&self, other: &Self) -> Ordering {
        self.start().cmp(&other.start()).then_with(|| self.file_name().cmp(&other.file_name()))
    }
}

/// A number of what tells listings apart. The hashes are random already.
fn digest(listing: &HourListing) -> u64 {
    let mut digest = Digest::default();
    for segment in &listing.segments {
        let (head, _) = segment.hash.as_bytes().split_first_chunk().expect("a hash is longer");
        digest.mix(u64::from_le_bytes(*head));
        digest.mix(segment.duration.seconds().to_bits());
        digest.mix(u64::from(segment.start_in_hour_micros) << 8 | segment.completeness as u64);
    }
    for (index, name) in &listing.odd_names {
        digest.mix(u64::from(*index));
        digest.mix_text(name);
    }
    digest.finish()
}
