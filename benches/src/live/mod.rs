//! Live channels to record: what they send, when, the origin that serves them, and who records.

pub mod material;
pub mod origin;
pub mod recorded;
pub mod recorders;
pub mod schedule;
mod stamps;
