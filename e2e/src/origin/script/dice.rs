//! Chance that is the same for the same seed, on every machine and for ever.

use common::base::digest::Digest;

/// A sequence of numbers made from a seed.
#[derive(Clone, Debug)]
pub struct Dice {
    seed: u64,
    rolls: u64,
}

impl Dice {
    /// The sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed, rolls: 0 }
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        let mut digest = Digest::default();
        digest.mix(self.seed);
        digest.mix(self.rolls);
        self.rolls += 1;
        digest.finish()
    }

    /// A number of at least `from` and less than `to`.
    pub fn between(&mut self, from: i32, to: i32) -> i32 {
        let count = u64::try_from(to - from).unwrap_or(0).max(1);
        from + i32::try_from(self.roll() % count).unwrap_or(0)
    }

    /// Whether something happens that does so in `percent` cases of a hundred.
    pub fn chance(&mut self, percent: i32) -> bool {
        self.between(0, 100) < percent
    }

    /// One of `all`, of which there must be some.
    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        let count = i32::try_from(all.len()).unwrap_or(i32::MAX);
        all[usize::try_from(self.between(0, count)).unwrap_or(0)]
    }
}
