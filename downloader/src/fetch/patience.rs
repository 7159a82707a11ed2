//! How long an attempt may take.

use std::time::Duration;

/// How long something may take before a second attempt begins beside it, and at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From here on it is taken to be slow.
    pub(crate) soft: Duration,
    /// Here it ends.
    pub(crate) hard: Duration,
}

/// The time-outs of an attempt. A connection that is sick is found out by the soft ones, while an
/// origin that is slow for everybody has until the hard ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Until the headers of the answer have come.
    pub(crate) headers: Limits,
    /// Until the segment is whole.
    pub(crate) whole: Limits,
    /// How long a body may pause.
    pub(crate) idle: Duration,
    /// How long a key or an initialization section may take as a whole: every segment that needs it
    /// waits for it.
    pub(crate) aside: Duration,
    /// How long the disk may take over what it is given before it is taken to hang. One that is well but busy
    /// takes a second or two to flush a file; nothing is received meanwhile, and an origin bears that for
    /// longer.
    pub(crate) disk: Duration,
    /// How long an attempt may go on after the downloader was asked to stop.
    pub(crate) stop: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            headers: Limits { soft: Duration::from_secs(5), hard: Duration::from_mins(1) },
            whole: Limits { soft: Duration::from_secs(15), hard: Duration::from_mins(4) },
            idle: Duration::from_secs(20),
            aside: Duration::from_secs(30),
            disk: Duration::from_secs(5),
            stop: super::STOP_GRACE,
        }
    }
}
