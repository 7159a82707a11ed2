//! What must have become of a segment.

use std::collections::BTreeSet;

use common::io::store::notes::Why;

use super::outages::{back_after, overlap, unseen, was_in_reach};
use super::{Case, GRACE};
use crate::origin::faults::{Retried, SegmentTrouble, Until};
use crate::origin::record::SegmentRecord;
use crate::origin::script::{Addressed, Entry, Leaves, Method};
use crate::origin::stream::Published;

/// What must have become of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// Why it must be stored as it was published, if it must.
    pub(super) stored: Option<String>,
    /// Which reasons a note may give if it is not stored; the words of [`Why`].
    pub(super) reasons: BTreeSet<&'static str>,
}

impl Expected {
    fn missing(reasons: &[Why]) -> Self {
        Self { stored: None, reasons: reasons.iter().map(|why| why.token()).collect() }
    }

    fn or(mut self, reasons: &[Why]) -> Self {
        self.reasons.extend(reasons.iter().map(|why| why.token()));
        self
    }

    fn because(reason: impl Into<String>) -> Self {
        Self { stored: Some(reason.into()), reasons: BTreeSet::new() }
    }
}

/// What must have become of `segment`.
pub(super) fn expected(case: &Case<'_>, segment: &Published) -> Expected {
    let record = case.record_of(segment);
    if segment.hidden {
        let was_followed = overlap(case, segment).next().is_none();
        let others = if was_followed { Vec::new() } else { unlisted_reasons(case, segment) };
        return Expected::missing(&[Why::SequenceJump]).or(&others);
    }
    if segment.mid_roll {
        return advertised(case, segment, &record);
    }
    let in_time = case.stopped - GRACE / 2;
    if record.listed.first().is_none_or(|first| *first > in_time) {
        // a list that came with the stop may not have been seen
        let was_listed = !record.listed.is_empty();
        let expected = never_listed(case, segment, &record);
        return if was_listed { expected.or(&[Why::Stopped]) } else { expected };
    }
    if segment.gap {
        return Expected::missing(&[Why::Gap]);
    }
    let has_key = case.script.shape.key_status.is_none();
    match segment.method {
        Some(Method::SampleAes) => return Expected::missing(&[Why::Refused]),
        Some(Method::Aes128 | Method::Aes128ByNumber) if !has_key => {
            return Expected::missing(&[Why::Refused]);
        }
        _ => {}
    }
    if let Some(missing) = without_section(case, segment, &record) {
        return missing;
    }
    if let Some(whole) = record.whole_at().filter(|whole| *whole <= in_time) {
        return Expected::because(format!("was delivered whole by {whole} ms"));
    }
    let Some(trouble) = case.script.trouble(segment.index) else {
        if case.script.moves.is_some() && record.listed.len() < 2 {
            return Expected::missing(&[Why::Expired]);
        }
        return Expected::because("was listed, and nothing kept it from being fetched");
    };
    troubled(case, segment, &record, trouble)
}

/// An advertisement at every address.
fn advertised(case: &Case<'_>, segment: &Published, record: &SegmentRecord) -> Expected {
    let expected = Expected::missing(&[Why::Advertisement]);
    // that it is one at every address, nobody can know who saw it at one only, while another was out of reach
    let was_out = overlap(case, segment).next().is_some();
    if record.listed_as_advertisement.is_empty() || was_out {
        return expected.or(&unlisted_reasons(case, segment));
    }
    expected
}

fn never_listed(case: &Case<'_>, segment: &Published, record: &SegmentRecord) -> Expected {
    if !record.listed_as_advertisement.is_empty() {
        return Expected::missing(&[Why::Advertisement]).or(&unlisted_reasons(case, segment));
    }
    if segment.gap {
        return Expected::missing(&[Why::Gap]).or(&unlisted_reasons(case, segment));
    }
    if was_in_reach(case, segment) {
        let until = case.stream.listed_until(segment);
        return Expected::because(format!(
            "would have been listed to whoever followed the channel, until {until} ms"
        ));
    }
    let expected = Expected::missing(&unlisted_reasons(case, segment));
    if case.script.shape.pre_roll == 0 {
        return expected;
    }
    // a fresh address that begins after what was seen last looks like numbers that were skipped
    expected.or(&[Why::Advertisement, Why::SequenceJump])
}

