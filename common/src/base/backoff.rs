//! How long to wait before trying again.

use std::time::Duration;

use rand::{Rng, RngExt};

/// Delays that double from `shortest` to `longest`, each scattered by a quarter to either side so
/// that many who failed together do not come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Delays from `shortest` to `longest`, before scattering.
    pub fn new(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest, next: shortest }
    }

    /// The delay before the next try. `rng` is an argument so that tests can repeat it.
    pub fn next_delay(&mut self, rng: &mut impl Rng) -> Duration {
        let delay = self.next;
        self.next = delay.saturating_mul(2).min(self.longest);
        jittered(delay, rng)
    }

    /// Begins again with the shortest delay, after a success.
    pub fn reset(&mut self) {
        self.next = self.shortest;
    }
}

/// `delay`, scattered by a quarter to either side.
pub fn jittered(delay: Duration, rng: &mut impl Rng) -> Duration {
    delay.mul_f64(rng.random_range(0.75..1.25))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_begin_again() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        let mut rng = rand::rng();
        for expected in [1, 2, 4, 5, 5] {
            let delay = backoff.next_delay(&mut rng).as_secs_f64();
            let expected = f64::from(expected);
            assert!((0.75 * expected..1.25 * expected).contains(&delay), "{delay} for {expected}");
        }
        backoff.reset();
        assert!(backoff.next_delay(&mut rng) < Duration::from_secs(2));
    }
}
