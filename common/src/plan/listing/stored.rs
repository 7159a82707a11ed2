//! How a listing holds names: a few bytes each, and texts only where a name is not canonical.

use std::borrow::Cow;

use crate::base::hash::ContentHash;
use crate::format::segment::{Completeness, MediaDuration, SegmentName, Tail, push_published};

/// The names of segments by numbers, which count from zero.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Names {
    segments: Vec<StoredSegment>,
    /// The texts of those that are not canonical, by number.
    odd_names: Vec<(u32, Box<str>)>,
}

/// What the name of a published segment says, without its hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct StoredSegment {
    pub(super) hash: ContentHash,
    pub(super) duration: MediaDuration,
    pub(super) start_in_hour_micros: u32,
    pub(super) completeness: Completeness,
    /// Whether it is the one that counts of those with its start.
    pub(super) best: bool,
}

impl Names {
    /// None yet, and room for so many.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { segments: Vec::with_capacity(count), ..Self::default() }
    }

    /// Adds `segment` under the next number, and the text of its name if that is not canonical.
    pub(super) fn push(&mut self, segment: StoredSegment, odd_name: Option<&str>) {
        let index = u32::try_from(self.segments.len()).expect("a folder holds fewer files");
        self.odd_names.extend(odd_name.map(|name| (index, name.into())));
        self.segments.push(segment);
    }

    /// Adds what `others` hold under `index`, saying whether it is the one that counts of its start.
    pub(super) fn push_ranked(&mut self, others: &Self, index: u32, best: bool) {
        self.push(StoredSegment { best, ..*others.segment(index) }, others.odd_name(index));
    }

    /// What all names say.
    pub(super) fn segments(&self) -> &[StoredSegment] {
        &self.segments
    }

    /// What the name of this number says.
    pub(super) fn segment(&self, index: u32) -> &StoredSegment {
        &self.segments[index as usize]
    }

    /// The texts of those that are not canonical, each with its number.
    pub(super) fn odd_names(&self) -> &[(u32, Box<str>)] {
        &self.odd_names
    }

    /// The text of a name that is not canonical.
    pub(super) fn odd_name(&self, index: u32) -> Option<&str> {
        let found = self.odd_names.binary_search_by_key(&index, |(index, _)| *index);
        found.ok().map(|at| &*self.odd_names[at].1)
    }

    /// The text of any name.
    pub(super) fn file_name(&self, index: u32) -> Cow<'_, str> {
        match self.odd_name(index) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(self.segment(index).canonical_name()),
        }
    }

    /// About how many bytes of memory they take.
    pub(super) fn memory_bytes(&self) -> usize {
        /// What an odd name takes besides its letters.
        const ENTRY_BYTES: usize = size_of::<(u32, Box<str>)>();
        let odd = self.odd_names.iter().map(|(_, name)| name.len() + ENTRY_BYTES);
        size_of_val(&*self.segments) + odd.sum::<usize>()
    }
}

impl StoredSegment {
    /// What `name` says, unless it is that of a temp file.
    pub(super) fn of(name: &SegmentName) -> Option<Self> {
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

    pub(super) fn push_canonical_name(&self, out: &mut String) {
        let Self { hash, duration, start_in_hour_micros, completeness, .. } = self;
        push_published(out, *start_in_hour_micros, *duration, *completeness, hash);
    }

    fn canonical_name(&self) -> String {
        /// Enough for most.
        const BYTES: usize = 80;
        let mut name = String::with_capacity(BYTES);
        self.push_canonical_name(&mut name);
        name
    }
}
