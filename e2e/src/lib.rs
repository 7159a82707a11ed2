//! Whole-system tests, and the servers that they need.
//!
//! [`origin`] is a publisher of live streams that lies, fails and changes its mind, all of it by a
//! script; whoever tests something that records from it can tell afterwards what should be there.

#[cfg(test)]
mod bans;
pub mod origin;
