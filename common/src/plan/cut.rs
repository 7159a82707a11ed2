//! Which segments a cut is made of, or why it cannot be made.

use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;
use thiserror::Error;

use super::listing::HourListing;
use super::select::{Hole, Selection, best_segments};
use crate::base::time::{Hour, TimeRange, Timestamp};
use crate::format::folder::FolderName;

mod stored;

pub use stored::{Beside, StoredSegment, with_beside};

/// How many hours of video one plan may span, so that it fits into memory: more than two weeks.
pub const MAX_HOURS: i64 = 400;

/// Whether a cut may be made although video is missing inside a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holes {
    /// What is there is cut.
    Allow,
    /// The cut is refused.
    Refuse,
}

impl Holes {
    /// What a flag "allow holes" means.
    pub const fn allowed_if(allowed: bool) -> Self {
        if allowed { Self::Allow } else { Self::Refuse }
    }
}

/// The ranges of a cut in the order in which they are shown, with their segments.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Each range has at least one segment.
    pub ranges: Vec<PlannedRange>,
}

/// One range of a cut.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRange {
    /// What was asked for.
    pub range: TimeRange,
    /// What there is of it; the first and the last segment may reach over its ends.
    pub selection: Selection,
    /// What there is beside it, where it does not begin or end with a hole.
    pub beside: Beside,
}

impl Plan {
    /// Plans a cut of `ranges` out of `hours`, the listings of one feed in order, which must hold
    /// every hour that [`TimeRange::may_lie_in`] names for any of the ranges, and should for any
    /// [`with_beside`], as far as it exists.
    ///
    /// # Errors
    ///
    /// When the ranges are too long, one has no video at all, or `holes` are refused and there are
    /// some.
    pub fn new(
        quality: &FolderName,
        hours: &[Arc<HourListing>],
        ranges: &[TimeRange],
        holes: Holes,
    ) -> Result<Self, CutError> {
        check_length(ranges)?;
        let mut missing = Missing::default();
        let mut planned = Vec::with_capacity(ranges.len());
        for &range in ranges {
            let near = hours.iter().filter(|listing| range.may_lie_in(listing.hour()));
            let selection = best_segments(near, range);
            if selection.is_empty() {
                let whole = Hole { start: range.start(), end: range.end() };
                return Err(CutError::Empty { quality: quality.clone(), range: whole.into() });
            }
            selection.holes().for_each(|hole| missing.add(hole));
            let beside = Beside::of(&selection, range, hours);
            planned.push(PlannedRange { range, selection, beside });
        }
        if holes == Holes::Refuse && missing.count > 0 {
            return Err(CutError::Holes { quality: quality.clone(), missing });
        }
        Ok(Self { ranges: planned })
    }

    /// How many segments there are in all ranges together.
    pub fn segments(&self) -> usize {
        self.ranges.iter().map(|range| range.selection.len()).sum()
    }

    /// The folder and name of every file in the order in which they are shown.
    pub fn into_files(self) -> impl Iterator<Item = (Hour, String)> + Send + 'static {
        let parts = self.ranges.into_iter().flat_map(|range| range.selection.into_parts());
        parts.flat_map(|part| {
            let picks = part.picks().to_vec();
            let listing = Arc::clone(part.listing());
            picks.into_iter().map(move |pick| (listing.hour(), listing.segment(pick).file_name()))
        })
    }
}

/// Whether `ranges` are short enough to be planned.
///
/// # Errors
///
/// When they are longer than [`MAX_HOURS`] in all.
pub fn check_length(ranges: &[TimeRange]) -> Result<(), CutError> {
    let length: TimeDelta = ranges.iter().map(|range| range.length()).sum();
    if length > TimeDelta::hours(MAX_HOURS) { Err(CutError::TooLong) } else { Ok(()) }
}

/// Why a cut cannot be made. Each message is one sentence of bounded length for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CutError {
    /// The ranges are longer than a plan may be.
    #[error("the ranges are longer than {MAX_HOURS} hours in all")]
    TooLong,
    /// Video is missing inside the ranges.
    #[error("{quality} lacks {missing}")]
    Holes {
        /// Which quality lacks it.
        quality: FolderName,
        /// Where.
        missing: Missing,
    },
    /// A range has no video.
    #[error("{quality} has no video from {range}")]
    Empty {
        /// Which quality has none.
        quality: FolderName,
        /// Where.
        range: Missing,
    },
}

/// Missing spans for people: the first ones, and how many there are.
///
/// Prints as `2026-11-20 10:00:02.000 to 10:00:04.500, 10:00:08.000 to 10:00:10.000 and 3 more`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    first: Vec<Hole>,
    count: usize,
}

impl Missing {
    /// How many spans are named.
    const NAMED: usize = 8;

    fn add(&mut self, hole: Hole) {
        if self.first.len() < Self::NAMED {
            self.first.push(hole);
        }
        self.count += 1;
    }
}

impl From<Hole> for Missing {
    fn from(hole: Hole) -> Self {
        Self { first: vec![hole], count: 1 }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut date = None;
        for (index, hole) in self.first.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write_time(f, hole.start, &mut date)?;
            f.write_str(" to ")?;
            write_time(f, hole.end, &mut date)?;
        }
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Writes `time`, with its date where that is not the one written last.
fn write_time(
    f: &mut fmt::Formatter<'_>,
    time: Timestamp,
    date: &mut Option<chrono::NaiveDate>,
) -> fmt::Result {
    let naive = time.to_naive();
    if date.replace(naive.date()) != Some(naive.date()) {
        write!(f, "{} ", naive.date())?;
    }
    let whole_millis = time.micros() % 1_000 == 0;
    write!(f, "{}", naive.format(if whole_millis { "%H:%M:%S%.3f" } else { "%H:%M:%S%.6f" }))
}

#[cfg(test)]
mod tests;
