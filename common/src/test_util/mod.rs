//! Fixtures for tests. Not part of any service.

mod clock;

pub use clock::TestClock;
