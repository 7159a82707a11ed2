//! A disk that takes no segments, as `/healthz` tells of it. Pure.

use std::time::Duration;

use common::service::Parts;
use tokio::time::Instant;

use super::room::Room;

/// A disk that refused, until it works and nothing waits for it any more.
#[derive(Debug)]
pub(super) struct Trouble {
    since: Instant,
    /// What the disk said last.
    error: String,
}

impl Trouble {
    /// The disk refused for `error`, and may have before.
    pub(super) fn refused(trouble: &mut Option<Self>, error: String, now: Instant) {
        let since = trouble.as_ref().map_or(now, |trouble| trouble.since);
        *trouble = Some(Self { since, error });
    }

    /// The line for it; `given_up` counts the segments that were lost to it.
    pub(super) fn report(&self, room: &Room, given_up: u64, now: Instant) -> Parts {
        let lasts: Duration = now.saturating_duration_since(self.since);
        let (seconds, error) = (lasts.as_secs(), &self.error);
        let (used, limit) = (mebibytes(room.used()), mebibytes(room.limit()));
        let line = format!(
            "disk: refusing for {seconds} s: {error}; {used} of {limit} MiB of memory hold segments that \
             wait, and {given_up} were given up; make room on the disk, or mend it"
        );
        Parts { degraded: true, lines: vec![line] }
    }
}

/// Rounded up, so that what is held is never nothing.
fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
