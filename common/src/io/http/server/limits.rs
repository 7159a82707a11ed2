//! How much the clients of a server may take.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// How long a client may take to send the headers of a request, from when the last answer was sent;
/// so a connection may idle for as long. The time does not begin anew with every byte.
pub(super) const HEADERS_WITHIN: Duration = Duration::from_secs(20);
/// How long a client may send nothing while its request's body is waited for.
pub(super) const BODY_PAUSE: Duration = Duration::from_secs(30);
/// How long a client may take nothing of its answer.
pub(super) const TAKE_PAUSE: Duration = Duration::from_mins(1);
/// How long the headers of a request may be: a cut of 200 ranges with transitions has 15 KB.
pub(super) const MAX_HEADER_BYTES: usize = 32 * 1024;
/// How many bytes may wait in a socket before more of an answer is handed to it. The kernel asks for
/// more once half of them were sent. Left to itself it would ask when a third of its buffer is free, and
/// that is megabytes, for which a slow client needs longer than [`TAKE_PAUSE`].
pub(super) const MAX_UNSENT_BYTES: u32 = 256 * 1024;
/// How many bytes of a connection are buffered before more is read or made.
pub(super) const MAX_BUFFER_BYTES: usize = 64 * 1024;

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections that are served.
    pub connections: usize,
    /// Of these, those of one client: an IPv4 address, or an IPv6 network of 64 bits.
    pub per_client: usize,
    /// Connections beyond, whose clients are told to come back later with care that they learn of it.
    /// One client has an eighth of these; what comes beyond is told at once and dropped.
    pub refusals: usize,
}

impl Limits {
    /// With this many at most even where the process could open more files.
    const MOST: usize = 8192;
    /// With this many at least, even where that may exhaust the process's files.
    const FEWEST: usize = 16;
    /// How many clients are told to come back later with care at the same time.
    const REFUSALS: usize = 64;
    /// Files left to everything else: the database, child processes, what is being listed.
    const OTHER_FILES: u64 = 128;

    /// As many as the files that this process may open allow: each connection is a file, and each may
    /// have another one sent.
    pub fn of_process() -> Self {
        Self::with_files(getrlimit(Resource::Nofile).current)
    }

    /// Half of the connections are left to others: no single client can shut them out, and
    /// a proxy, which is one client for many, still has plenty.
    fn with_files(files: Option<u64>) -> Self {
        let others = Self::OTHER_FILES + Self::REFUSALS as u64;
        let pairs = files.map_or(u64::MAX, |files| files.saturating_sub(others) / 2);
        let connections = usize::try_from(pairs).unwrap_or(usize::MAX);
        let connections = connections.clamp(Self::FEWEST, Self::MOST);
        Self { connections, per_client: connections / 2, refusals: Self::REFUSALS }
    }

    /// How many connections of one client are refused with care at the same time.
    pub(super) fn refusals_per_client(&self) -> usize {
        (self.refusals / 8).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_may_have_a_file_sent() {
        let connections = |files| Limits::with_files(files).connections;
        assert_eq!(connections(Some(1024)), 416);
        assert_eq!(connections(Some(65_536)), Limits::MOST);
        assert_eq!(connections(None), Limits::MOST);
        assert_eq!(connections(Some(0)), Limits::FEWEST);
        assert_eq!(Limits::with_files(Some(1024)).per_client, 208);
    }
}
