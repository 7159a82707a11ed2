//! The cutter from a row to a published video, on real PostgreSQL and real folders: that it works,
//! that it says why when it does not, and that it publishes once, whatever dies on the way.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod crash;
mod installation;
mod outage;
mod passing_over;
mod process;
mod race;
mod whole;
