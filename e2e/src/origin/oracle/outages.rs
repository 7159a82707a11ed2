//! When nobody, however well-behaved, could have had a list with a segment in it.

use std::ops::Range;

use super::Case;
use crate::origin::faults::{ListTrouble, Scope};
use crate::origin::script::Leaves;
use crate::origin::stream::Published;

/// How long a recorder may take to be back after a channel is, in milliseconds: it looks every 5 s for a
/// channel that should always be up, every 20 s for any other, with jitter.
pub(super) fn back_after(is_important: bool) -> i64 {
    if is_important { 9_000 } else { 32_000 }
}

/// What kept lists out of reach: troubles of looks only when somebody had to look.
fn troubles<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a ListTrouble> {
    let all = case.script.list_troubles.iter();
    all.filter(|trouble| {
        !trouble.fault.is_harmless() && (!trouble.scope.is_of_looks() || needs_looks(case, trouble))
    })
}

/// Whether an address was needed while `trouble` kept everybody from getting one.
fn needs_looks(case: &Case<'_>, trouble: &ListTrouble) -> bool {
    let old = case.script.list_troubles.iter().filter(|other| other.scope == Scope::OldAddresses);
    let left = old.map(|other| other.during.start);
    let ended = case.stream.pauses.iter().map(|pause| pause.from);
    let needed = left.chain(ended).chain(case.script.moves).chain([0]);
    needed.into_iter().any(|at| trouble.during.contains(&at))
}

/// The times in which the lists of a channel are out of reach.
pub(super) fn outages(case: &Case<'_>) -> Vec<Range<i64>> {
    let shape = &case.script.shape;
    // a fresh address shows advertisements first
    let pre_roll = i64::from(shape.pre_roll) * 1000;
    let mut all = Vec::new();
    for trouble in troubles(case) {
        let (from, until) = (trouble.during.start, trouble.during.end);
        let over = match trouble.scope {
            Scope::OldAddresses => from.saturating_add(trouble.fault.noticed_after()),
            Scope::MediaPlaylists | Scope::Channel | Scope::Multivariant | Scope::Token => {
                until.saturating_add(back_after(shape.important))
            }
        };
        all.push(from..over.saturating_add(pre_roll));
    }
    if let Some(moves) = case.script.moves {
        all.push(moves..moves + 3000 + pre_roll);
    }
    for pause in case.stream.pauses.iter().filter(|pause| pause.leaves != Leaves::List) {
        all.push(pause.from..pause.until + back_after(shape.important) + pre_roll);
    }
    all
}

/// Whether a segment that was never listed would have been to whoever kept following.
pub(super) fn was_in_reach(case: &Case<'_>, segment: &Published) -> bool {
    const STEP: i64 = 500;
    // what is between two reloads, and a machine that has other things to do
    const NEEDED: i64 = 5000;
    let outages = outages(case);
    let mut until = case.stream.listed_until(segment).min(case.stopped);
    // what a fresh address begins with, it shows advertisements for, and nothing that was before
    if case.script.shape.pre_roll > 0 {
        let next = outages.iter().filter(|outage| segment.at < outage.end).map(|o| o.start).min();
        until = next.map_or(until, |next| until.min(next));
    }
    let mut reachable = 0;
    let mut at = segment.at;
    while at < until {
        let is_out = outages.iter().any(|outage| outage.contains(&at));
        reachable = if is_out { 0 } else { reachable + STEP };
        if reachable >= NEEDED {
            return true;
        }
        at += STEP;
    }
    false
}

/// What was never seen around `segment`, with the segments seen before and after it: all that a recorder
/// can say is what happened in all of that time.
pub(super) fn unseen<'a>(case: &'a Case<'_>, segment: &Published) -> &'a [Published] {
    let all = &case.stream.segments;
    let is_seen = |other: &Published| {
        let record = case.record.segments.get(&other.index);
        record.is_some_and(|r| !r.listed.is_empty() || !r.listed_as_advertisement.is_empty())
    };
    let Some(at) = all.iter().position(|other| other.index == segment.index) else { return &[] };
    let first = all[..at].iter().rposition(is_seen).unwrap_or(0);
    let last = all[at..].iter().position(is_seen).map_or(all.len() - 1, |after| at + after);
    &all[first..=last]
}

/// Whether the dates went back while nobody saw it, at `segment` or near it: then its time is not known
/// to anyone.
pub(super) fn dates_went_back(case: &Case<'_>, segment: &Published) -> bool {
    unseen(case, segment).windows(2).any(|pair| pair[1].start < pair[0].start)
}

/// What kept lists out of reach at any time while a segment was in them.
pub(super) fn overlap<'a>(
    case: &'a Case<'_>,
    segment: &Published,
) -> impl Iterator<Item = &'a ListTrouble> {
    let listed = segment.at..case.stream.listed_until(segment);
    troubles(case).filter(move |trouble| {
        let over = trouble.during.end.saturating_add(back_after(case.script.shape.important));
        trouble.during.start < listed.end && listed.start < over
    })
}
