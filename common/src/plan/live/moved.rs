//! Announced segments in a listing that lacks some of them.

use std::sync::Arc;

use crate::plan::listing::{HourListing, Segment};
use crate::plan::select::Part;

/// The segments of `announced`, parts of one hour, as they are `stored` now. Those that are stored no
/// longer are in parts of their own, of a listing that holds nothing else.
pub(super) fn moved(announced: &[Part], stored: Option<&Arc<HourListing>>) -> Vec<Part> {
    let is_of = |listing: &Arc<HourListing>, part: &Part| Arc::ptr_eq(part.listing(), listing);
    if let Some(stored) = stored
        && announced.iter().any(|part| is_of(stored, part))
    {
        return announced.to_vec();
    }
    let stored = stored.filter(|stored| !stored.is_empty());
    let segments = announced.iter().flat_map(Part::segments);
    let find = |segment| stored.and_then(|stored| stored.find(segment)).map(Segment::index);
    let found: Vec<(Segment<'_>, Option<u32>)> =
        segments.map(|segment| (segment, find(segment))).collect();
    let is_alone = |part: &Part| part.len() == part.listing().len();
    match (stored, announced) {
        (Some(stored), _) if found.iter().all(|(_, found)| found.is_some()) => {
            let picks = found.into_iter().filter_map(|(_, found)| found);
            return vec![Part::new(Arc::clone(stored), picks.collect())];
        }
        (_, [part]) if is_alone(part) && found.iter().all(|(_, found)| found.is_none()) => {
            return announced.to_vec();
        }
        _ => {}
    }
    let gone = gone(announced, &found);
    let runs = found.chunk_by(|(_, a), (_, b)| a.is_some() == b.is_some());
    let part = |run: &[(Segment<'_>, Option<u32>)]| {
        let picks = run.iter().map(|(segment, found)| {
            found.or_else(|| gone.find(*segment).map(Segment::index)).expect("it is in one of them")
        });
        match stored {
            Some(stored) if run[0].1.is_some() => Part::new(Arc::clone(stored), picks.collect()),
            _ => Part::new(Arc::clone(&gone), picks.collect()),
        }
    };
    runs.map(part).collect()
}

/// The listing of those segments of `announced` that were not `found`, with what is known of them.
fn gone(announced: &[Part], found: &[(Segment<'_>, Option<u32>)]) -> Arc<HourListing> {
    let hour = announced[0].listing().hour();
    let lost = found.iter().filter(|(_, found)| found.is_none());
    let names = lost.map(|(segment, _)| segment.file_name());
    let mut listings: Vec<_> = announced.iter().map(Part::listing).collect();
    // two at most: what was stored, and what was stored no longer
    listings.sort_unstable_by_key(|listing| Arc::as_ptr(listing));
    listings.dedup_by(|a, b| Arc::ptr_eq(a, b));
    // no two of them have one start, so that nobody's size decides
    let gone = HourListing::new(hour, names, |_| Some(0));
    Arc::new(listings.into_iter().fold(gone, |gone, listing| gone.inheriting(listing)))
}
