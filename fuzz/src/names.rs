//! Names of segments, alone and as the listing of a folder.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use common::base::time::{Hour, TimeRange, Timestamp};
use common::format::segment::{MediaDuration, SegmentPath, Tail};
use common::plan::listing::HourListing;
use common::plan::select::{JOIN_TOLERANCE, Piece, best_segments};

/// A path that is read says what it said: its name prints and reads back, lies in its hour and ends
/// as the text did, and every shorter part of the path reads as the same.
pub fn segment_path(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(path) = text.parse::<SegmentPath>() else { return };
    let printed = path.name.to_string();
    assert_eq!(printed.parse().as_ref(), Ok(&path.name), "it prints as {printed:?}");
    assert!(path.name.duration() <= MediaDuration::MAX);
    let tail = match path.name.tail() {
        Tail::Published(completeness, hash) => format!("-{}-{hash}.ts", completeness.token()),
        Tail::Temp(unique) => format!("-temp-{unique}.ts"),
    };
    assert!(text.ends_with(&tail) && printed.ends_with(&tail), "it prints as {printed:?}");
    let hour = path.hour.unwrap_or_else(some_hour);
    assert_eq!(path.name.start(hour).hour(), hour, "it starts in the hour of its folder");
    shorter_parts_agree(text, &path);
}

fn shorter_parts_agree(text: &str, path: &SegmentPath) {
    let components: Vec<&str> = text.rsplit('/').take(4).collect();
    if let (Some(hour), Some(component)) = (path.hour, components.get(1)) {
        assert_eq!(hour.to_string(), *component, "an hour has one form");
    }
    for known in 1..=components.len() {
        let part: Vec<&str> = components[..known].iter().rev().copied().collect();
        let expected = SegmentPath {
            channel: path.channel.clone().filter(|_| known > 3),
            quality: path.quality.clone().filter(|_| known > 2),
            hour: path.hour.filter(|_| known > 1),
            name: path.name.clone(),
        };
        assert_eq!(part.join("/").parse(), Ok(expected));
    }
}

/// Any names make a listing that is sorted, whatever their order, and from which any span can be
/// selected. The first two bytes say which span, the lines after them are the names.
pub fn hour_listing(bytes: &[u8]) {
    let [from, minutes, text @ ..] = bytes else { return };
    let text = String::from_utf8_lossy(text);
    // a folder holds no two files of one name
    let names: BTreeSet<&str> = text.lines().collect();
    let hour = some_hour();
    let listing = Arc::new(HourListing::new(hour, &names, size));
    assert_eq!(*listing, HourListing::new(hour, names.iter().rev(), size));
    let found = listing.segments().map(|segment| (segment.start(), segment.file_name()));
    let found: Vec<(Timestamp, String)> = found.collect();
    assert!(found.is_sorted(), "{found:?}");
    assert!(found.iter().all(|(_, name)| names.contains(name.as_str())), "{found:?}");
    let start = hour.start() + TimeDelta::minutes(i64::from(*from)) - TimeDelta::hours(1);
    let end = start + TimeDelta::minutes(i64::from(*minutes));
    if let Some(range) = TimeRange::new(start, end) {
        neighbours_join(&best_segments([&listing], range).pieces().collect::<Vec<_>>());
    }
}

fn neighbours_join(pieces: &[Piece<'_>]) {
    for pair in pieces.windows(2) {
        match pair {
            [Piece::Segment(one), Piece::Segment(next)] => {
                assert!((next.start() - one.end()).abs() <= JOIN_TOLERANCE, "{one:?} {next:?}");
            }
            [Piece::Hole(_), Piece::Hole(_)] => panic!("two holes in a row: {pair:?}"),
            _ => {}
        }
    }
    for piece in pieces {
        assert!(!matches!(piece, Piece::Hole(hole) if hole.start >= hole.end), "{piece:?}");
    }
}

fn some_hour() -> Hour {
    Timestamp::from_micros(1_795_168_800_000_000).hour()
}

/// A size that the name decides, and now and then a file that is gone.
fn size(name: &str) -> Option<u64> {
    let sum = name.bytes().map(u64::from).sum::<u64>();
    (sum % 7 > 0).then_some(sum % 3)
}
