//! Reading the names of a folder into a listing.

use std::cmp::{Ordering, Reverse};
use std::collections::HashSet;

use super::{Heads, HourListing, Line, Names, StoredSegment, stem, tombstoned_stem};
use crate::base::digest::Digest;
use crate::base::time::Hour;
use crate::format::segment::{Completeness, EXTENSION, SegmentName};
use crate::plan::select::line_of;

/// Takes the names of an hour's folder one by one, in any order.
#[derive(Debug)]
pub struct ListingBuilder {
    hour: Hour,
    /// In the order in which they came.
    names: Names,
    /// The beginnings of the names that tombstones cover.
    tombstoned: HashSet<Box<str>>,
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
        /// An hour of segments of 2 s has fewer.
        const USUAL_NAMES: usize = 2048;
        Self { hour, names: Names::with_capacity(USUAL_NAMES), tombstoned: HashSet::new() }
    }

    /// Takes in the file `name`.
    pub fn add(&mut self, name: &str) -> NameKind {
        if !name.ends_with(EXTENSION) {
            self.tombstoned.extend(tombstoned_stem(name).map(Box::from));
            return NameKind::Fine;
        }
        if name.starts_with('.') {
            return NameKind::Fine;
        }
        let Ok(parsed) = name.parse::<SegmentName>() else {
            return NameKind::Stranger;
        };
        if let Some(segment) = StoredSegment::of(&parsed) {
            self.names.push(segment, (!parsed.is_canonical(name)).then_some(name));
        }
        NameKind::Fine
    }

    /// The listing of what was taken in.
    ///
    /// `size_of` is asked only where the size decides, since asking costs a system call a file;
    /// where it answers `None` the file is gone and does not count.
    pub fn finish(self, mut size_of: impl FnMut(&str) -> Option<u64>) -> HourListing {
        let Self { hour, names, tombstoned } = self;
        let mut order = by_start(&names);
        if !tombstoned.is_empty() {
            order.retain(|index| !tombstoned.contains(stem(&names.file_name(*index))));
        }
        let start = |index: &u32| names.segment(*index).start_in_hour_micros;
        let mut listed = Names::with_capacity(order.len());
        for rivals in order.chunk_by_mut(|a, b| start(a) == start(b)) {
            match rivals {
                [alone] => listed.push_ranked(&names, *alone, true),
                rivals => judge(rivals, &names, &mut size_of, &mut listed),
            }
        }
        listing(hour, listed)
    }
}

/// The numbers of all names, by their starts.
fn by_start(names: &Names) -> Vec<u32> {
    // packed into one number, which sorts several times faster than what it leads to
    let starts = names.segments().iter().map(|segment| u64::from(segment.start_in_hour_micros));
    let mut keys: Vec<u64> = (0..).zip(starts).map(|(index, start)| start << 32 | index).collect();
    keys.sort_unstable();
    let index = |key: u64| u32::try_from(key & u64::from(u32::MAX)).expect("it is 32 bits");
    keys.into_iter().map(index).collect()
}

/// Lists `rivals`, which share their start, by name and without those that are gone, and marks the
/// one that counts.
fn judge(
    rivals: &mut [u32],
    names: &Names,
    size_of: &mut impl FnMut(&str) -> Option<u64>,
    listed: &mut Names,
) {
    rivals.sort_unstable_by_key(|rival| names.file_name(*rival));
    let sized =
        rivals.iter().filter_map(|rival| Some((*rival, size_of(&names.file_name(*rival))?)));
    let sized: Vec<(u32, u64)> = sized.collect();
    let merit = |rival: u32, size| (names.segment(rival), size);
    let best = sized.iter().copied().min_by(|a, b| by_merit(merit(a.0, a.1), merit(b.0, b.1)));
    for (rival, _) in &sized {
        listed.push_ranked(names, *rival, best.is_some_and(|(best, _)| best == *rival));
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

/// The listing of `names`, which are in order and ranked.
fn listing(hour: Hour, names: Names) -> HourListing {
    let (heads, digest) = (Heads::of(names.segments().len()), digest(&names));
    let mut listing = HourListing { hour, names, line: Line::none(hour), digest, heads };
    listing.line = line_of(&listing);
    listing
}

/// A number of what tells listings apart. The hashes are random already.
fn digest(names: &Names) -> u64 {
    let mut digest = Digest::default();
    for segment in names.segments() {
        let (head, _) = segment.hash.as_bytes().split_first_chunk().expect("a hash is longer");
        digest.mix(u64::from_le_bytes(*head));
        digest.mix(segment.duration.seconds().to_bits());
        digest.mix(u64::from(segment.start_in_hour_micros) << 8 | segment.completeness as u64);
    }
    for (index, name) in names.odd_names() {
        digest.mix(u64::from(*index));
        digest.mix_text(name);
    }
    digest.finish()
}
