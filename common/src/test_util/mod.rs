//! Fixtures for tests. Not part of any service.

mod clock;
#[cfg(feature = "db")]
pub mod database;

pub use clock::TestClock;