/// Why a segment may never have been seen, or one of those that were not seen with it: a recorder finds
/// one hole.
fn unlisted_reasons(case: &Case<'_>, segment: &Published) -> Vec<Why> {
    let run = unseen(case, segment);
    let mut reasons: Vec<Why> = run
        .iter()
        .flat_map(|other| overlap(case, other))
        .flat_map(|trouble| trouble.fault.reasons())
        .copied()
        .collect();
    if reasons.is_empty() {
        reasons.push(Why::Expired);
    }
    let within =
        |at: i64| run.first().is_some_and(|s| s.at <= at) && run.last().is_some_and(|s| at < s.at);
    let mut ends = case.stream.pauses.iter().filter(|pause| pause.leaves != Leaves::List);
    if ends.any(|pause| within(pause.from)) {
        reasons.push(Why::Offline);
    }
    // every address that was handed out before is gone then, whether it ever showed anything or not; where
    // nothing else could say that a channel is offline, that says so
    let is_missed = |moves: i64| {
        let over = moves + back_after(case.script.shape.important);
        run.iter().any(|other| other.at < over && moves < case.stream.listed_until(other))
    };
    if case.script.moves.is_some_and(is_missed) {
        reasons.push(Why::Expired);
        if case.script.shape.entry != Entry::Twitch {
            reasons.push(Why::Offline);
        }
    }
    // numbers that begin anew higher up look as if they had been skipped
    if run.windows(2).any(|pair| pair[1].hidden || pair[1].number != pair[0].number + 1) {
        reasons.push(Why::SequenceJump);
    }
    reasons
}

/// A segment that could not be stored because its initialization section did not come while it was asked
/// for; what is in front of it there is part of it.
fn without_section(
    case: &Case<'_>,
    segment: &Published,
    record: &SegmentRecord,
) -> Option<Expected> {
    let first = *record.listed.first()?;
    let mut troubles = case.script.section_troubles.iter().filter(|_| segment.clip.is_fmp4());
    let (during, fault) = troubles.find(|(during, _)| during.contains(&first))?;
    let comes_in_time = match fault.retried() {
        Retried::WhileListed => record.listed.iter().filter(|at| **at > during.end).count() >= 2,
        Retried::Always | Retried::Beside => {
            first + 2 * (during.end - first) + 2000 < case.stopped - GRACE
        }
    };
    (!comes_in_time).then(|| Expected::missing(fault.reasons()))
}

/// A segment that was listed, with which something went wrong, and that was never delivered whole.
fn troubled(
    case: &Case<'_>,
    segment: &Published,
    record: &SegmentRecord,
    trouble: &SegmentTrouble,
) -> Expected {
    let expected = Expected::missing(trouble.fault.reasons());
    // there may be nothing where the range begins
    let is_part = matches!(case.script.shape.addressed, Addressed::ByRange { .. });
    let expected = if is_part { expected.or(&[Why::Truncated]) } else { expected };
    let (first, retried) = (record.listed.first().copied(), trouble.fault.retried());
    // who is asked to stop may say that it stopped, as long as it had reason to go on trying
    let goes_on = match retried {
        Retried::Always | Retried::Beside => true,
        Retried::WhileListed => record.unlisted.is_none(),
    };
    let expected = if goes_on { expected.or(&[Why::Stopped]) } else { expected };
    let Some(first) = first else { return expected };
    let listed_after = |time: i64| record.listed.iter().filter(|listed| **listed > time).count();
    // a segment goes with the address that listed it, unless another lists it, too
    let goes = case.script.moves.filter(|at| {
        let mut listed = record.listed.iter();
        listed.all(|listed| listed <= at)
    });
    let expected = if goes.is_some() { expected.or(&[Why::Expired]) } else { expected };
    let deadline = goes.unwrap_or(case.stopped - GRACE);
    let would_do = match (trouble.until, retried) {
        (Until::Ever, _) => return expected,
        (Until::Attempts(attempts), Retried::WhileListed) => {
            listed_after(first) >= attempts as usize + 2
        }
        (Until::Attempts(attempts), _) => first + patience(attempts, retried) < deadline,
        (Until::Millis(millis), Retried::WhileListed) => {
            let good_from = segment.at + i64::from(millis);
            record.listed.iter().filter(|at| **at > good_from && **at < deadline).count() >= 2
        }
        (Until::Millis(millis), _) => first + 2 * i64::from(millis) + 2000 < deadline,
    };
    if !would_do {
        return expected;
    }
    Expected::because(format!(
        "would have been whole to whoever asks as often as is due ({:?} {:?})",
        trouble.fault, trouble.until
    ))
}

/// How long it may take until an attempt follows `attempts` that failed, in milliseconds: half a
/// second, doubled up to sixteen, with a second between; or the soft time-out for each.
fn patience(attempts: u32, retried: Retried) -> i64 {
    let each = |attempt: u32| match retried {
        Retried::Beside => 17_000,
        _ => 1000 + (500 << attempt.min(5)),
    };
    (0..attempts).map(each).sum::<i64>() + 1000
}
