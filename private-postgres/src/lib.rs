//! A throw-away PostgreSQL on a Unix socket, for the demo, the tests and `cargo xtask`.
//!
//! [`Cluster::start`] finds the machine's newest PostgreSQL, makes a cluster, runs the server as
//! an unprivileged account when the caller is root, and returns once it answers. Dropping the
//! [`Cluster`] stops the server and removes what was temporary; should the caller die instead, the
//! kernel stops the server and the next start removes what was left.
//!
//! It listens on no network address, and its socket lies in a folder that only the server's
//! account (and root) can enter: that folder is the whole of its access control.
//!
//! The crate stays light on purpose. It is built before anything else, and so it knows nothing of
//! the other crates, of asynchronous code or of SQL.

mod account;
mod binaries;
mod child;
mod cluster;
mod error;
mod keeper;
mod place;
mod probe;

#[cfg(test)]
mod tests;

pub use cluster::{Cluster, Options};
pub use error::Error;
