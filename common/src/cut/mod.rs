//! Layer 5: planning a cut from what is stored, and carrying it out.

use std::io;

use thiserror::Error;

use crate::base::time::TimeRange;
use crate::io::store::{Feed, Store};
use crate::plan::cut::{CutError, Holes, Plan};

pub mod rough;

/// Why there is no plan.
#[derive(Debug, Error)]
pub enum PlanError {
    /// What is stored does not allow the cut.
    #[error(transparent)]
    Refused(#[from] CutError),
    /// There are more hours of video in the ranges than are read for one cut.
    #[error("the ranges hold more than {0} recorded hours")]
    TooLong(usize),
    /// What is stored cannot be read.
    #[error("cannot list what is stored")]
    Store(#[source] io::Error),
}

/// Plans a cut of `ranges`, which reads each hour once. Blocks on the disk.
///
/// # Errors
///
/// When the cut is refused, or needs more than `max_hours` hours, or a folder cannot be read.
pub fn plan(
    store: &Store,
    feed: &Feed,
    ranges: &[TimeRange],
    holes: Holes,
    max_hours: usize,
) -> Result<Plan, PlanError> {
    let mut hours = store.hours(feed).map_err(PlanError::Store)?;
    hours.retain(|hour| ranges.iter().any(|range| range.may_lie_in(*hour)));
    if hours.len() > max_hours {
        return Err(PlanError::TooLong(max_hours));
    }
    let listings: io::Result<Vec<_>> = hours.iter().map(|hour| store.hour(feed, *hour)).collect();
    let listings = listings.map_err(PlanError::Store)?;
    Ok(Plan::new(&feed.quality, &listings, ranges, holes)?)
}
