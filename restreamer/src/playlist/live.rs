//! Playlists that still grow: what was announced of each, so that a reader that reloads sees only
//! additions.
//!
//! Which playlist a reader follows is told by its address. What was announced is kept while somebody
//! reads it; whoever comes later gets a line of its own with the holes that were filled since.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use common::base::time::{Hour, TimeRange, Timestamp};
use common::io::store::{Feed, Store};
use common::metrics::Metrics;
use common::plan::listing::{Format, HourListing, KnownHead, Segment};
use common::plan::live::Announced;
use common::plan::select::{Part, hole_between};
use prometheus::IntCounter;

use super::marks::{Marks, breaks};
use super::media::{Contents, End, MediaPlaylist, longest, read_heads};
use super::span::{Asked, Span};

/// How much memory the lines may take, in bytes.
const MEMORY_BYTES: usize = 64 << 20;

/// What a line takes at least, as it is counted: so many are never kept that to look through them
/// takes long.
const LINE_BYTES: usize = 16 << 10;

/// After how long without a reload nobody is reading a playlist any more.
const ABANDONED_AFTER: TimeDelta = TimeDelta::minutes(5);

/// Windows number their segments from the seconds of this instant, so that the numbers do not go back
/// when a line is forgotten or the service starts again, unless segments last less than a second:
/// 2020-01-01T00:00:00.
const EPOCH_SECONDS: i64 = 1_577_836_800;

/// The playlists that are being followed.
#[derive(Debug)]
pub(crate) struct LivePlaylists {
    lines: Mutex<HashMap<(Feed, Asked), Followed>>,
    evicted: IntCounter,
}

#[derive(Debug)]
struct Followed {
    shared: Arc<Shared>,
    first_asked: Timestamp,
    last_asked: Timestamp,
}

/// A line, and how much memory it took when it was advanced last.
#[derive(Debug, Default)]
struct Shared {
    line: Mutex<Line>,
    bytes: AtomicUsize,
}

impl LivePlaylists {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let help = "Playlists whose readers still reloaded them, forgotten to make room";
        let evicted = metrics.counter("live_playlists_evicted", help, &[]);
        Self { lines: Mutex::default(), evicted: evicted.with_label_values::<&str>(&[]) }
    }

    /// The line of the playlist of `feed` that was `asked` for, which began now if nobody read it
    /// before; `None` where nobody did and the span is over, or nothing can lie in it yet.
    pub(super) fn follow(
        &self,
        feed: &Feed,
        asked: Asked,
        span: Span,
        now: Timestamp,
    ) -> Option<Follow> {
        let mut lines = self.kept(now);
        let key = (feed.clone(), asked);
        if !lines.contains_key(&key) {
            if span.is_over || span.range.is_none() {
                return None;
            }
            self.make_room(&mut lines);
        }
        let followed = lines.entry(key).or_insert_with(|| Followed {
            shared: Arc::default(),
            first_asked: now,
            last_asked: now,
        });
        followed.last_asked = now;
        Some(Follow { shared: Arc::clone(&followed.shared), span })
    }

    /// Remembers that somebody asked for a playlist, whatever the answer is going to be.
    pub(super) fn asked_again(&self, feed: &Feed, asked: Asked, now: Timestamp) {
        if let Some(followed) = self.kept(now).get_mut(&(feed.clone(), asked)) {
            followed.last_asked = now;
        }
    }

    /// The lines that somebody still asks for.
    fn kept(&self, now: Timestamp) -> MutexGuard<'_, HashMap<(Feed, Asked), Followed>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, followed| now - followed.last_asked <= ABANDONED_AFTER);
        lines
    }

    /// Forgets lines until there is room for one more. Those that were followed for the shortest time
    /// go first, so that a stranger who asks for many does not take away those of others.
    fn make_room(&self, lines: &mut HashMap<(Feed, Asked), Followed>) {
        let mut bytes: usize = lines.values().map(Followed::bytes).sum();
        while bytes + LINE_BYTES > MEMORY_BYTES {
            let least = lines.iter().min_by_key(|(_, line)| (line.followed_for(), line.last_asked));
            let Some(key) = least.map(|(key, _)| key.clone()) else { return };
            let Some(evicted) = lines.remove(&key) else { return };
            bytes -= evicted.bytes();
            if evicted.followed_for() > TimeDelta::zero() {
                self.evicted.inc();
            }
        }
    }
}

