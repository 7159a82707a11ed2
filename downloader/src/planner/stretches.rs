//! Which stretch between two discontinuities a number is in. Pure.
//!
//! Where one begins is remembered, since the tag leaves the list before what follows it does, and few
//! publishers count those that have left (EXT-X-DISCONTINUITY-SEQUENCE, RFC 8216 §4.3.3.3).

use std::collections::BTreeSet;

/// How many numbers before the newest list's first one may still be asked about: an edge may lag.
const LAG: u64 = 1000;

/// The numbers at which discontinuities were, in one numbering.
#[derive(Debug, Default)]
pub(super) struct Stretches(BTreeSet<u64>);

impl Stretches {
    /// A stretch begins with that number.
    pub(super) fn begin(&mut self, number: u64) {
        self.0.insert(number);
    }

    /// The first number of the stretch that `number` is in; `None` before all discontinuities that are known.
    pub(super) fn of(&self, number: u64) -> Option<u64> {
        self.0.range(..=number).next_back().copied()
    }

    /// Forgets those that end long before `first`, the first number that is listed.
    pub(super) fn forget_before(&mut self, first: u64) {
        let oldest = self.of(first.saturating_sub(LAG)).unwrap_or(0);
        while self.0.first().is_some_and(|begin| *begin < oldest) {
            self.0.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_lasts_until_the_next_begins_and_is_forgotten_long_after() {
        let mut stretches = Stretches::default();
        assert_eq!(stretches.of(5), None);
        for begin in [10, 20, 5000] {
            stretches.begin(begin);
        }
        let of = |stretches: &Stretches| [9, 10, 19, 20, 4999, 5000].map(|at| stretches.of(at));
        let all = [None, Some(10), Some(10), Some(20), Some(20), Some(5000)];
        assert_eq!(of(&stretches), all);
        stretches.forget_before(1019);
        assert_eq!(of(&stretches), all, "an edge may lag");
        stretches.forget_before(5999);
        assert_eq!(of(&stretches), [None, None, None, Some(20), Some(20), Some(5000)]);
    }
}
