//! Playlists that still grow: what was announced of each, so that a reader that reloads sees only
//! additions.
//!
//! Which playlist a reader follows is told by its address. What was announced is kept while somebody
//! reads it; whoever comes later gets a line of its own with the holes that were filled since.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use common::base::time::{Hour, TimeRange, Timestamp};
use common::io::store::{Feed, Store};
use common::plan::listing::{Format, HourListing, KnownHead, Segment};
use common::plan::live::{Announced, Kept};
use common::plan::select::{Part, hole_between};

use super::marks::{Marks, breaks};
use super::media::{Contents, End, MediaPlaylist, longest, read_heads};
use super::span::{Asked, Span};

/// How many playlists are followed at a time; beyond that, the one that was asked for least lately
/// begins anew when it is asked for again.
const FOLLOWED: usize = 256;

/// After how long without a reload nobody is reading a playlist any more.
const ABANDONED_AFTER: TimeDelta = TimeDelta::minutes(5);

/// Windows number their segments from the seconds of this instant, so that the numbers go on growing
/// when the service starts again: 2020-01-01T00:00:00.
const EPOCH_SECONDS: i64 = 1_577_836_800;

/// The playlists that are being followed.
#[derive(Debug, Default)]
pub(crate) struct LivePlaylists {
    lines: Mutex<HashMap<(Feed, Asked), Followed>>,
}

#[derive(Debug)]
struct Followed {
    line: Arc<Mutex<Line>>,
    last_asked: Timestamp,
}

impl LivePlaylists {
    /// The line of the playlist of `feed` that was `asked` for, which began now if nobody read it
    /// before; `None` where the span is over and nobody did.
    pub(super) fn follow(
        &self,
        feed: &Feed,
        asked: Asked,
        span: Span,
        now: Timestamp,
    ) -> Option<Follow> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, followed| now - followed.last_asked <= ABANDONED_AFTER);
        let key = (feed.clone(), asked);
        if !lines.contains_key(&key) {
            if span.is_over {
                return None;
            }
            if lines.len() >= FOLLOWED {
                let coldest = lines.iter().min_by_key(|(_, followed)| followed.last_asked);
                let coldest = coldest.map(|(key, _)| key.clone());
                coldest.map(|key| lines.remove(&key));
            }
        }
        let followed =
            lines.entry(key).or_insert_with(|| Followed { line: Arc::default(), last_asked: now });
        followed.last_asked = now;
        Some(Follow { line: Arc::clone(&followed.line), span })
    }
}

/// A line and the span that it is asked for.
#[derive(Debug)]
pub(super) struct Follow {
    line: Arc<Mutex<Line>>,
    span: Span,
}

impl Follow {
    /// Announces what is new and returns the whole playlist. `listings` must hold every hour that may
    /// lie in the span. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// When this process lacks what it takes to open a file.
    pub(super) fn advance(
        self,
        store: &Store,
        feed: &Feed,
        listings: &[Arc<HourListing>],
        now: Timestamp,
    ) -> io::Result<MediaPlaylist> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.advance(store, feed, listings, self.span, now)
    }
}

/// What was announced of one playlist.
#[derive(Debug, Default)]
struct Line {
    announced: Announced,
    /// The starts of the segments that were announced with a discontinuity before them, also of those
    /// that are gone.
    marks: Vec<Timestamp>,
    /// The start and format of the last segment that was considered for a mark.
    marked: Option<(Timestamp, Format)>,
    /// What the first segment of all was numbered.
    first_number: u64,
    target_duration: u64,
}

impl Line {
    fn advance(
        &mut self,
        store: &Store,
        feed: &Feed,
        listings: &[Arc<HourListing>],
        span: Span,
        now: Timestamp,
    ) -> io::Result<MediaPlaylist> {
        let range = span.range.and_then(|range| self.narrowed(range, span.window, listings));
        if let Some(range) = range
            && self.announced.advance(listings, range, now) == Kept::Nothing
        {
            tracing::info!(%feed, "a segment that was announced is gone, so a playlist begins anew");
            self.marks.clear();
            self.marked = None;
        }
        read_heads(store, feed, self.announced.parts())?;
        if self.marked.is_none()
            && let (Some(_), Some(first)) = (span.window, self.announced.parts().first())
        {
            let seconds = first.first().start().micros() / 1_000_000 - EPOCH_SECONDS;
            let number = u64::try_from(seconds).unwrap_or(0);
            self.first_number = number.saturating_sub(self.announced.removed());
        }
        self.mark(store, feed);
        if let (Some(window), Some(end)) = (span.window, self.announced.end()) {
            self.announced.forget_before(end - window);
        }
        self.target_duration = longest(self.announced.parts()).max(self.target_duration);
        Ok(self.playlist(feed, span))
    }

    /// Where a line begins that nothing was announced of: a window reaches back from the newest video.
    fn narrowed(
        &self,
        range: TimeRange,
        window: Option<TimeDelta>,
        listings: &[Arc<HourListing>],
    ) -> Option<TimeRange> {
        let Some(window) = window.filter(|_| self.announced.parts().is_empty()) else {
            return Some(range);
        };
        let newest = listings.iter().flat_map(|hour| hour.candidates()).map(Segment::end).max()?;
        TimeRange::new(newest - window, range.end())
    }

    /// Decides for each segment that was announced now whether it follows on from the one before.
    fn mark(&mut self, store: &Store, feed: &Feed) {
        let parts = self.announced.parts();
        let (marked, mut format) = self.marked.unzip();
        let is_new = |start| marked.is_none_or(|marked| start > marked);
        let first_new = parts.partition_point(|part| !is_new(part.last().start()));
        let hours: Vec<Hour> =
            parts[first_new..].iter().map(|part| part.listing().hour()).collect();
        let noted = store.discontinuities(feed, &hours);
        let before = first_new.checked_sub(1).map(|before| parts[before].last());
        let mut previous = before.or_else(|| self.announced.before());
        for part in &parts[first_new..] {
            let heads = part.listing().heads().view();
            for segment in part.segments() {
                if is_new(segment.start()) {
                    let now = heads.get(segment.index()).unwrap_or(KnownHead::UNKNOWN).format;
                    if breaks(previous, segment, &noted, format, now) {
                        self.marks.push(segment.start());
                    }
                    format = Some(now);
                    self.marked = Some((segment.start(), now));
                }
                previous = Some(segment);
            }
        }
    }

    fn playlist(&self, feed: &Feed, span: Span) -> MediaPlaylist {
        let parts = self.announced.parts().to_vec();
        let first = parts.first().map(|part| part.first().start());
        let gone = self.marks.partition_point(|mark| first.is_some_and(|first| *mark < first));
        MediaPlaylist {
            feed: feed.clone(),
            marks: Marks::Announced(self.marks[gone..].to_vec()),
            media_sequence: self.first_number + self.announced.removed(),
            discontinuity_sequence: gone as u64,
            target_duration: self.target_duration,
            end: if span.is_over && is_reached(&parts, span) { End::Over } else { End::Open },
            grows: !span.is_over,
            contents: Contents::of(&parts),
            parts,
        }
    }
}

/// Whether the last segment is full and reaches the end of the span.
fn is_reached(parts: &[Part], span: Span) -> bool {
    let ends = parts.last().zip(span.range).map(|(part, range)| (part.last(), range.end()));
    ends.is_some_and(|(last, end)| hole_between(last, end).is_none() && last.end() >= end)
}