impl Followed {
    fn followed_for(&self) -> TimeDelta {
        self.last_asked - self.first_asked
    }

    fn bytes(&self) -> usize {
        self.shared.bytes.load(Ordering::Relaxed) + LINE_BYTES
    }
}

/// A line and the span that it is asked for.
#[derive(Debug)]
pub(super) struct Follow {
    shared: Arc<Shared>,
    span: Span,
}

impl Follow {
    /// Announces what is new and returns the whole playlist. `hours` must be in order and hold every
    /// hour that may lie in the span. Blocks on the disk, and on others that read the same playlist.
    ///
    /// # Errors
    ///
    /// When this process lacks what it takes to read a folder or open a file.
    pub(super) fn advance(
        self,
        store: &Store,
        feed: &Feed,
        mut hours: Vec<Hour>,
        now: Timestamp,
    ) -> io::Result<MediaPlaylist> {
        let mut line = self.shared.line.lock().unwrap_or_else(PoisonError::into_inner);
        hours.extend(line.announced.hours());
        hours.sort_unstable();
        hours.dedup();
        // what was read before the line was locked may lack what another reader made it announce
        let listings: io::Result<Vec<_>> =
            hours.iter().map(|hour| store.hour(feed, *hour)).collect();
        let playlist = line.advance(store, feed, &listings?, self.span, now);
        self.shared.bytes.store(line.bytes(), Ordering::Relaxed);
        playlist
    }
}

