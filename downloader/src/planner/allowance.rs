//! How many second and further attempts there may be, so that retries never become the load. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How many may follow one another at once.
const MOST: f64 = 16.0;
/// How many there may be in a second, in the long run.
const PER_SECOND: f64 = 4.0;

/// What is left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    left: f64,
    as_of: Option<Instant>,
    /// Whether one was refused since.
    short: bool,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { left: MOST, as_of: None, short: false }
    }
}

impl Allowance {
    /// Whether there may be another attempt now; if so, it counts.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed = self.as_of.map_or(0.0, |then| (now - then).as_secs_f64());
        self.as_of = Some(now);
        self.left = (self.left + passed * PER_SECOND).min(MOST);
        let granted = self.left >= 1.0;
        if granted {
            self.left -= 1.0;
        }
        self.short = !granted;
        granted
    }

    /// When one that was refused may be asked for again.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        self.short.then(|| now + Duration::from_secs_f64(1.0 / PER_SECOND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_at_once_and_then_a_few_a_second() {
        let mut allowance = Allowance::default();
        let now = Instant::now();
        let mut granted = |seconds: u64| {
            let now = now + Duration::from_secs(seconds);
            (0..100).filter(|_| allowance.take(now)).count()
        };
        assert_eq!([granted(0), granted(0), granted(1), granted(3)], [16, 0, 4, 8]);
        assert_eq!(granted(1000), 16, "they do not pile up");
        assert!(allowance.next(now).is_some());
        assert!(Allowance::default().next(now).is_none());
    }
}
