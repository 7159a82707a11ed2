//! Which addresses a list has, or is about to have, for its segments, so that what was there before is gone.
//! Pure.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::hls::Segment;

use super::entry::without_query;
use super::terms::Claim;
use super::timeline;

/// How many segments ahead of a list their addresses are written to: one is being uploaded, and one was when the
/// list was on its way.
const AHEAD: usize = 2;
/// Segments of one address whose dates differ by less are the same one.
const SAME: TimeDelta = TimeDelta::seconds(1);

/// An address without its query, and which part of what lies there.
type Place = (String, Option<(Option<u64>, u64)>);

/// Addresses that are in use, with the dates of what is there, and those that soon are.
#[derive(Debug)]
pub(super) struct Taken {
    now: BTreeMap<Place, Option<Timestamp>>,
    soon: Vec<String>,
}

impl Taken {
    /// The addresses of `segments`, and those of the next ones where names are counted.
    pub(super) fn new<'a>(segments: impl Iterator<Item = &'a Segment>) -> Self {
        let mut last = None;
        let segments = segments.inspect(|segment| last = Some(*segment));
        let now = segments.map(|segment| (place(segment), timeline::stated(segment))).collect();
        let name = last.map(|last| without_query(&last.uri).to_owned());
        let soon = std::iter::successors(name, |name| next(name)).skip(1).take(AHEAD).collect();
        Self { now, soon }
    }

    /// What may be at the address of `segment`, which began at `start`, instead of it.
    pub(super) fn claim(&self, segment: &Segment, start: Timestamp) -> Claim {
        let place = place(segment);
        match self.now.get(&place) {
            Some(Some(date)) if (*date - start).abs() <= SAME => Claim::Free,
            Some(_) => Claim::Taken,
            None if self.soon.contains(&place.0) => Claim::Soon,
            None => Claim::Free,
        }
    }
}

fn place(segment: &Segment) -> Place {
    let range = segment.byte_range.map(|range| (range.offset, range.length));
    (without_query(&segment.uri).to_owned(), range)
}

/// The name after one that ends in a number, but for its extension.
fn next(name: &str) -> Option<String> {
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    let stem = name[file..].rfind('.').map_or(name.len(), |dot| file + dot);
    let before = name[file..stem].trim_end_matches(|c: char| c.is_ascii_digit());
    let (before, digits) = name[..stem].split_at(file + before.len());
    let number: u64 = digits.parse().ok()?;
    let (number, width) = (number.checked_add(1)?, digits.len());
    Some(format!("{before}{number:0width$}{}", &name[stem..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_on() {
        for (name, expected) in [
            ("7.ts", Some("8.ts")),
            ("a.b/live-0099.m4s", Some("a.b/live-0100.m4s")),
            ("9", Some("10")),
            ("7/live.ts", None),
            ("live.mp4", None),
            ("ä.ts", None),
            ("18446744073709551615.ts", None),
            ("", None),
        ] {
            assert_eq!(next(name).as_deref(), expected, "{name}");
        }
    }
}