/// What was announced of one playlist.
#[derive(Debug, Default)]
struct Line {
    announced: Announced,
    /// Where it began, if that was in the future for want of anything else.
    began_ahead: Option<Timestamp>,
    /// Which of the segments still listed were announced with a discontinuity before them, counting
    /// from the first of all.
    marks: Vec<u64>,
    /// How many of those were taken away at the front.
    marks_removed: u64,
    /// How many segments were considered for a mark, counting from the first of all.
    considered: u64,
    /// The format of the last one.
    format: Option<Format>,
    /// What the first segment of all was numbered, once there was one.
    first_number: Option<u64>,
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
        if span.range.is_some_and(|range| self.begins_late(range, listings, now)) {
            tracing::info!(%feed, "what was announced lies in the future, so a playlist begins anew");
            self.announced.begin_anew();
        }
        let range = span.range.and_then(|range| self.narrowed(range, span.window, listings, now));
        let begins = self.announced.parts().is_empty();
        self.announced.advance(listings, range, now);
        if let (true, Some(part)) = (begins, self.announced.parts().first()) {
            self.began_ahead = Some(part.first().start()).filter(|start| *start >= now);
        }
        read_heads(store, feed, self.announced.parts())?;
        if let (None, Some(first)) = (self.first_number, self.announced.parts().first()) {
            let seconds = first.first().start().micros() / 1_000_000 - EPOCH_SECONDS;
            self.first_number =
                Some(span.window.map_or(0, |_| u64::try_from(seconds).unwrap_or(0)));
        }
        self.mark(store, feed);
        if let (Some(window), Some(end)) = (span.window, self.announced.end()) {
            self.announced.forget_before(end - window);
        }
        let first = self.announced.removed();
        let removed = self.marks.partition_point(|mark| *mark < first);
        self.marks_removed += self.marks.drain(..removed).len() as u64;
        self.target_duration = longest(self.announced.parts()).max(self.target_duration);
        Ok(self.playlist(feed, span))
    }

    /// Whether all that was announced lies in the future or behind the range, for want of anything else,
    /// and now there is something before it.
    fn begins_late(&self, range: TimeRange, listings: &[Arc<HourListing>], now: Timestamp) -> bool {
        let Some(began) = self.began_ahead else { return false };
        let limit = began.min(range.end());
        let is_before =
            |segment: Segment<'_>| segment.start() < limit && segment.end() > range.start();
        self.announced.begins_after(now.min(range.end()))
            && listings.iter().flat_map(|hour| hour.candidates()).any(is_before)
    }

    /// Where a line begins that nothing was announced of: a window reaches back from the newest video
    /// that is not of the future. Where all is of the future, none is known to be the newest: a date may
    /// be wrong. It then begins with the first and goes on from there.
    fn narrowed(
        &self,
        range: TimeRange,
        window: Option<TimeDelta>,
        listings: &[Arc<HourListing>],
        now: Timestamp,
    ) -> Option<TimeRange> {
        let Some(window) = window.filter(|_| self.announced.parts().is_empty()) else {
            return Some(range);
        };
        let candidates = listings.iter().flat_map(|hour| hour.candidates());
        let past = candidates.filter(|segment| segment.start() < now.min(range.end()));
        match past.map(Segment::end).max() {
            Some(newest) => TimeRange::new(newest - window, range.end()),
            None => Some(range),
        }
    }

    /// Decides for each segment that was announced now whether it follows on from the one before.
    fn mark(&mut self, store: &Store, feed: &Feed) {
        let (mut number, mut previous) = (self.announced.removed(), self.announced.before());
        let mut parts = self.announced.parts();
        while let Some((part, rest)) = parts.split_first()
            && number + part.len() as u64 <= self.considered
        {
            number += part.len() as u64;
            previous = Some(part.last());
            parts = rest;
        }
        let mut hours: Vec<Hour> = parts.iter().map(|part| part.listing().hour()).collect();
        hours.dedup();
        let noted = store.discontinuities(feed, &hours);
        for part in parts {
            let heads = part.listing().heads().view();
            for segment in part.segments() {
                if number >= self.considered {
                    let now = heads.get(segment.index()).unwrap_or(KnownHead::UNKNOWN).format;
                    let begins_anew = previous.is_none() && number > 0;
                    if begins_anew || breaks(previous, segment, &noted, self.format, now) {
                        self.marks.push(number);
                    }
                    self.format = Some(now);
                }
                previous = Some(segment);
                number += 1;
            }
        }
        self.considered = number;
    }

    fn playlist(&self, feed: &Feed, span: Span) -> MediaPlaylist {
        let parts = self.announced.parts().to_vec();
        let first = self.announced.removed();
        MediaPlaylist {
            feed: feed.clone(),
            marks: Marks::Announced(self.marked()),
            gaps: self.announced.gaps().to_vec(),
            media_sequence: self.first_number.unwrap_or(0) + first,
            discontinuity_sequence: self.marks_removed,
            target_duration: self.target_duration,
            end: if span.is_over && is_reached(&parts, span) { End::Over } else { End::Open },
            grows: !span.is_over,
            contents: Contents::of(&parts),
            parts,
        }
    }

    /// The starts of the segments that have a mark.
    fn marked(&self) -> Vec<Timestamp> {
        let mut marked = Vec::with_capacity(self.marks.len());
        let mut number = self.announced.removed();
        let mut marks = self.marks.iter().peekable();
        for part in self.announced.parts() {
            let next = number + part.len() as u64;
            while let Some(mark) = marks.next_if(|mark| **mark < next) {
                let within = usize::try_from(mark - number).expect("a part is in memory");
                marked.push(part.listing().segment(part.picks()[within]).start());
            }
            number = next;
        }
        marked
    }

    /// About how much memory it takes. Listings count for each of those who hold them as much as for
    /// the others.
    fn bytes(&self) -> usize {
        let part = |part: &Part| {
            let listing = part.listing();
            size_of_val(part.picks()) + listing.memory_bytes() / Arc::strong_count(listing)
        };
        let parts: usize = self.announced.parts().iter().map(part).sum();
        parts + size_of_val(&*self.marks) + size_of_val(self.announced.gaps())
    }
}

