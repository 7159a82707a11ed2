//! What the store and the notes say of the last hour before this process began.
//!
//! A process that is killed leaves segments behind that it had not fetched yet, without a word. So what
//! is accounted for is read when another begins; what lies between and is not listed any more was missed
//! because the downloader was stopped.

use std::io;

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::io::store::notes::{Note, Notes};
use common::io::store::{Feed, Store};
use common::plan::listing::Segment;

/// How far back is looked from the end of the newest segment.
const LOOKED_BACK: TimeDelta = TimeDelta::hours(1);

/// The recent past of one feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recall {
    /// Spans with a segment, of whatever completeness, or with a reason why there is none: a note, or a
    /// jump of the publisher's clock.
    pub(crate) spans: Vec<(Timestamp, Timestamp)>,
}

/// Reads the recent past of `feed`, or what was that at some time `before`; nothing when nothing was ever
/// recorded. Blocks.
///
/// # Errors
///
/// When a folder or a file cannot be read.
pub(crate) fn recall(
    store: &Store,
    feed: &Feed,
    notes: &Notes,
    before: Option<Timestamp>,
) -> io::Result<Recall> {
    let mut recall = Recall::default();
    let Some(since) = last_end(store, feed, before)?.map(|end| end - LOOKED_BACK) else {
        return Ok(recall);
    };
    let hours = store.hours(feed)?;
    for hour in hours.into_iter().filter(|hour| *hour >= since.hour()) {
        let listing = store.hour(feed, hour)?;
        let segments = listing.segments().filter(|segment| segment.start() >= since);
        recall.spans.extend(segments.map(|segment| (segment.start(), segment.end())));
        for note in notes.read(hour)? {
            match note {
                Note::Missing { start, duration, .. } => {
                    recall.spans.push((start, start + seconds(duration)));
                }
                Note::Discontinuity { start, skipped: Some(skipped), .. } => {
                    recall.spans.push((start - seconds(skipped), start));
                }
                Note::Discontinuity { .. } => {}
            }
        }
    }
    Ok(recall)
}

/// The end of the newest segment in the store that ends `before` then, of whatever completeness.
fn last_end(
    store: &Store,
    feed: &Feed,
    before: Option<Timestamp>,
) -> io::Result<Option<Timestamp>> {
    let is_before = |end: &Timestamp| before.is_none_or(|before| *end <= before);
    for hour in store.hours(feed)?.into_iter().rev() {
        let listing = store.hour(feed, hour)?;
        if let Some(end) = listing.segments().map(Segment::end).filter(is_before).max() {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

/// A note's duration, which anybody may have written; nonsense is none.
fn seconds(duration: f64) -> TimeDelta {
    let sane = Some(duration).filter(|seconds| (0.0..1e9).contains(seconds)).unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
    TimeDelta::microseconds((sane * 1e6) as i64)
}

#[cfg(test)]
mod tests {
    use common::base::hash::ContentHash;
    use common::io::store::Access;
    use common::io::store::notes::Why;

    use super::*;

    #[test]
    fn the_last_hour_is_read_from_segments_and_notes() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Write).unwrap();
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        let notes = Notes::new(store.clone(), "node".parse().unwrap(), feed.clone());
        assert_eq!(recall(&store, &feed, &notes, None).unwrap(), Recall::default());

        let hash = ContentHash::of(b"");
        let at = |text: &str| Timestamp::parse_http(text).unwrap();
        for (hour, name) in [
            ("2026-11-20T08", "00:00.0-2.0-full"),
            ("2026-11-20T09", "30:00.0-2.0-full"),
            ("2026-11-20T10", "00:00.0-2.0-partial"),
        ] {
            let folder = base.path().join("chan/source").join(hour);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(format!("{name}-{hash}.ts")), b"").unwrap();
        }
        let learned = at("2026-11-20T10:00:00");
        let (start, why) = (at("2026-11-20T09:30:02"), Why::Gap);
        let missing = Note::Missing { start, duration: 2.5, why, detail: String::new(), learned };
        let jump = |start, skipped| Note::Discontinuity {
            start: at(start),
            skipped,
            detail: String::new(),
            learned,
        };
        let jumped = jump("2026-11-20T10:00:30", Some(20.0));
        notes.append([missing, jumped, jump("2026-11-20T10:00:40", None)]).unwrap();

        let recalled = recall(&store, &feed, &notes, None).unwrap();
        let expected = [
            (at("2026-11-20T09:30:00"), at("2026-11-20T09:30:02")),
            (at("2026-11-20T09:30:02"), at("2026-11-20T09:30:04.5")),
            (at("2026-11-20T10:00:00"), at("2026-11-20T10:00:02")),
            (at("2026-11-20T10:00:10"), at("2026-11-20T10:00:30")),
        ];
        assert_eq!(recalled.spans, expected);
        // as it was before all that
        let recalled = recall(&store, &feed, &notes, Some(at("2026-11-20T09:00:00"))).unwrap();
        let first = (at("2026-11-20T08:00:00"), at("2026-11-20T08:00:02"));
        assert_eq!(recalled.spans.first(), Some(&first));
    }

    #[test]
    fn a_note_of_nonsense_covers_nothing() {
        for nonsense in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            assert_eq!(seconds(nonsense), TimeDelta::zero());
        }
        assert_eq!(seconds(0.5), TimeDelta::milliseconds(500));
    }
}
