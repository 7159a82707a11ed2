//! Fixtures for tests. Not part of any service.

mod clock;
#[cfg(feature = "db")]
pub mod database;
#[cfg(feature = "db")]
pub mod database_proxy;

pub use clock::TestClock;
