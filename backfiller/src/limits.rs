//! How long and how large answers may be.

use std::time::Duration;

use common::io::http::client;

/// The bounds of everything that is answered from outside.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a database may take to list nodes.
    pub database_timeout: Duration,
    /// How long until an answer begins.
    pub headers_timeout: Duration,
    /// How long an answer may pause.
    pub read_timeout: Duration,
    /// How long a listing may take in all.
    pub listing_timeout: Duration,
    /// How long a file may take in all.
    pub file_timeout: Duration,
    /// The longest listing of hours or of an hour, in bytes. An hour of 2 s segments has some 160 kB.
    pub listing_bytes: usize,
    /// The longest listing of a plain tree, in bytes. A year of notes on six feeds has some 3 MB.
    pub tree_bytes: usize,
    /// The longest file, in bytes. A segment of 10 s at 100 Mbit/s has 125 MB.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            database_timeout: Duration::from_secs(15),
            headers_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(30),
            listing_timeout: Duration::from_mins(1),
            file_timeout: Duration::from_mins(5),
            listing_bytes: 4 << 20,
            tree_bytes: 8 << 20,
            file_bytes: 512 << 20,
        }
    }
}

impl Limits {
    /// How the client that asks all nodes waits.
    pub(crate) fn client_options(&self) -> client::Options {
        client::Options { headers_timeout: self.headers_timeout, read_timeout: self.read_timeout }
    }
}
