//! A clock that moves only when it is told to.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;

use crate::base::time::{Clock, Timestamp};

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.micros()))
    }

    /// Moves the clock forward, or backward.
    pub fn advance(&self, by: TimeDelta) {
        let moved = self.now() + by;
        self.0.store(moved.micros(), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}
