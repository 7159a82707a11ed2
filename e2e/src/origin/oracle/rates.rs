//! How often things are asked for.
//!
//! A media playlist may be loaded again no sooner than a target duration after the last load began if
//! that brought news, else half of one (RFC 8216 §6.3.4). Workers overlap only at addresses of their
//! own, so that the rule holds for each address; but where an address is fixed, two may share it. What
//! waits for the next news is exempt, as it is held until then, and what follows a redirect.

use std::collections::BTreeMap;

use super::Case;
use crate::origin::record::{ListRequest, SegmentRecord};
use crate::origin::script::Entry;

/// The target duration of all lists, in milliseconds.
const TARGET: i64 = 1000;
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
        let sharing = if case.script.shape.entry == Entry::Media { 2 } else { 1 };
        all.extend(too_many_lists(address, &requests, sharing));
    }
    all.extend(too_many_addresses(&case.record.multivariants));
    for (index, segment) in &case.record.segments {
        all.extend(too_many_attempts(*index, segment));
    }
    all
}

/// Counts what each request at an address comes too early, less what the next ones come late.
fn too_many_lists(address: usize, requests: &[&ListRequest], sharing: i64) -> Option<String> {
    let (mut early, mut shown) = (0, None);
    for pair in requests.windows(2) {
        let is_news = pair[0].shown.is_some() && pair[0].shown != shown;
        shown = pair[0].shown.or(shown);
        let is_held = pair[1].is_blocking && is_news;
        // with several behind one address, nobody knows who has seen what
        let due = match (is_held || pair[0].is_redirect, is_news && sharing == 1) {
            (true, _) => 0,
            (false, true) => TARGET,
            (false, false) => TARGET / 2 / sharing,
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

/// At most one fresh address for each target duration, over any ten of them.
fn too_many_addresses(asked: &[i64]) -> Option<String> {
    const MOST: usize = 10;
    let crowd = asked.windows(MOST + 1).find(|crowd| crowd[MOST] - crowd[0] < 10 * TARGET)?;
    Some(format!(
        "the multivariant playlist was asked for more than {MOST} times between {} and {} ms",
        crowd[0], crowd[MOST]
    ))
}

/// At most two attempts at once, and one for each reload after that; none after it was delivered.
fn too_many_attempts(index: i32, segment: &SegmentRecord) -> Option<String> {
    let answers = &segment.answers;
    let (first, last) = (answers.first()?, answers.last()?);
    let whole = answers.iter().filter(|answer| answer.is_whole).count();
    if whole > MOST_WHOLE {
        return Some(format!(
            "segment {index} was delivered whole {whole} times; {}",
            segment.story()
        ));
    }
    let seconds = usize::try_from((last.asked - first.asked) / TARGET).unwrap_or(0);
    let allowed = 3 + 2 * seconds;
    // whoever follows a redirect does not try again
    let redirects = answers.iter().filter(|answer| answer.is_redirect).count();
    let count = answers.len() - redirects + redirects.div_ceil(MOST_REDIRECTS);
    (count > allowed).then(|| {
        format!("segment {index} was asked for {count} times in {seconds} s; {}", segment.story())
    })
}
