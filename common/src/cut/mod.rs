//! Layer 5: planning a cut from what is stored, and carrying it out.

use std::io;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use thiserror::Error;

use self::full::Format;
use self::smart::{Encoders, SmartError, Timeline};
use crate::base::time::TimeRange;
use crate::io::store::{Feed, Store};
use crate::plan::cut::{CutError, Holes, Plan, check_length, with_beside};

pub mod full;
pub mod rough;
pub mod smart;

/// How a cut is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Whole segments as they are stored.
    #[default]
    Rough,
    /// Exact to the picture.
    Exact(Timeline),
    /// Exact to the picture, and all of it encoded again.
    Full(Format),
}

/// Makes the cut that `plan` says.
///
/// Cancel safety: dropped at any time, it reads no further and leaves no child process.
pub fn stream(
    store: &Store,
    feed: &Feed,
    plan: Plan,
    kind: Kind,
    encoders: &Encoders,
) -> BoxStream<'static, Result<Bytes, SmartError>> {
    match kind {
        Kind::Rough => rough::stream(store, feed, plan).map_err(SmartError::Read).boxed(),
        Kind::Full(format) => full::stream(store, feed, plan, encoders, format).boxed(),
        Kind::Exact(timeline) => smart::stream(store, feed, plan, encoders, timeline).0.boxed(),
    }
}

/// Why there is no plan.
#[derive(Debug, Error)]
pub enum PlanError {
    /// What is stored does not allow the cut.
    #[error(transparent)]
    Refused(#[from] CutError),
    /// What is stored cannot be read.
    #[error("cannot list what is stored")]
    Store(#[source] io::Error),
}

/// Plans a cut of `ranges`, which reads each hour once. Blocks on the disk.
///
/// # Errors
///
/// When the cut is refused, or a folder cannot be read.
pub fn plan(
    store: &Store,
    feed: &Feed,
    ranges: &[TimeRange],
    holes: Holes,
) -> Result<Plan, PlanError> {
    // before anything is read: the length bounds how much that can be
    check_length(ranges)?;
    let with_beside: Vec<TimeRange> = ranges.iter().copied().map(with_beside).collect();
    let listings = store.hours_of(feed, &with_beside).map_err(PlanError::Store)?;
    Ok(Plan::new(&feed.quality, &listings, ranges, holes)?)
}
