//! Who of those that wait tries the disk next, and when. Pure.
//!
//! One at a time, the oldest first. After a failure there is a pause, and then it is the next one's turn,
//! so that a segment that can never be stored keeps none behind it waiting; after the last one, and after
//! the first success since all were refused, it begins again with the oldest.

use std::collections::BTreeSet;
use std::time::Duration;

use common::base::time::Timestamp;
use tokio::time::Instant;

/// How long a disk that refused is left alone.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// Orders those that wait: by their start, and by a number where they share it.
pub(super) type Age = (Timestamp, u64);

/// Those that wait.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: BTreeSet<Age>,
    /// Whoever tried last, whether or not it still waits.
    last: Option<Age>,
    /// How many were refused since the last success.
    refused: usize,
    is_trying: bool,
    not_before: Option<Instant>,
}

/// Whether it is someone's turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is, and nobody else's until [`Turns::tried`].
    Now,
    /// It will be at that moment, unless another comes before it.
    At(Instant),
    /// Someone else comes first.
    Later,
}

impl Turns {
    pub(super) fn wait(&mut self, age: Age) {
        self.waiting.insert(age);
    }

    /// Gives up the turn; whether `age` waited for one.
    pub(super) fn leave(&mut self, age: Age) -> bool {
        self.waiting.remove(&age)
    }

    /// Takes the turn of `age` if it is due; `hurried` does without the pause.
    pub(super) fn take(&mut self, age: Age, now: Instant, hurried: bool) -> Turn {
        if self.is_trying || self.next() != Some(age) {
            return Turn::Later;
        }
        if let Some(at) = self.not_before.filter(|at| *at > now && !hurried) {
            return Turn::At(at);
        }
        self.is_trying = true;
        Turn::Now
    }

    /// Ends a turn.
    pub(super) fn tried(&mut self, age: Age, stored: bool, now: Instant) {
        self.is_trying = false;
        let all_were_refused = self.refused >= self.waiting.len();
        self.last = Some(age).filter(|_| !(stored && all_were_refused));
        self.refused = if stored { 0 } else { self.refused + 1 };
        self.not_before = (!stored).then(|| now + PAUSE);
    }

    fn next(&self) -> Option<Age> {
        use std::ops::Bound::{Excluded, Unbounded};
        let after = self.last.map_or(Unbounded, Excluded);
        let younger = self.waiting.range((after, Unbounded)).next();
        younger.or_else(|| self.waiting.first()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(start: i64) -> Age {
        (Timestamp::from_micros(start), 0)
    }

    fn turns() -> Turns {
        let mut turns = Turns::default();
        for start in [3, 1, 2] {
            turns.wait(age(start));
        }
        turns
    }

    /// Whose turn it is at `now`; that one tries.
    fn whose(turns: &mut Turns, now: Instant) -> Option<i64> {
        (1..=4).find(|start| turns.take(age(*start), now, false) == Turn::Now)
    }

    #[test]
    fn one_at_a_time_and_the_oldest_first() {
        let (mut turns, now) = (turns(), Instant::now());
        for expected in [1, 2, 3] {
            assert_eq!(whose(&mut turns, now), Some(expected));
            assert_eq!(whose(&mut turns, now), None, "one at a time");
            turns.leave(age(expected));
            turns.tried(age(expected), true, now);
        }
        assert_eq!(whose(&mut turns, now), None);
    }

    #[test]
    fn after_a_failure_there_is_a_pause_and_the_next_one_tries() {
        let (mut turns, mut now) = (turns(), Instant::now());
        for expected in [1, 2, 3, 1, 2] {
            assert_eq!(whose(&mut turns, now), Some(expected));
            turns.tried(age(expected), false, now);
            assert_eq!(whose(&mut turns, now), None);
            now += PAUSE;
        }
        turns.wait(age(0));
        assert_eq!(turns.take(age(0), now, false), Turn::Later);
        assert_eq!(whose(&mut turns, now), Some(3), "an older one waits for the next round");
        turns.tried(age(3), true, now);
        assert_eq!(turns.take(age(0), now, false), Turn::Now, "without a pause after a success");
    }

    #[test]
    fn the_first_success_after_all_were_refused_begins_with_the_oldest() {
        let (mut turns, mut now) = (turns(), Instant::now());
        for expected in [1, 2, 3, 1] {
            assert_eq!(whose(&mut turns, now), Some(expected));
            turns.tried(age(expected), false, now);
            now += PAUSE;
        }
        assert_eq!(whose(&mut turns, now), Some(2));
        turns.leave(age(2));
        turns.tried(age(2), true, now);
        assert_eq!(whose(&mut turns, now), Some(1));
        turns.tried(age(1), false, now);
        now += PAUSE;
        assert_eq!(whose(&mut turns, now), Some(3), "one alone is refused for reasons of its own");
    }

    #[test]
    fn in_a_hurry_there_is_no_pause() {
        let (mut turns, now) = (turns(), Instant::now());
        assert_eq!(whose(&mut turns, now), Some(1));
        turns.tried(age(1), false, now);
        assert_eq!(turns.take(age(2), now, false), Turn::At(now + PAUSE));
        assert_eq!(turns.take(age(3), now, true), Turn::Later);
        assert_eq!(turns.take(age(2), now, true), Turn::Now);
    }
}
