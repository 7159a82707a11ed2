//! A channel without dates: where its segments lie is the recorder's guess, but not in which order they do,
//! how often each is stored, and how far apart those are that follow on.

use chrono::TimeDelta;
use common::format::segment::Completeness;

use super::Case;
use crate::origin::footage::SEGMENT_MILLIS;
use crate::origin::held::HeldFile;
use crate::origin::stream::Published;

/// How far from its time a segment may lie that was placed by its arrival, in milliseconds: a list may come
/// late, and is not placed anew for being off by less than three target durations and 5 s.
const MOST_OFF: i64 = 10_000;

/// What is wrong with where the files lie.
pub(super) fn violations(case: &Case<'_>) -> Vec<String> {
    let mut all = Vec::new();
    let mut after: Option<(&HeldFile, &Published)> = None;
    // of one that came cut, there is another copy
    let is_known = |file: &&HeldFile| {
        file.completeness != Completeness::Partial
            && case.stream.segments.iter().any(|segment| case.hash(segment) == file.hash)
    };
    for file in case.held.files.iter().filter(is_known) {
        let first = after.map_or(i32::MIN, |(_, before)| before.index + 1);
        let later = case.stream.segments.iter().filter(|segment| segment.index >= first);
        // a long stream shows the same again
        let alike = later.filter(|segment| case.hash(segment) == file.hash);
        let Some(segment) = alike.min_by_key(|segment| (file.start - case.start(segment)).abs())
        else {
            let name = &file.name;
            let before = after.map(|(_, before)| case.tell(before)).unwrap_or_default();
            all.push(format!("{name} is stored twice or out of order, behind {before}"));
            continue;
        };
        all.extend(misplaced(case, file, segment, after));
        after = Some((file, segment));
    }
    all
}

/// What is wrong with where `file` lies, which is `segment`, `after` another that is stored.
fn misplaced(
    case: &Case<'_>,
    file: &HeldFile,
    segment: &Published,
    after: Option<(&HeldFile, &Published)>,
) -> Option<String> {
    let (name, told) = (&file.name, case.tell(segment));
    if file.duration != SEGMENT_MILLIS * 1000 {
        return Some(format!("{name} has another duration than {told}"));
    }
    let off = file.start - case.start(segment);
    if off.abs() > TimeDelta::milliseconds(MOST_OFF) {
        return Some(format!("{name} lies {} ms from where {told} was", off.num_milliseconds()));
    }
    // an address that begins with advertisements has no number in common with those before, so what it shows
    // first of its programme is placed by its arrival
    if case.script.shape.pre_roll > 0 && case.record.multivariants.len() > 1 {
        return None;
    }
    let (previous, before) = after?;
    let is_listed = |index: &i32| {
        case.record.segments.get(index).is_some_and(|record| !record.listed.is_empty())
    };
    let mut between = before.index..segment.index;
    if before.part != segment.part || !between.all(|index| is_listed(&index)) {
        return None;
    }
    let due = TimeDelta::milliseconds(segment.start - before.start);
    let apart = file.start - previous.start;
    (apart != due).then(|| {
        format!(
            "{name} lies {} ms after {}, where durations say {} ms: it is {told}",
            apart.num_milliseconds(),
            previous.name,
            due.num_milliseconds()
        )
    })
}
