//! Properties of segment names, for random input.
//!
//! Covered: printing reads back; reading never panics; a listing keeps every name as it is. Left out:
//! durations that no EXTINF can print to, since names are made from numbers here.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;

use common::base::hash::ContentHash;
use common::base::time::{Hour, Timestamp};
use common::format::segment::{Completeness, MediaDuration, SegmentName, SegmentPath, Tail};
use common::plan::listing::{HourListing, Segment};
use proptest::prelude::*;
use proptest::sample::select;

fn completeness() -> impl Strategy<Value = Completeness> {
    use Completeness::{Full, Partial, Suspect};
    // mostly full, as in life, so that long runs are walked
    select(vec![Full, Full, Full, Full, Suspect, Partial])
}

prop_compose! {
    fn name()(
        micros in 0..3_600_000_000_i64,
        seconds in 0.0..=3600.0_f64,
        completeness in completeness(),
        hash in any::<[u8; 8]>(),
    ) -> SegmentName {
        let duration = MediaDuration::from_seconds(seconds).unwrap();
        let tail = Tail::Published(completeness, ContentHash::of(&hash));
        SegmentName::new(Timestamp::from_micros(micros), duration, tail)
    }
}

proptest! {
    #[test]
    fn printing_reads_back(name in name()) {
        prop_assert_eq!(name.to_string().parse(), Ok(name));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*", name in name(), at in any::<prop::sample::Index>()) {
        let _ = text.parse::<SegmentPath>();
        let good = name.to_string();
        let (before, after) = good.split_at(at.index(good.len()));
        // one foreign character in an otherwise good name
        let _ = format!("{before}{}{after}", text.chars().next().unwrap_or('-')).parse::<SegmentPath>();
    }

    #[test]
    fn a_listing_keeps_every_name(names in prop::collection::vec((name(), odd_form()), 0..20)) {
        let names: BTreeSet<String> = names
            .into_iter()
            .map(|(name, odd)| odd.map_or(name.to_string(), |odd| odd.applied_to(&name)))
            .collect();
        let hour: Hour = "2026-11-20T10".parse().unwrap();
        let listing = HourListing::new(hour, &names, |_| Some(1));
        let listed: BTreeSet<String> = listing.segments().map(Segment::file_name).collect();
        prop_assert_eq!(listed, names);
        let starts: Vec<Timestamp> = listing.segments().map(Segment::start).collect();
        prop_assert!(starts.is_sorted());
    }
}

/// A way to write a name that reads the same and is not the canonical one.
#[derive(Clone, Copy, Debug)]
enum OddForm {
    ZeroBefore,
    ZeroAfter,
    ShortStart,
}

fn odd_form() -> impl Strategy<Value = Option<OddForm>> {
    use OddForm::{ShortStart, ZeroAfter, ZeroBefore};
    select(vec![None, Some(ZeroBefore), Some(ZeroAfter), Some(ShortStart)])
}

impl OddForm {
    fn applied_to(self, name: &SegmentName) -> String {
        let name = name.to_string();
        let (start, rest) = name.split_once('-').unwrap();
        let (duration, rest) = rest.split_once('-').unwrap();
        match self {
            Self::ZeroBefore => format!("{start}-0{duration}-{rest}"),
            Self::ZeroAfter => format!("{start}-{duration}0-{rest}"),
            Self::ShortStart => {
                format!("{}-{duration}-{rest}", start.trim_end_matches('0').trim_end_matches('.'))
            }
        }
    }
}
