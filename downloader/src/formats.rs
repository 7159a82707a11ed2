//! Changes of format between one segment and the next: another container, codec or picture size. Pure.

use std::collections::{BTreeMap, VecDeque};

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::media::examiner::Format;

use crate::planner::Event;

/// Segments that lie apart by more are no neighbours.
const TOLERANCE: TimeDelta = TimeDelta::milliseconds(100);
/// How many of the segments that were stored last are remembered. They come in any order: those of a
/// backlog are older than all that is live, and yet one after another.
const MAX_KEPT: usize = 64;

/// The formats of the segments that were stored last.
#[derive(Debug, Default)]
pub(crate) struct Formats {
    by_start: BTreeMap<Timestamp, (Timestamp, Format)>,
    /// Where they begin, in the order in which they were stored.
    stored: VecDeque<Timestamp>,
}

impl Formats {
    /// Takes in a segment that was stored; tells of the changes between it and its neighbours.
    pub(crate) fn stored(
        &mut self,
        start: Timestamp,
        end: Timestamp,
        format: Format,
    ) -> Vec<Event> {
        let mut changes = Vec::new();
        if self.by_start.insert(start, (end, format)).is_some() {
            // another copy of what is known
            return changes;
        }
        self.stored.push_back(start);
        let before = self.by_start.range(..start).next_back();
        let this = self.by_start.range(start..).next();
        let after = self.by_start.range(start + TimeDelta::microseconds(1)..).next();
        for pair in [before.zip(this), this.zip(after)] {
            let Some(((_, (ends, one)), (begins, other))) = pair else { continue };
            if (*begins - *ends).abs() <= TOLERANCE && other.1 != *one {
                let detail = format!("the format changed from {one} to {}", other.1);
                let jumped = TimeDelta::zero();
                changes.push(Event::Discontinuity { start: *begins, jumped, detail });
            }
        }
        while self.stored.len() > MAX_KEPT {
            if let Some(first) = self.stored.pop_front() {
                self.by_start.remove(&first);
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use common::format::media::examiner::Packing;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn format(packing: Packing) -> Format {
        Format { packing, video: None, audio: Vec::new() }
    }

    /// Stores a segment of two seconds; returns where changes are.
    fn store(formats: &mut Formats, start: i64, packing: Packing) -> Vec<Timestamp> {
        let changes = formats.stored(at(start), at(start + 2), format(packing));
        let starts = changes.into_iter().map(|change| match change {
            Event::Discontinuity { start, .. } => start,
            other => panic!("{other:?}"),
        });
        starts.collect()
    }

    #[test]
    fn a_change_is_told_once_whatever_the_order() {
        let (ts, mp4) = (Packing::MpegTs, Packing::Fmp4);
        let mut formats = Formats::default();
        assert_eq!(store(&mut formats, 0, ts), []);
        assert_eq!(store(&mut formats, 4, mp4), [], "they are no neighbours");
        assert_eq!(store(&mut formats, 2, ts), [at(4)]);
        assert_eq!(store(&mut formats, 2, ts), []);
        assert_eq!(store(&mut formats, 6, ts), [at(6)]);
        assert_eq!(store(&mut formats, 8, ts), []);
    }

    #[test]
    fn a_change_in_a_backlog_is_told_however_much_is_newer() {
        let (ts, mp4) = (Packing::MpegTs, Packing::Fmp4);
        let mut formats = Formats::default();
        for number in 0..1000 {
            store(&mut formats, 10_000 + number * 2, ts);
        }
        assert_eq!(store(&mut formats, 0, ts), []);
        assert_eq!(store(&mut formats, 20_000, ts), []);
        assert_eq!(store(&mut formats, 2, mp4), [at(2)]);
        assert_eq!(store(&mut formats, 4, mp4), []);
    }

    #[test]
    fn only_the_last_are_kept() {
        let mut formats = Formats::default();
        for number in 0..1000 {
            store(&mut formats, number * 2, Packing::MpegTs);
            store(&mut formats, number * 2, Packing::MpegTs);
        }
        assert_eq!((formats.by_start.len(), formats.stored.len()), (MAX_KEPT, MAX_KEPT));
    }
}
