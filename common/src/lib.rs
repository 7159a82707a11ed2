//! What every Wubloader service shares.
//!
//! The folders are layers: a module uses only its own layer and those above it in this list, and
//! `cargo xtask check-layers` refuses anything else.
//!
//! 1. [`base`]: time, back-off, content hashes.
//! 2. [`mod@format`] and [`metrics`]: segment names, HLS playlists, what is in a segment; the metrics
//!    registry. Pure.
//! 3. [`plan`]: which segments make up a range. Pure: no I/O and no clock.
//! 4. [`io`]: the segment store, HTTP, child processes, the database.
//! 5. [`cut`] and [`service`]: carrying a cut out; the frame in which a service starts and stops.
//!
//! `common` never names a service.

pub mod base;
pub mod cut;
pub mod format;
pub mod io;
pub mod metrics;
pub mod plan;
pub mod service;
#[cfg(feature = "test-util")]
pub mod test_util;