/// Whether the last segment is full and reaches the end of the span.
fn is_reached(parts: &[Part], span: Span) -> bool {
    let ends = parts.last().zip(span.range).map(|(part, range)| (part.last(), range.end()));
    ends.is_some_and(|(last, end)| hole_between(last, end).is_none() && last.end() >= end)
}

#[cfg(test)]
mod tests {
    use common::base::hash::ContentHash;
    use common::io::store::Access;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        "2026-11-20T10".parse::<Hour>().unwrap().start() + TimeDelta::seconds(seconds)
    }

    fn follow(live: &LivePlaylists, last_seconds: u32, now: i64) -> Follow {
        let feed = Feed { channel: "c".parse().unwrap(), quality: "q".parse().unwrap() };
        let asked = Asked { last_seconds: Some(last_seconds), ..Asked::default() };
        let window = Some(TimeDelta::seconds(last_seconds.into()));
        let span = Span { range: TimeRange::new(at(0), at(1)), is_over: false, window };
        live.follow(&feed, asked, span, at(now)).unwrap()
    }

    #[test]
    fn strangers_do_not_take_away_what_is_followed() {
        let most = u32::try_from(MEMORY_BYTES / LINE_BYTES).unwrap();
        let live = LivePlaylists::new(&Metrics::empty());
        let followed = follow(&live, 1, 0).shared;
        assert!(Arc::ptr_eq(&followed, &follow(&live, 1, 2).shared));
        for stranger in 2..3 * most {
            follow(&live, stranger, 3);
        }
        assert_eq!(live.lines.lock().unwrap().len(), most as usize);
        assert!(Arc::ptr_eq(&followed, &follow(&live, 1, 4).shared));
        assert_eq!(live.evicted.get(), 0);

        // one that takes much leaves less room
        followed.bytes.store(MEMORY_BYTES - 3 * LINE_BYTES, Ordering::Relaxed);
        follow(&live, 4 * most, 5);
        assert_eq!(live.lines.lock().unwrap().len(), 3);
        followed.bytes.store(MEMORY_BYTES, Ordering::Relaxed);
        follow(&live, 5 * most, 6);
        assert_eq!((live.lines.lock().unwrap().len(), live.evicted.get()), (1, 1));
    }

    #[test]
    fn a_reader_that_knows_fewer_hours_takes_nothing_away() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Write).unwrap();
        let feed = Feed { channel: "c".parse().unwrap(), quality: "q".parse().unwrap() };
        let folder = store.hour_path(&feed, at(0).hour());
        std::fs::create_dir_all(&folder).unwrap();
        let name = format!("00:00.000000-2.0-full-{}.ts", ContentHash::of(b""));
        std::fs::write(folder.join(name), b"").unwrap();
        let live = LivePlaylists::new(&Metrics::empty());
        let advance = |hours| follow(&live, 9, 2).advance(&store, &feed, hours, at(2)).unwrap();
        let first = advance(vec![at(0).hour()]);
        assert_eq!((first.len(), first.gaps.len()), (1, 0));
        // its hours were listed before another one made the line go on
        let late = advance(Vec::new());
        assert_eq!((late.len(), late.gaps.len()), (1, 0));
        assert_eq!(late.media_sequence, first.media_sequence);
    }

    #[test]
    fn what_nobody_reloads_is_forgotten() {
        let live = LivePlaylists::new(&Metrics::empty());
        let first = follow(&live, 1, 0).shared;
        assert!(Arc::ptr_eq(&first, &follow(&live, 1, 300).shared));
        assert!(!Arc::ptr_eq(&first, &follow(&live, 1, 601).shared));
        assert_eq!(live.evicted.get(), 0);
    }
}
