//! What goes into the planner and what comes out of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::hls::Segment;
use common::format::media::examiner::Format;
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

/// One address that the feed is followed at; later ones compare greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SourceId(pub(crate) u32);

/// One segment of the feed, however many addresses list it; those taken in later compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentId(pub(crate) u64);

/// What the lists of a provider may be believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trust {
    /// Whether the dates of segments come from one steady clock, so that a jump says that something is
    /// wrong with this very address, what follows is suspect, and another address may do better.
    pub(crate) clock: bool,
    /// Whether a segment has the same number at every address of a broadcast.
    pub(crate) numbers: bool,
}

/// How near to the live edge a segment is, which says what goes first; the most urgent compares least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// It is the newest segment of a list: what people who watch live wait for.
    Newest,
    /// It is one of the newest.
    AtEdge,
    /// It was listed for a while, and will be.
    Backlog,
}

/// A segment to fetch.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: SegmentId,
    /// Which address's list this attempt goes by.
    pub(crate) source: SourceId,
    /// Which numbering `number` belongs to: an encoder that restarts may put other bytes behind the
    /// same addresses, and numbers its segments anew then.
    pub(crate) numbering: u32,
    /// The media sequence number.
    pub(crate) number: u64,
    /// The number at which the last discontinuity before it was, where one is known: the publisher's
    /// encoder may have restarted there, and put another initialization section behind the same address.
    pub(crate) stretch: Option<u64>,
    /// Counted from 1.
    pub(crate) attempt: u32,
    pub(crate) urgency: Urgency,
    /// When it was first listed.
    pub(crate) listed: Instant,
    /// What the list says of it.
    pub(crate) segment: Arc<Segment>,
    /// What its addresses are relative to.
    pub(crate) base: Arc<Url>,
    /// How long the list says that it is; `None` where `duration` is a guess.
    pub(crate) promised: Option<MediaDuration>,
    /// The list's EXT-X-VERSION, which says how exact that is.
    pub(crate) version: Option<u64>,
    /// Where it begins.
    pub(crate) start: Timestamp,
    /// How long it is.
    pub(crate) duration: MediaDuration,
    /// Why it is suspect however whole it is, if it is.
    pub(crate) doubt: Option<&'static str>,
    /// Whether something else came to its address while this attempt is under way.
    pub(crate) overwritten: Overwritten,
    /// The size of the longest partial copy saved so far; a shorter one is worth nothing.
    pub(crate) best_partial: u64,
}

/// Whether something else is at the address of a segment whose source has numbered anew since; the worst compares
/// greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Claim {
    /// No, as far as is known.
    Free,
    /// It may be there already, though no list names it yet.
    Soon,
    /// A list has it there.
    Taken,
}

/// Tells an attempt under way that its address is used again, so that what comes may be another segment; cheap to
/// clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overwritten(Arc<AtomicU8>);

impl Overwritten {
    pub(crate) fn set(&self, claim: Claim) {
        self.0.fetch_max(claim as u8, Ordering::AcqRel);
    }

    /// Whether it may be.
    pub(crate) fn is_likely(&self) -> bool {
        self.0.load(Ordering::Acquire) >= Claim::Soon as u8
    }

    /// Whether it is: what has not begun to come will be another segment.
    pub(crate) fn is_certain(&self) -> bool {
        self.0.load(Ordering::Acquire) >= Claim::Taken as u8
    }
}

/// How a job ended. Without a failure the segment is as good as it will be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attempt {
    /// What was published.
    pub(crate) saved: Option<Saved>,
    /// Why there is, or should be, more to do.
    pub(crate) failure: Option<Failure>,
    /// What it is, as far as its first bytes tell.
    pub(crate) format: Option<Format>,
    /// Where it went, if not by the list of the job's own source.
    pub(crate) elsewhere: Option<SourceId>,
}

impl Attempt {
    /// One that brought nothing.
    pub(crate) fn failed(failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }
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
    /// Not before that time has passed, as the server asked.
    After(Duration),
    /// A few times: nothing went wrong on the way, and yet it is not as it should be.
    AFewTimes,
}

/// Something that people may want to know of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// A span that is missing.
    Missed { start: Timestamp, duration: TimeDelta, why: Why, detail: String },
    /// What begins here does not follow on from what was before; the publisher's clock jumped by so much
    /// before it.
    Discontinuity { start: Timestamp, jumped: TimeDelta, detail: String },
    /// The publisher's dates and durations disagree by this much.
    Skew { source: SourceId, by: TimeDelta },
    /// The clock of a source jumped, where that should not be: another address may be right.
    Doubted { source: SourceId },
    /// A segment that is under way is listed by another source, too.
    Elsewhere { id: SegmentId },
    /// An advertisement was listed, and is not fetched.
    Advertisement,
    /// The publisher numbers its segments anew.
    Renumbered,
}
