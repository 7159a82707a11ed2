//! The segments of a range, read ahead.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::pin::Pin;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use super::SmartError;
use crate::format::fmp4;
use crate::format::media::{Outline, Unsuited};
use crate::format::mpegts::{PACKET_BYTES, TICKS_PER_SECOND, first_packet, since};
use crate::io::store::{Feed, Store};
use crate::plan::cut::StoredSegment;

/// How large a segment may be: they are held in memory whole, a few at a time.
const MAX_SEGMENT_BYTES: usize = 32 << 20;

/// How many segments are read before they are needed.
const AHEAD: usize = 2;

/// How far a clock may be off from what the names of the segments tell, in ticks: half a second.
const CLOCK_TOLERANCE: i64 = (TICKS_PER_SECOND / 2) as i64;

/// Where segments are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) store: Store,
    pub(super) feed: Feed,
}

/// A segment in memory.
#[derive(Debug)]
pub(super) struct Media {
    pub(super) place: Place,
    /// From its first packet on.
    pub(super) bytes: Vec<u8>,
}

/// Where a segment is: by its name, and by its own clock.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) stored: StoredSegment,
    pub(super) outline: Outline,
}

impl Files {
    /// Reads one; `None` where it holds nothing of use, as when it is empty.
    ///
    /// Cancel safety: what is being read is read to its end.
    pub(super) async fn read(&self, stored: StoredSegment) -> Result<Option<Media>, SmartError> {
        let feed = self.feed.clone();
        self.store.blocking(move |store| read(store, &feed, stored)).await
    }
}

fn read(store: &Store, feed: &Feed, stored: StoredSegment) -> Result<Option<Media>, SmartError> {
    let StoredSegment { hour, file_name, start: at, .. } = &stored;
    let (at, max_bytes) = (*at, MAX_SEGMENT_BYTES);
    let failed = |error: io::Error| {
        let place = format!("cannot read {feed}/{hour}/{file_name}: {error}");
        SmartError::Read(io::Error::new(error.kind(), place))
    };
    let file = store.open_in_hour(feed, *hour, file_name).map_err(|error| failed(error.into()))?;
    let size = file.metadata().map_err(failed)?.len();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > max_bytes {
        return Err(SmartError::TooLarge { at, max_bytes });
    }
    let mut bytes = Vec::with_capacity(size);
    file.take(max_bytes as u64).read_to_end(&mut bytes).map_err(failed)?;
    if fmp4::begins(&bytes) {
        return Err(SmartError::Unsuited { at, why: Unsuited::NoTables });
    }
    let Some(first) = first_packet(&bytes) else { return Ok(None) };
    bytes.drain(..first);
    bytes.truncate(bytes.len() / PACKET_BYTES * PACKET_BYTES);
    match Outline::read(&bytes) {
        Ok(outline) => Ok(Some(Media { place: Place { stored, outline }, bytes })),
        Err(Unsuited::NoTimes) => Ok(None),
        Err(why) => Err(SmartError::Unsuited { at, why }),
    }
}

impl Place {
    /// Whether it joins `before`, the one before it, and goes on from it.
    pub(super) fn continues(&self, before: &Self) -> bool {
        self.stored.joins && self.follows(before)
    }

    /// Whether it goes on from `before` on the same clock, with the same streams.
    pub(super) fn follows(&self, before: &Self) -> bool {
        let (own, other) = (&self.outline, &before.outline);
        let named = (self.stored.start - before.stored.start).num_microseconds();
        let named = named.map_or(i64::MAX, ticks);
        let told = since(own.first_pts, other.first_pts);
        own.is_like(other)
            && told.abs_diff(named) <= CLOCK_TOLERANCE.unsigned_abs()
            && since(own.first_dts, other.last_dts) > 0
    }
}

/// Microseconds as ticks of 90 kHz.
pub(super) const fn ticks(micros: i64) -> i64 {
    micros.saturating_mul(9) / 100
}

/// The segments of a range in order, without those that hold nothing.
pub(super) struct Reader {
    segments: Pin<Box<dyn Stream<Item = Result<Option<Media>, SmartError>> + Send>>,
    /// Those that were looked at and not taken.
    next: VecDeque<Media>,
}

impl Reader {
    pub(super) fn new(
        files: &Files,
        segments: impl Iterator<Item = StoredSegment> + Send + 'static,
    ) -> Self {
        let files = files.clone();
        let read = stream::iter(segments).map(move |stored| {
            let files = files.clone();
            async move { files.read(stored).await }
        });
        Self { segments: Box::pin(read.buffered(AHEAD)), next: VecDeque::new() }
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Result<Option<Media>, SmartError> {
        self.peek().await?;
        Ok(self.next.pop_front())
    }

    /// The next one, which stays the next one.
    pub(super) async fn peek(&mut self) -> Result<Option<&Media>, SmartError> {
        let mut is_missing = false;
        while self.next.is_empty() {
            let Some(read) = self.segments.try_next().await? else { break };
            match read {
                Some(mut media) => {
                    media.place.stored.joins &= !is_missing;
                    self.next.push_back(media);
                }
                None => is_missing = true,
            }
        }
        Ok(self.next.front())
    }

    /// The next one, if it goes on from `before`.
    pub(super) async fn next_of(&mut self, before: &Place) -> Result<Option<Media>, SmartError> {
        if self.next_place(before).await?.is_some() { self.next().await } else { Ok(None) }
    }

    /// Where the next one is, if it goes on from `before`.
    pub(super) async fn next_place(
        &mut self,
        before: &Place,
    ) -> Result<Option<&Place>, SmartError> {
        let next = self.peek().await?.map(|next| &next.place);
        Ok(next.filter(|next| next.continues(before)))
    }
}
