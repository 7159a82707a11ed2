//! Which segments the store has whole, by the hour. Pure but for the names it is given.

use std::collections::{BTreeMap, HashSet};

use common::base::time::{Hour, Timestamp};
use common::format::segment::{
    Completeness, EXTENSION, MediaDuration, SegmentName, TOMBSTONE_EXTENSION,
};

/// How many hours are remembered; a list over more than that is not compared with the store.
pub(crate) const MAX_HOURS: usize = 48;

/// The full segments of some hours of one feed, in the store or covered by a tombstone there.
#[derive(Debug, Default)]
pub(crate) struct Known {
    hours: BTreeMap<Hour, HashSet<(Timestamp, i64)>>,
}

impl Known {
    /// Whether the files of an hour have been read.
    pub(crate) fn has_read(&self, hour: Hour) -> bool {
        self.hours.contains_key(&hour)
    }

    /// Takes in the file names of an hour; forgets the oldest hours beyond [`MAX_HOURS`].
    pub(crate) fn read(&mut self, hour: Hour, file_names: &[String]) {
        let names = file_names.iter().filter_map(|name| full(name));
        let segments = names.map(|name| (name.start(hour), name.duration().micros())).collect();
        self.hours.insert(hour, segments);
        while self.hours.len() > MAX_HOURS {
            self.hours.pop_first();
        }
    }

    /// Takes in a segment that was saved as full.
    pub(crate) fn insert(&mut self, start: Timestamp, duration: MediaDuration) {
        if let Some(segments) = self.hours.get_mut(&start.hour()) {
            segments.insert((start, duration.micros()));
        }
    }

    /// Whether there is a full segment that begins and lasts exactly so.
    pub(crate) fn contains(&self, start: Timestamp, duration: MediaDuration) -> bool {
        let segments = self.hours.get(&start.hour());
        segments.is_some_and(|segments| segments.contains(&(start, duration.micros())))
    }
}

/// The name of a full segment or of what its tombstone covers.
fn full(file_name: &str) -> Option<SegmentName> {
    let name: SegmentName = match file_name.strip_suffix(TOMBSTONE_EXTENSION) {
        Some(stem) => format!("{stem}{EXTENSION}").parse().ok()?,
        None => file_name.parse().ok()?,
    };
    matches!(name.published(), Some((Completeness::Full, _))).then_some(name)
}

#[cfg(test)]
mod tests {
    use common::base::hash::ContentHash;

    use super::*;

    fn hour(text: &str) -> Hour {
        text.parse().unwrap()
    }

    fn seconds(seconds: f64) -> MediaDuration {
        MediaDuration::from_seconds(seconds).unwrap()
    }

    #[test]
    fn full_segments_and_tombstoned_ones_are_known() {
        let hash = ContentHash::of(b"");
        let names = [
            format!("00:00.000000-2.0-full-{hash}.ts"),
            format!("00:02.5-1.967-full-{hash}.tombstone"),
            format!("00:04.000000-2.0-suspect-{hash}.ts"),
            format!("00:06.000000-2.0-partial-{hash}.ts"),
            "00:08.000000-2.0-temp-x.ts".to_owned(),
            "stranger".to_owned(),
        ];
        let mut known = Known::default();
        let ten = hour("2026-11-20T10");
        assert!(!known.has_read(ten));
        known.read(ten, &names);
        assert!(known.has_read(ten));
        let at = |micros| ten.start() + chrono::TimeDelta::microseconds(micros);
        assert!(known.contains(at(0), seconds(2.0)));
        assert!(!known.contains(at(0), seconds(1.9)), "of another duration");
        assert!(known.contains(at(2_500_000), seconds(1.967)));
        for second in [4, 6, 8] {
            assert!(!known.contains(at(second * 1_000_000), seconds(2.0)), "{second}");
        }
        known.insert(at(4_000_000), seconds(2.0));
        assert!(known.contains(at(4_000_000), seconds(2.0)));
    }

    #[test]
    fn the_oldest_hours_are_forgotten() {
        let mut known = Known::default();
        let mut next = hour("2026-11-20T10");
        let first = next;
        for _ in 0..=MAX_HOURS {
            known.read(next, &[]);
            next = next.next().unwrap();
        }
        assert!(!known.has_read(first));
        assert!(known.has_read(first.next().unwrap()));
    }
}
