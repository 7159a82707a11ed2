//! Where a player is told that the stream does not follow on.

use common::base::time::Timestamp;
use common::plan::listing::{Format, Segment};
use common::plan::select::{JOIN_TOLERANCE, hole_between};

/// Where a player is told that the stream does not follow on.
#[derive(Clone, Debug)]
pub(super) enum Marks {
    /// At holes, where the format changes, and at these instants.
    AsFound(Vec<Timestamp>),
    /// At the segments with these starts, as was announced before; sorted.
    Announced(Vec<Timestamp>),
}

impl Marks {
    /// The instants, whatever they mean.
    pub(super) fn instants(&self) -> &[Timestamp] {
        match self {
            Self::AsFound(instants) | Self::Announced(instants) => instants,
        }
    }
}

/// Whether `next`, of the format `now`, does not follow on from `previous`, of the format `before`:
/// there is a hole, one of the sorted instants `noted` says so, or the format changes. The first
/// segment follows on from nothing, and needs no mark.
pub(super) fn breaks(
    previous: Option<Segment<'_>>,
    next: Segment<'_>,
    noted: &[Timestamp],
    before: Option<Format>,
    now: Format,
) -> bool {
    previous.is_some_and(|previous| {
        hole_between(previous, next.start()).is_some()
            || is_noted(noted, next.start())
            || before.is_some_and(|before| now.breaks_with(before))
    })
}

/// Whether one of the sorted instants `noted` is `start`, as exactly as nodes agree on it.
fn is_noted(noted: &[Timestamp], start: Timestamp) -> bool {
    let nearest = noted.partition_point(|note| *note < start - JOIN_TOLERANCE);
    noted.get(nearest).is_some_and(|note| *note <= start + JOIN_TOLERANCE)
}
