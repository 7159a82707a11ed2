//! Which addresses a list has, or is about to have, for its segments, so that what was there before is gone.
//! Pure.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::hls::Segment;
use common::format::segment::MediaDuration;

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
    soon: BTreeMap<String, Option<Timestamp>>,
}

impl Taken {
    /// The addresses of `segments`, and those of the next ones where names are counted.
    pub(super) fn new<'a>(segments: impl Iterator<Item = &'a Segment>) -> Self {
        let mut last = None;
        let segments = segments.inspect(|segment| last = Some(*segment));
        let now = segments.map(|segment| (place(segment), timeline::stated(segment))).collect();
        let first = last.map(|last| (without_query(&last.uri).to_owned(), timeline::stated(last)));
        let lasts = last.and_then(|last| last.duration).and_then(MediaDuration::from_seconds);
        let after = |(name, date): &(String, Option<Timestamp>)| {
            let date = date.zip(lasts).map(|(date, lasts)| date + lasts.delta());
            Some((next(name)?, date))
        };
        let soon = std::iter::successors(first, after).skip(1).take(AHEAD).collect();
        Self { now, soon }
    }

    /// What may be at the address of `segment`, which began at `start`, instead of it.
    pub(super) fn claim(&self, segment: &Segment, start: Timestamp) -> Claim {
        let place = place(segment);
        let is_same =
            |date: &Option<Timestamp>| date.is_some_and(|date| (date - start).abs() <= SAME);
        match (self.now.get(&place), self.soon.get(&place.0)) {
            (Some(date), _) | (None, Some(date)) if is_same(date) => Claim::Free,
            (Some(_), _) => Claim::Taken,
            (None, Some(_)) => Claim::Soon,
            (None, None) => Claim::Free,
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
    fn what_comes_next_is_another_only_at_another_time() {
        let at = |seconds| Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000);
        let segment = |uri: &str, date: Option<i64>| Segment {
            uri: uri.to_owned(),
            duration: Some(2.0),
            program_date_time: date.map(at),
            ..Segment::default()
        };
        for (date, start, expected) in [
            (Some(10), 12, [Claim::Free, Claim::Soon]),
            (Some(10), 14, [Claim::Soon, Claim::Free]),
            (None, 12, [Claim::Soon, Claim::Soon]),
        ] {
            let listed = segment("7.ts", date);
            let taken = Taken::new([&listed].into_iter());
            let claims = ["8.ts", "9.ts"].map(|uri| taken.claim(&segment(uri, None), at(start)));
            assert_eq!(claims, expected, "{date:?} {start}");
            assert_eq!(taken.claim(&segment("10.ts", None), at(start)), Claim::Free);
        }
    }

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
