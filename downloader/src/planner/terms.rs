//! What goes into the planner and what comes out of it.

use std::sync::Arc;

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::hls::Segment;
use common::format::segment::{Completeness, MediaDuration};
use common::io::store::notes::Why;
use tokio::time::Instant;
use url::Url;

/// The present, by both clocks: video time is the wall's, waiting is not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The wall clock's.
    pub(crate) wall: Timestamp,
    /// The steady clock's.
    pub(crate) instant: Instant,
}

/// Which segment a job is about: its number within one of the numberings seen, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct JobId {
    /// How many times the publisher had renumbered.
    pub(crate) numbering: u32,
    /// The media sequence number.
    pub(crate) number: u64,
}

/// A segment to fetch.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    /// Counted from 1.
    pub(crate) attempt: u32,
    /// What the list says of it.
    pub(crate) segment: Arc<Segment>,
    /// What its addresses are relative to.
    pub(crate) base: Arc<Url>,
    /// Where it begins.
    pub(crate) start: Timestamp,
    /// How long it is.
    pub(crate) duration: MediaDuration,
    /// Whether start and duration are the publisher's; else it is suspect, however whole.
    pub(crate) certain: bool,
    /// The size of the longest partial copy saved so far; a shorter one is worth nothing.
    pub(crate) best_partial: u64,
}

/// How a job ended. Without a failure the segment is as good as it will be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attempt {
    /// What was published.
    pub(crate) saved: Option<Saved>,
    /// Why there is, or should be, more to do.
    pub(crate) failure: Option<Failure>,
}

/// A copy of a segment that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    pub(crate) completeness: Completeness,
    /// Bytes.
    pub(crate) size: u64,
    /// Whether the store did not have it.
    pub(crate) is_new: bool,
}

/// Why a segment is not there, or not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) why: Why,
    /// More about it, for people.
    pub(crate) detail: String,
    pub(crate) retry: Retry,
}

/// When an attempt that failed may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Never: it would fail in the same way.
    Never,
    /// At each reload while the segment is listed: an edge may lag.
    WhileListed,
    /// After a while, listed or not.
    Later,
}

/// Something that people may want to know of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// A span that is missing.
    Missed { start: Timestamp, duration: TimeDelta, why: Why, detail: String },
    /// What begins here does not follow on from what was before.
    Discontinuity { start: Timestamp, detail: String },
    /// The publisher's dates and durations disagree by this much.
    Skew { by: TimeDelta },
    /// The publisher numbers its segments anew.
    Renumbered,
}
