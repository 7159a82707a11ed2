//! Which time is accounted for: segments were taken in for it, or it was told why there are none. Pure.

use chrono::TimeDelta;
use common::base::time::Timestamp;

/// Neighbours that join within this are normal.
pub(super) const TOLERANCE: TimeDelta = TimeDelta::milliseconds(10);
/// How many spans are remembered. There is one for as long as nothing is amiss.
const MAX_SPANS: usize = 256;

/// Spans of time, sorted and apart from each other by more than [`TOLERANCE`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    spans: Vec<(Timestamp, Timestamp)>,
}

impl Ledger {
    /// Accounts for the time from `start` to `end`.
    pub(super) fn account(&mut self, start: Timestamp, end: Timestamp) {
        let first = self.spans.partition_point(|(_, ends)| *ends + TOLERANCE < start);
        let after = self.spans.partition_point(|(begins, _)| *begins <= end + TOLERANCE);
        let joined = self.spans.get(first..after).unwrap_or_default();
        let start = joined.first().map_or(start, |(begins, _)| start.min(*begins));
        let end = joined.last().map_or(end, |(_, ends)| end.max(*ends));
        self.spans.splice(first..after.max(first), [(start, end)]);
        let excess = self.spans.len().saturating_sub(MAX_SPANS);
        self.spans.drain(..excess);
    }

    /// The end of the last span that begins before `start`, if that is not too late: what lies between
    /// is not accounted for.
    pub(super) fn end_before(&self, start: Timestamp) -> Option<Timestamp> {
        let before = self.spans.partition_point(|(begins, _)| *begins < start);
        self.spans.get(before.checked_sub(1)?).map(|(_, end)| *end)
    }

    /// Where the first span begins.
    pub(super) fn begins(&self) -> Option<Timestamp> {
        self.spans.first().map(|(begins, _)| *begins)
    }

    /// What of the time from `start` to `end` is not accounted for, where that is more than
    /// [`TOLERANCE`].
    pub(super) fn uncovered(
        &self,
        start: Timestamp,
        end: Timestamp,
    ) -> Vec<(Timestamp, Timestamp)> {
        let mut uncovered = Vec::new();
        let mut from = start;
        let touching = self.spans.iter().filter(|(begins, ends)| *ends > start && *begins < end);
        for (begins, ends) in touching {
            uncovered.push((from, *begins));
            from = *ends;
        }
        uncovered.push((from, end));
        uncovered.retain(|(from, to)| *to - *from > TOLERANCE);
        uncovered
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_micros(milliseconds * 1000)
    }

    fn ledger(spans: &[(i64, i64)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (start, end) in spans {
            ledger.account(at(*start), at(*end));
        }
        ledger
    }

    #[test]
    fn spans_that_touch_are_one() {
        let expected = vec![(at(0), at(6000))];
        assert_eq!(ledger(&[(0, 2000), (4000, 6000), (2010, 3995)]).spans, expected);
        let apart = ledger(&[(4000, 6000), (0, 2000)]);
        assert_eq!(apart.spans, [(at(0), at(2000)), (at(4000), at(6000))]);
    }

    #[test]
    fn what_is_not_accounted_for_is_found() {
        let ledger = ledger(&[(0, 2000), (4000, 6000)]);
        assert_eq!(
            ledger.uncovered(at(1000), at(7000)),
            [(at(2000), at(4000)), (at(6000), at(7000))]
        );
        assert_eq!(ledger.uncovered(at(0), at(2010)), []);
        assert_eq!(ledger.uncovered(at(7000), at(8000)), [(at(7000), at(8000))]);
        assert_eq!(ledger.end_before(at(4000)), Some(at(2000)));
        assert_eq!(ledger.end_before(at(5000)), Some(at(6000)));
        assert_eq!(ledger.end_before(at(0)), None);
    }

    proptest! {
        #[test]
        fn it_is_as_if_each_moment_were_marked(
            spans in proptest::collection::vec((0..200_i64, 1..20_i64), 0..40),
        ) {
            // in steps longer than the tolerance, so that nothing is merged over a hole
            let step = 100;
            let mut marked = [false; 300];
            let mut ledger = Ledger::default();
            for (start, length) in spans {
                ledger.account(at(start * step), at((start + length) * step));
                for moment in start..start + length {
                    marked[usize::try_from(moment).unwrap()] = true;
                }
            }
            for moment in 0..250 {
                let hole = ledger.uncovered(at(moment * step), at((moment + 1) * step));
                prop_assert_eq!(hole.is_empty(), marked[usize::try_from(moment).unwrap()]);
            }
        }
    }

    #[test]
    fn it_stays_small() {
        let mut ledger = Ledger::default();
        for second in 0..10_000 {
            ledger.account(at(second * 1000), at(second * 1000 + 500));
        }
        assert_eq!(ledger.spans.len(), MAX_SPANS);
        assert_eq!(ledger.uncovered(at(9_999_000), at(9_999_500)), []);
    }
}
