//! Which segments are held while there is too little room for all. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use common::base::time::Timestamp;

/// Which of the segments that are held goes first: the lesser one. That is the lowest quality, and of
/// one quality the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claim {
    rank: Reverse<usize>,
    start: Timestamp,
    /// Tells apart those that are alike otherwise.
    id: u64,
}

impl Claim {
    /// The claim of a segment that begins at `start`, of the quality that is the `rank`th best.
    pub(super) fn new(rank: usize, start: Timestamp, id: u64) -> Self {
        Self { rank: Reverse(rank), start, id }
    }

    /// What those that wait are ordered by.
    pub(super) fn age(&self) -> (Timestamp, u64) {
        (self.start, self.id)
    }
}

/// The segments that are held and how much of the room each takes.
#[derive(Debug)]
pub(super) struct Room {
    limit: u64,
    used: u64,
    held: BTreeMap<Claim, u64>,
}

/// What became of a wish for more room.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is granted, and these were given up for it.
    Granted(Vec<Claim>),
    /// The others go before it: it was given up itself.
    Refused,
}

impl Room {
    /// Room for `limit` bytes.
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, used: 0, held: BTreeMap::new() }
    }

    /// How many bytes are held.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// How many bytes may be held.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Lets a segment in, of which nothing has come yet.
    pub(super) fn enter(&mut self, claim: Claim) {
        self.held.insert(claim, 0);
    }

    /// Takes room for `bytes` more of a segment. Only those that go before it are given up for it, and
    /// none if that would not be enough.
    pub(super) fn grow(&mut self, claim: Claim, bytes: u64) -> Answer {
        if !self.held.contains_key(&claim) {
            return Answer::Refused;
        }
        let mut missing = self.used.saturating_add(bytes).saturating_sub(self.limit);
        let mut given_up = Vec::new();
        for (other, held) in self.held.range(..claim).filter(|(_, held)| **held > 0) {
            if missing == 0 {
                break;
            }
            given_up.push(*other);
            missing = missing.saturating_sub(*held);
        }
        if missing > 0 {
            self.leave(claim);
            return Answer::Refused;
        }
        for other in &given_up {
            self.leave(*other);
        }
        self.used += bytes;
        if let Some(held) = self.held.get_mut(&claim) {
            *held += bytes;
        }
        Answer::Granted(given_up)
    }

    /// A segment needs no room any more, if it has some.
    pub(super) fn leave(&mut self, claim: Claim) {
        self.used -= self.held.remove(&claim).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim(rank: usize, start: i64) -> Claim {
        Claim::new(rank, Timestamp::from_micros(start), u64::try_from(start).unwrap())
    }

    /// A room of 10 bytes with these segments of 4, 3 and 3.
    fn full() -> Room {
        let mut room = Room::new(10);
        for (rank, start, bytes) in [(1, 2, 4), (0, 1, 3), (1, 3, 3)] {
            room.enter(claim(rank, start));
            assert_eq!(room.grow(claim(rank, start), bytes), Answer::Granted(Vec::new()));
        }
        room
    }

    #[test]
    fn the_oldest_of_the_lowest_quality_goes_first() {
        let mut room = full();
        room.enter(claim(0, 4));
        assert_eq!(room.grow(claim(0, 4), 1), Answer::Granted(vec![claim(1, 2)]));
        assert_eq!(room.used(), 7);
        assert_eq!(room.grow(claim(0, 4), 4), Answer::Granted(vec![claim(1, 3)]));
        assert_eq!(room.grow(claim(0, 4), 4), Answer::Granted(vec![claim(0, 1)]));
        assert_eq!(room.grow(claim(1, 2), 1), Answer::Refused, "it is not held any more");
    }

    #[test]
    fn one_that_would_be_the_first_to_go_goes_itself() {
        let mut room = full();
        room.enter(claim(1, 1));
        assert_eq!(room.grow(claim(1, 1), 1), Answer::Refused);
        room.enter(claim(2, 9));
        assert_eq!(room.grow(claim(2, 9), 1), Answer::Refused, "the lowest quality, however new");
        assert_eq!(room.used(), 10);
    }

    #[test]
    fn none_goes_for_one_that_does_not_fit_all_the_same() {
        let mut room = full();
        room.enter(claim(0, 4));
        assert_eq!(room.grow(claim(0, 4), 11), Answer::Refused);
        assert_eq!(room.used(), 10);
        room.enter(claim(1, 4));
        assert_eq!(room.grow(claim(1, 4), 8), Answer::Refused, "the better quality stays");
        assert_eq!(room.used(), 10);
    }

    proptest! {
        /// Whatever comes and goes: the room is never overdrawn, what is used is what is held, and
        /// whoever is given up goes before whoever it is given up for, while all that go before those
        /// have gone already.
        #[test]
        fn the_first_to_go_go(steps in proptest::collection::vec((0_usize..3, 0_i64..8, 0_u64..7, any::<bool>()), 0..80)) {
            let mut room = Room::new(20);
            for (rank, start, bytes, leaves) in steps {
                let claim = claim(rank, start);
                if leaves {
                    room.leave(claim);
                    continue;
                }
                if !room.held.contains_key(&claim) {
                    room.enter(claim);
                }
                let before = room.held.clone();
                match room.grow(claim, bytes) {
                    Answer::Granted(given_up) => {
                        prop_assert_eq!(room.held[&claim], before[&claim] + bytes);
                        prop_assert!(given_up.iter().all(|other| *other < claim));
                        let last = given_up.last();
                        let kept = room.held.iter().filter(|(_, held)| **held > 0);
                        prop_assert!(last.is_none_or(|last| kept.clone().all(|(other, _)| other > last)));
                        let spared = last.map_or(0, |last| before[last]);
                        prop_assert!(given_up.is_empty() || room.used() + spared > 20, "none in vain");
                    }
                    Answer::Refused => {
                        let lesser: u64 = before.range(..claim).map(|(_, held)| *held).sum();
                        let used: u64 = before.values().sum();
                        prop_assert!(used + bytes - lesser > 20);
                        prop_assert!(!room.held.contains_key(&claim));
                    }
                }
                prop_assert_eq!(room.used(), room.held.values().sum::<u64>());
                prop_assert!(room.used() <= 20);
            }
        }
    }
}
