//! The notes: every miss has its reason, and what was announced is noted.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::segment::Completeness;
use common::io::store::notes::{Note, Why};

use super::{Case, GRACE};
use crate::origin::footage::SEGMENT_MILLIS;
use crate::origin::script::Leaves;
use crate::origin::stream::{Pause, Published};

/// How short a time off may be so that nobody has to notice it, in milliseconds.
const SHORTEST_OFFLINE: i64 = 8000;

/// Whether notes with one of `reasons` cover a segment's time, its first and its last quarter, or what is
/// stored there of another at the same time.
pub(super) fn is_covered(
    case: &Case<'_>,
    segment: &Published,
    reasons: &BTreeSet<&'static str>,
) -> bool {
    let start = case.start(segment);
    [SEGMENT_MILLIS / 4, SEGMENT_MILLIS * 3 / 4].iter().all(|into| {
        let instant = start + TimeDelta::milliseconds(*into);
        let mut files = case.held.files.iter();
        let is_stored = files.any(|file| {
            let until = file.start + TimeDelta::microseconds(file.duration);
            file.completeness == Completeness::Full && file.start <= instant && instant < until
        });
        let mut notes = case.held.notes.iter();
        let is_noted = notes.any(|note| {
            span(note).is_some_and(|(from, until, why)| {
                from <= instant && instant < until && reasons.contains(why.token())
            })
        });
        is_stored || is_noted
    })
}

/// The notes that touch the middle of a segment's time, for people.
pub(super) fn covering(case: &Case<'_>, segment: &Published) -> Vec<String> {
    contradicting(case, segment, &BTreeSet::new())
}

/// Those of them that give none of `reasons`.
pub(super) fn contradicting(
    case: &Case<'_>,
    segment: &Published,
    reasons: &BTreeSet<&'static str>,
) -> Vec<String> {
    let instant = case.start(segment) + TimeDelta::milliseconds(SEGMENT_MILLIS / 2);
    let touching = case.held.notes.iter().filter_map(|note| {
        let (from, until, why) = span(note)?;
        let Note::Missing { detail, .. } = note else { return None };
        let touches = from <= instant && instant < until && !reasons.contains(why.token());
        touches.then(|| format!("a note {} ({detail})", why.token()))
    });
    touching.collect()
}

fn span(note: &Note) -> Option<(Timestamp, Timestamp, Why)> {
    let Note::Missing { start, duration, why, .. } = note else { return None };
    #[expect(clippy::cast_possible_truncation, reason = "of a note, so some seconds or hours")]
    let length = TimeDelta::microseconds((duration * 1e6).round() as i64);
    Some((*start, *start + length, *why))
}

/// What is wrong with the notes beyond single segments.
pub(super) fn violations(case: &Case<'_>) -> Vec<String> {
    let mut all: Vec<String> = discontinuities(case).collect();
    all.extend(offline(case));
    all
}

/// Every discontinuity that was announced, and whose segment is stored, is noted at its start.
fn discontinuities<'a>(case: &'a Case<'_>) -> impl Iterator<Item = String> + 'a {
    let noted: BTreeSet<Timestamp> = case
        .held
        .notes
        .iter()
        .filter(|note| matches!(note, Note::Discontinuity { .. }))
        .map(Note::start)
        .collect();
    let is_stored = |segment: &Published| {
        let start = case.start(segment);
        let files = case.held.files.iter();
        files.into_iter().any(|f| f.start == start && f.completeness == Completeness::Full)
    };
    let announced = case.announced().filter(|segment| segment.discontinuity && !case.is_undated());
    let unnoted = announced
        .filter(move |segment| is_stored(segment) && !noted.contains(&case.start(segment)));
    unnoted.map(|segment| {
        format!("{} came with EXT-X-DISCONTINUITY, which no note tells", case.tell(segment))
    })
}

/// While a channel that had said so was off, notes say that it was.
fn offline<'a>(case: &'a Case<'_>) -> impl Iterator<Item = String> + 'a {
    let pauses = case.stream.pauses.iter().filter(|pause| {
        let is_told = pause.leaves != Leaves::List;
        is_told
            && pause.until - pause.from >= SHORTEST_OFFLINE
            && pause.until < case.stopped - 2 * GRACE
    });
    let was_followed = |from: i64| {
        case.record.segments.iter().any(|(index, record)| {
            !record.listed.is_empty() && case.stream.get(*index).is_some_and(|s| s.at <= from)
        })
    };
    // a recorder that had no answer meanwhile was not told
    let was_told = |pause: &Pause| {
        let mut troubles = case.script.list_troubles.iter();
        !troubles
            .any(|trouble| trouble.during.start < pause.until && pause.from < trouble.during.end)
    };
    let pauses = pauses.filter(move |pause| was_followed(pause.from) && was_told(pause));
    pauses.filter_map(|pause| {
        let middle = case.epoch + TimeDelta::milliseconds(i64::midpoint(pause.from, pause.until));
        let is_noted = case
            .held
            .notes
            .iter()
            .filter_map(span)
            .any(|(from, until, why)| why == Why::Offline && from <= middle && middle < until);
        (!is_noted).then(|| {
            format!(
                "the channel was offline from {} to {} ms ({:?}), which no note tells",
                pause.from, pause.until, pause.leaves
            )
        })
    })
}
