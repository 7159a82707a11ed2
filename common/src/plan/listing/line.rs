//! What a walk from the beginning of an hour accepts, and what one needs to know of it as a whole.

use crate::base::time::{Hour, Timestamp};
use crate::format::segment::MediaDuration;

/// The segments of an hour that a walk from its beginning accepts (see [`crate::plan::select`]).
#[derive(Debug)]
pub(in crate::plan) struct Line {
    /// Their numbers, in order.
    pub(in crate::plan) picks: Box<[u32]>,
    /// The latest end of one of them; the beginning of the hour where there is none.
    pub(in crate::plan) end: Timestamp,
    /// Whether no hole lies between any two of them.
    pub(in crate::plan) is_whole: bool,
    /// How long the longest of them is.
    pub(in crate::plan) longest: MediaDuration,
}

impl Line {
    /// That of an hour without segments.
    pub(in crate::plan) fn none(hour: Hour) -> Self {
        let end = hour.start();
        Self { picks: Box::default(), end, is_whole: true, longest: MediaDuration::ZERO }
    }
}
