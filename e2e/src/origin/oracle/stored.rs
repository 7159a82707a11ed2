//! The files: what must be there is, and what is there may be.

use std::collections::BTreeSet;

use common::format::segment::Completeness;

use super::Case;
use super::expected::expected;
use super::notes::{contradicting, covering, is_covered};
use super::outages::{dates_went_back, was_in_reach};
use crate::origin::footage::{Clip, SEGMENT_MILLIS};
use crate::origin::held::HeldFile;
use crate::origin::stream::Published;

/// For how many segments after a jump of the clock a recorder may doubt it.
const DOUBTED: i32 = 20;

/// What is wrong with the files, and with what is not there.
pub(super) fn violations(case: &Case<'_>) -> Vec<String> {
    let mut all: Vec<String> =
        case.announced().filter_map(|segment| missed(case, segment)).collect();
    let unfollowed = case.unfollowed().find(|segment| was_in_reach(case, segment));
    all.extend(unfollowed.map(|segment| {
        format!("{} was the first that was in reach of whoever followed", case.tell(segment))
    }));
    for file in &case.held.files {
        all.extend(wrong(case, file));
    }
    for stranger in &case.held.strangers {
        all.push(format!("the store has a file that is no segment: {stranger}"));
    }
    all
}

/// Whether a file holds the bytes of `segment` where they belong.
fn is_at_its_place(case: &Case<'_>, file: &HeldFile, segment: &Published) -> bool {
    file.hash == case.hash(segment)
        && (case.is_undated()
            || (file.start == case.start(segment) && file.duration == SEGMENT_MILLIS * 1000))
}

/// Whether the recorder may say of a segment that came whole that something speaks against it.
fn may_be_suspect(case: &Case<'_>, segment: &Published) -> bool {
    let jumps = case.stream.segments.iter().filter(|other| other.jumped);
    let since =
        jumps.map(|jump| segment.index - jump.index).find(|since| (0..DOUBTED).contains(since));
    since.is_some() || case.is_undated()
}

/// What is wrong if `segment` is not stored as it should be.
fn missed(case: &Case<'_>, segment: &Published) -> Option<String> {
    let copies: Vec<&HeldFile> =
        case.held.files.iter().filter(|file| is_at_its_place(case, file, segment)).collect();
    let has = |wanted: Completeness| copies.iter().any(|file| file.completeness == wanted);
    if case.is_undated() && has(Completeness::Suspect) {
        return None;
    }
    if has(Completeness::Full) && !case.is_undated() {
        let notes = contradicting(case, segment, &reasons_beside(case, segment)).join(", ");
        let told = case.tell(segment);
        return (!notes.is_empty()).then(|| format!("{told} is stored whole, and has {notes}"));
    }
    if has(Completeness::Suspect) && may_be_suspect(case, segment) {
        return None;
    }
    let told = case.tell(segment);
    let there = at_the_time(case, segment);
    let expected = expected(case, segment);
    if let Some(reason) = expected.stored {
        let notes = covering(case, segment).join(", ");
        let notes = if notes.is_empty() { "no note".to_owned() } else { notes };
        return Some(format!(
            "{told} {reason}, but is not stored whole: there is {there}, and {notes}"
        ));
    }
    // without dates, there is no span that could be covered
    let is_unplaced = case.is_undated()
        || (case.record_of(segment).listed.is_empty() && dates_went_back(case, segment));
    if is_unplaced {
        return None;
    }
    let mut reasons = reasons_beside(case, segment);
    reasons.extend(&expected.reasons);
    let contradictions = contradicting(case, segment, &reasons);
    if contradictions.is_empty() && is_covered(case, segment, &reasons) {
        return None;
    }
    let reasons: Vec<&str> = expected.reasons.iter().copied().collect();
    let notes = covering(case, segment);
    let notes = if notes.is_empty() { "no note".to_owned() } else { notes.join(", ") };
    Some(format!(
        "{told} is not stored whole (there is {there}), and has {notes} where one must give the reason \
         {}",
        reasons.join(" or ")
    ))
}

/// Why others may be missing that lie at the same time, as those before a clock went back and those after
/// it do: a note of one covers both.
fn reasons_beside(case: &Case<'_>, segment: &Published) -> BTreeSet<&'static str> {
    let others = case.announced().filter(|other| {
        other.index != segment.index && (other.start - segment.start).abs() < SEGMENT_MILLIS
    });
    others.flat_map(|other| expected(case, other).reasons).collect()
}

/// What is stored at the start of `segment`, for people.
fn at_the_time(case: &Case<'_>, segment: &Published) -> String {
    let start = case.start(segment);
    let at = case.held.files.iter().filter(|file| {
        file.start == start || (case.is_undated() && file.hash == case.hash(segment))
    });
    let files: Vec<String> =
        at.map(|file| format!("{} of {} bytes", file.completeness.token(), file.size)).collect();
    if files.is_empty() { "nothing".to_owned() } else { files.join(" and ") }
}

/// What is wrong with a file.
fn wrong(case: &Case<'_>, file: &HeldFile) -> Vec<String> {
    let mut all = Vec::new();
    let name = &file.name;
    if file.named != file.hash {
        all.push(format!(
            "{name} has bytes that hash to {} and not to what its name says",
            file.hash
        ));
    }
    let shown = &case.footage.reel(Clip::Advertisement).hashes;
    if shown.contains(&file.hash) {
        all.push(format!("{name} is an advertisement, which must not be stored"));
    }
    if file.completeness != Completeness::Full || shown.contains(&file.hash) {
        return all;
    }
    let same: Vec<&Published> =
        case.stream.segments.iter().filter(|segment| case.hash(segment) == file.hash).collect();
    let belongs = same.iter().any(|segment| is_at_its_place(case, file, segment));
    if same.is_empty() {
        let near = case.stream.segments.iter().find(|segment| case.start(segment) == file.start);
        let near = near.map_or("at no segment's start".to_owned(), |segment| {
            format!("where {} belongs", case.tell(segment))
        });
        all.push(format!(
            "{name} is stored as full, but its {} bytes are no segment's; it lies {near}",
            file.size
        ));
    } else if !belongs {
        let segments: Vec<String> = same.iter().map(|segment| case.tell(segment)).collect();
        all.push(format!(
            "{name} is stored as full at the wrong time or with the wrong duration: it is {}",
            segments.join(" or ")
        ));
    } else if case.is_undated() {
        all.push(format!(
            "{name} is stored as full, but nothing says when it was; it must be suspect"
        ));
    }
    all
}
