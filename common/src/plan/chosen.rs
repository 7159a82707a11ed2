//! Chosen segments that outlive the listings they were chosen from.

use crate::base::time::{Hour, Timestamp};
use crate::format::segment::{Completeness, MediaDuration};

use super::select::{Piece, Selection};

/// A segment that was chosen, with what is needed to find and describe it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenSegment {
    /// When it starts.
    pub start: Timestamp,
    /// How long it lasts.
    pub duration: MediaDuration,
    /// How far it can be trusted.
    pub completeness: Completeness,
    /// Whether a hole lies between it and the chosen segment before it; never for the first one.
    pub after_hole: bool,
    /// Its file name in the folder of [`ChosenSegment::hour`].
    pub file_name: Box<str>,
}

impl ChosenSegment {
    /// The hour whose folder holds it.
    pub const fn hour(&self) -> Hour {
        // a name places its segment within the hour of its folder
        self.start.hour()
    }

    /// The first instant after it.
    pub fn end(&self) -> Timestamp {
        self.start + self.duration.delta()
    }
}

/// The segments of `selection`, in its order.
pub fn chosen_segments(selection: &Selection<'_>) -> Vec<ChosenSegment> {
    let mut segments: Vec<ChosenSegment> = Vec::with_capacity(selection.pieces.len());
    let mut hole_before = false;
    for piece in &selection.pieces {
        let Piece::Segment(segment) = piece else {
            hole_before = true;
            continue;
        };
        segments.push(ChosenSegment {
            start: segment.start,
            duration: segment.name.duration(),
            completeness: segment.completeness,
            after_hole: hole_before && !segments.is_empty(),
            file_name: segment.file_name.clone(),
        });
        hole_before = false;
    }
    segments
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::base::hash::ContentHash;
    use crate::base::time::TimeRange;
    use crate::plan::listing::HourListing;
    use crate::plan::select::best_segments;

    #[test]
    fn only_holes_between_segments_are_marked() {
        let hash = ContentHash::of(b"");
        let names = [2, 4, 8].map(|second| format!("00:{second:02}-2-full-{hash}.ts"));
        let hour: Hour = "2026-11-20T10".parse().unwrap();
        let listing = HourListing::new(hour, &names, |_| None);
        let range = TimeRange::new(hour.start(), hour.start() + TimeDelta::seconds(20)).unwrap();
        let chosen = chosen_segments(&best_segments([&listing], range));
        let after_hole: Vec<bool> = chosen.iter().map(|segment| segment.after_hole).collect();
        assert_eq!(after_hole, [false, false, true]);
        assert_eq!(&*chosen[2].file_name, names[2]);
        assert_eq!(chosen[2].end(), hour.start() + TimeDelta::seconds(10));
    }
}
