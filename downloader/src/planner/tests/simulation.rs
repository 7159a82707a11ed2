//! Whatever an origin does to its list and its segments, each of them is saved or told to be missing.
//!
//! Covered: lists that move by any number of segments, that are not seen for a while, that lag behind;
//! attempts that succeed, fail for now, are refused, or stay under way for long. Excluded: renumbering
//! (which is also what an edge that lags for long is taken for) and lists without dates, whose
//! segments have no identity to check by, and an edge that lags across a jump, which brings back
//! segments that were told to be missing.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::planner::numbering::MAX_REGRESSIONS;

/// What happens in one step.
#[derive(Clone, Debug)]
enum Step {
    /// The origin publishes so many segments.
    Publish(u64),
    /// The list is loaded, from an edge that is so many segments behind.
    Load(u64),
    /// The oldest attempt under way ends like that.
    End(Outcome),
    /// Time passes, in seconds.
    Wait(u64),
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Full,
    Retry,
    Refused,
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Full),
        1 => Just(Outcome::Retry),
        1 => Just(Outcome::Refused),
    ];
    prop_oneof![
        3 => (0..4_u64).prop_map(Step::Publish),
        1 => (4..20_u64).prop_map(Step::Publish),
        4 => (0..3_u64).prop_map(Step::Load),
        6 => outcome.prop_map(Step::End),
        2 => (0..20_u64).prop_map(Step::Wait),
    ]
}

/// An origin whose list shows `window` segments, and what became of each.
struct World {
    bench: Bench,
    window: u64,
    published: u64,
    /// The end of the newest list shown, so that no list lags across a jump.
    shown: u64,
    /// How many lists in a row ended before that.
    lagging: u32,
    under_way: Vec<u64>,
    saved: BTreeSet<u64>,
    missed: BTreeMap<u64, usize>,
}

impl World {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Publish(count) => self.published += count,
            Step::Load(behind) => self.load(self.published.saturating_sub(*behind)),
            Step::End(outcome) => self.end(*outcome),
            Step::Wait(seconds) => self.bench.wait(*seconds),
        }
        self.start_and_listen();
    }

    /// Shows the list that ends before number `end`.
    fn load(&mut self, end: u64) {
        let first = end.saturating_sub(self.window);
        let lags_across_a_jump = end < self.shown && first < self.shown.saturating_sub(self.window);
        let lagging = if end < self.shown { self.lagging + 1 } else { 0 };
        if end > first && !lags_across_a_jump && lagging <= MAX_REGRESSIONS {
            self.lagging = lagging;
            self.bench.observe(&dated(first..=end - 1));
            self.shown = self.shown.max(end);
        }
    }

    fn end(&mut self, outcome: Outcome) {
        if self.under_way.is_empty() {
            return;
        }
        let number = self.under_way.remove(0);
        match outcome {
            Outcome::Full => {
                self.bench.save([number]);
                assert!(self.saved.insert(number), "{number} is saved once");
            }
            Outcome::Retry => self.bench.refuse(number, Retry::Later),
            Outcome::Refused => self.bench.refuse(number, Retry::WhileListed),
        }
    }

    fn start_and_listen(&mut self) {
        for job in self.bench.jobs() {
            assert!(!self.under_way.contains(&job.number), "one attempt at a time");
            self.under_way.push(job.number);
        }
        assert!(self.under_way.len() <= 8);
        for (start, length, _) in self.bench.missed() {
            let number = |seconds: f64| (seconds / 2.0).round();
            let (first, count) = (number(start), number(length));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            for missed in first as u64..(first + count) as u64 {
                *self.missed.entry(missed).or_default() += 1;
            }
        }
    }

    /// Lets everything that still waits come to its end.
    fn come_to_rest(&mut self) {
        self.published += self.window;
        self.load(self.published);
        let mut idle_rounds = 0;
        while idle_rounds < 2 {
            self.start_and_listen();
            if self.under_way.is_empty() {
                idle_rounds += 1;
                // longer than any segment waits for its next attempt
                self.bench.wait(20);
                self.load(self.published);
            } else {
                idle_rounds = 0;
                self.end(Outcome::Full);
            }
        }
    }
}

proptest! {
    #[test]
    fn each_segment_is_saved_or_told_to_be_missing(
        window in 1..8_u64,
        first in 0..50_u64,
        steps in proptest::collection::vec(step(), 0..120),
    ) {
        let (bench, published) = (Bench::new(), first + window);
        let (under_way, saved, missed) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        let (shown, lagging) = (published, 0);
        let mut world =
            World { bench, window, published, shown, lagging, under_way, saved, missed };
        world.load(published);
        for step in &steps {
            world.take(step);
        }
        world.come_to_rest();
        for number in first..world.published {
            let was_missed = world.missed.get(&number).copied().unwrap_or(0);
            let was_saved = usize::from(world.saved.contains(&number));
            prop_assert_eq!(was_missed + was_saved, 1, "of number {}", number);
        }
        let entries = world.bench.planner.entries.len() as u64;
        prop_assert!(entries <= window, "{} are remembered", entries);
    }
}
