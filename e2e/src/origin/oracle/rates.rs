//! How often things are asked for.
//!
//! A media playlist may be loaded again no sooner than a target duration after the last load began if
//! that brought news, else half of one (RFC 8216 §6.3.4). A list that drops segments has to hold three target
//! durations (§6.2.2); of one that holds less, a third of that may pass instead, since segments would be
//! lost otherwise. Twitch's own players go by the duration of segments, and so may we there. Workers overlap only at addresses of their
//! own, so that the rule holds for each address; but where an address is fixed, two may share it. What
//! waits for the next news is exempt, as it is held until then, and what follows a redirect.

use std::collections::BTreeMap;

use super::{Case, SECOND};
use crate::origin::footage::SEGMENT_MILLIS;
use crate::origin::record::{ListRequest, SegmentRecord};
use crate::origin::script::{Entry, Shape};

/// By how much requests may be ahead of the rule, in milliseconds: a connection that broke is tried again
/// at once, and a busy machine sees requests late.
const SPARE: i64 = 2000;
/// How much sooner than that a request may come, in per cent: it is seen later or earlier than it was sent.
const LENIENCE: i64 = 10;
/// How many times a segment may be delivered whole: another attempt may be under way.
const MOST_WHOLE: usize = 2;
/// How many redirects a client may follow at one attempt.
const MOST_REDIRECTS: usize = 10;

/// What is wrong with the requests that came.
pub(super) fn violations(case: &Case<'_>) -> Vec<String> {
    let mut all = Vec::new();
    let mut by_address: BTreeMap<usize, Vec<&ListRequest>> = BTreeMap::new();
    for list in &case.record.lists {
        by_address.entry(list.address).or_default().push(list);
    }
    for (address, requests) in by_address {
        let is_fixed = matches!(case.script.shape.entry, Entry::Media | Entry::Beside);
        let sharing = if is_fixed { 2 } else { 1 };
        all.extend(too_many_lists(address, &requests, between_loads(&case.script.shape), sharing));
    }
    let looks = [
        ("the multivariant playlist", &case.record.multivariants),
        ("a token", &case.record.tokens),
    ];
    all.extend(looks.into_iter().filter_map(|(what, asked)| too_many_looks(what, asked)));
    all.extend(too_many_sections(case));
    for (index, segment) in &case.record.segments {
        let entries = case.stream.segments.iter().filter(|entry| entry.original == *index).count();
        all.extend(too_many_attempts(*index, segment, entries));
    }
    all
}

/// How long after a load that brought news the next one may come, in milliseconds.
pub(super) fn between_loads(shape: &Shape) -> i64 {
    let held = i64::try_from(shape.window).unwrap_or(i64::MAX).saturating_mul(SEGMENT_MILLIS);
    let target = (shape.target * 1000).min(held / 3);
    if shape.entry == Entry::Twitch { target.min(SEGMENT_MILLIS) } else { target }
}

/// Counts what each request at an address comes too early, less what the next ones come late.
fn too_many_lists(
    address: usize,
    requests: &[&ListRequest],
    between: i64,
    sharing: i64,
) -> Option<String> {
    let (mut early, mut shown) = (0, None);
    for pair in requests.windows(2) {
        let is_news = pair[0].shown.is_some() && pair[0].shown != shown;
        shown = pair[0].shown.or(shown);
        let is_held = pair[1].is_blocking && is_news;
        // with several behind one address, nobody knows who has seen what
        let due = match (is_held || pair[0].is_redirect, is_news && sharing == 1) {
            (true, _) => 0,
            (false, true) => between,
            (false, false) => between / 2 / sharing,
        };
        early = (early + due * (100 - LENIENCE) / 100 - (pair[1].asked - pair[0].asked)).max(0);
        if early > SPARE {
            let (asked, count) = (pair[1].asked, requests.len());
            return Some(format!(
                "the media playlist at address {address} was asked for more often than RFC 8216 section \
                 6.3.4 allows, up to {asked} ms; it was asked for {count} times in all"
            ));
        }
    }
    None
}

/// At most one fresh address for each second, over any ten of them.
fn too_many_looks(what: &str, asked: &[i64]) -> Option<String> {
    const MOST: usize = 10;
    let crowd = asked.windows(MOST + 1).find(|crowd| crowd[MOST] - crowd[0] < 10 * SECOND)?;
    Some(format!(
        "{what} was asked for more than {MOST} times between {} and {} ms",
        crowd[0], crowd[MOST]
    ))
}

/// A section is fetched once for all that need it; one that failed, as often as segments are due again.
fn too_many_sections(case: &Case<'_>) -> Option<String> {
    const MOST: usize = 10;
    let asked = &case.record.sections;
    let crowd = asked.windows(MOST + 1).find(|crowd| crowd[MOST] - crowd[0] < 2 * SECOND)?;
    let (from, until) = (crowd[0], crowd[MOST]);
    Some(format!(
        "initialization sections were asked for more than {MOST} times between {from} and {until} ms"
    ))
}

/// At most two attempts at once, and one for each reload after that; none after it was delivered. A list that
/// names it so many times may have it fetched as often.
fn too_many_attempts(index: i32, segment: &SegmentRecord, entries: usize) -> Option<String> {
    let answers = &segment.answers;
    let (first, last) = (answers.first()?, answers.last()?);
    let whole = answers.iter().filter(|answer| answer.is_whole).count();
    if whole > MOST_WHOLE.max(entries) {
        return Some(format!(
            "segment {index} was delivered whole {whole} times; {}",
            segment.story()
        ));
    }
    let lasted = last.asked - first.asked;
    let allowed = 3 + usize::try_from(2 * lasted / SECOND).unwrap_or(0);
    // whoever follows a redirect does not try again
    let redirects = answers.iter().filter(|answer| answer.is_redirect).count();
    let count = answers.len() - redirects + redirects.div_ceil(MOST_REDIRECTS);
    (count > allowed).then(|| {
        format!("segment {index} was asked for {count} times in {lasted} ms; {}", segment.story())
    })
}
