//! Segments that wait in memory while the disk takes none: full, failing, unmounted or without an answer.
//!
//! All feeds share one [`Holding`], whose room is bounded. When it is used up, the oldest segment of
//! the lowest quality is given up first, be it one that waits or one that still arrives. What waits
//! is tried again about every second, one at a time, the oldest first. While the disk gives no answer, the
//! one that is tried finds out when it does.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::base::time::Timestamp;
use common::format::segment::{Completeness, MediaDuration};
use common::io::store::notes::Why;
use common::io::store::{Feed, SegmentDraft, Store};
use common::metrics::Metrics;
use common::service::{CancellationToken, Parts};
use prometheus::{IntCounter, IntGauge};
use tokio::sync::Notify;
use tokio::time::Instant;

mod bin;
mod landing;
mod place;
mod room;
mod telling;
mod threads;
mod trouble;
mod turns;

use bin::Bin;
pub(crate) use bin::Binned;
pub(crate) use landing::Held;
pub(crate) use place::Place;
use room::{Claim, Room};
use telling::Telling;
use threads::Threads;
pub(crate) use threads::{Late, Stuck, Work};
use trouble::Trouble;
use turns::Turns;

use crate::disk::Stored;
use crate::planner::{Failure, Retry, Saved};

/// How long a disk may give no answer and still be given what comes: one that is slow may keep up with many
/// files at a time, while what waits in memory is written one by one.
const HOPELESS_AFTER: Duration = Duration::from_secs(15);

/// The room of all feeds together; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// Someone's turn may have come.
    turned: Notify,
    next_id: AtomicU64,
    threads: Threads,
    bin: Bin,
    metrics: HoldingMetrics,
}

#[derive(Debug)]
struct State {
    room: Room,
    /// Of each that waits, what says that it was given up.
    given_up: BTreeMap<Claim, CancellationToken>,
    turns: Turns,
    telling: Telling,
    trouble: Option<Trouble>,
    /// Whether the disk took what it was given last.
    disk_works: bool,
    /// When it last did, or began to be of use.
    worked: Instant,
    /// When it was seen that the downloader stops.
    stopping: Option<Instant>,
    hang: Option<Hang>,
}

/// That the disk does not answer.
#[derive(Debug)]
struct Hang {
    since: Instant,
    /// Whether people were told.
    is_told: bool,
}

#[derive(Debug)]
struct HoldingMetrics {
    held_bytes: IntGauge,
    given_up: IntCounter,
}

impl HoldingMetrics {
    fn new(metrics: &Metrics) -> Self {
        let held = "Bytes of segments that wait in memory because the disk takes none";
        let given_up = "Segments given up because the disk took none and the memory was used up";
        Self {
            held_bytes: metrics
                .gauge("segments_held_bytes", held, &[])
                .with_label_values::<&str>(&[]),
            given_up: metrics
                .counter("segments_given_up", given_up, &[])
                .with_label_values::<&str>(&[]),
        }
    }
}

impl Holding {
    /// Room for `bytes` of segments.
    pub(crate) fn new(bytes: u64, metrics: &Metrics) -> Self {
        let state = State {
            room: Room::new(bytes),
            given_up: BTreeMap::new(),
            turns: Turns::default(),
            telling: Telling::default(),
            trouble: None,
            disk_works: true,
            worked: Instant::now(),
            stopping: None,
            hang: None,
        };
        let inner = Inner {
            state: Mutex::new(state),
            turned: Notify::new(),
            next_id: AtomicU64::new(0),
            threads: Threads::default(),
            bin: Bin::default(),
            metrics: HoldingMetrics::new(metrics),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A place for a segment that the disk refused for `error`: it begins at `start` and is of the
    /// quality that is the `rank`th best.
    pub(crate) fn enter(&self, rank: usize, start: Timestamp, error: &io::Error) -> Place {
        let place = self.enter_place(rank, start);
        self.state().refused(error);
        place
    }

    /// As [`Holding::enter`], for a segment to which the disk did not say anything.
    pub(crate) fn enter_unanswered(&self, rank: usize, start: Timestamp) -> Place {
        self.state().tell_hang();
        self.enter_place(rank, start)
    }

    /// As [`Holding::enter_unanswered`], without any room: it is given up as far as memory goes.
    pub(crate) fn enter_without_room(&self, rank: usize, start: Timestamp) -> Place {
        let place = self.enter_place(rank, start);
        place.given_up.cancel();
        place
    }

    fn enter_place(&self, rank: usize, start: Timestamp) -> Place {
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        let claim = Claim::new(rank, start, id);
        let given_up = CancellationToken::new();
        let mut state = self.state();
        state.room.enter(claim);
        state.given_up.insert(claim, given_up.clone());
        drop(state);
        Place::new(self.clone(), claim, given_up)
    }

    /// A file that may be dropped where nothing may block.
    pub(crate) fn binned(&self, draft: SegmentDraft) -> Binned {
        Binned::new(draft, self.inner.bin.clone())
    }

    /// Whether the disk does not answer, as far as is known.
    pub(crate) fn hangs(&self) -> bool {
        self.state().hang.is_some()
    }

    /// Whether the disk has not answered for so long that it is of no use to begin another file.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.state().hang.as_ref().is_some_and(|hang| hang.since.elapsed() >= HOPELESS_AFTER)
    }

    /// When it was first seen that the downloader stops, which it does.
    pub(crate) fn stopping(&self) -> Instant {
        *self.state().stopping.get_or_insert_with(Instant::now)
    }

    /// Whether the disk has stored a segment within that time.
    pub(crate) fn has_stored_within(&self, time: Duration) -> bool {
        self.state().worked.elapsed() < time
    }

    /// The disk answers after all.
    fn answered(&self) {
        self.state().answered();
        self.inner.turned.notify_waiters();
    }

    /// Waits until the disk answers, or `stop` is cancelled.
    async fn answers(&self, stop: &CancellationToken) {
        loop {
            let mut turned = std::pin::pin!(self.inner.turned.notified());
            turned.as_mut().enable();
            if stop.is_cancelled() || !self.hangs() {
                return;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = turned => {}
            }
        }
    }

    /// The disk took a segment.
    pub(crate) fn disk_works(&self) {
        let mut state = self.state();
        state.disk_works = true;
        state.worked = Instant::now();
        let hung = state.hang.is_some();
        state.answered();
        state.tell_if_over();
        drop(state);
        if hung {
            self.inner.turned.notify_waiters();
        }
    }

    /// A line that calls for somebody from when the disk refuses until it has taken all that waits, and
    /// none otherwise: until the memory is used up, the feeds are as well as ever.
    pub(crate) fn report(&self) -> Parts {
        let state = self.state();
        let given_up = state.telling.given_up();
        let trouble = state.trouble.as_ref();
        trouble.map(|it| it.report(&state.room, given_up, Instant::now())).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows how much is held after a change.
    fn show(&self, state: &State) {
        let used = i64::try_from(state.room.used()).unwrap_or(i64::MAX);
        self.inner.metrics.held_bytes.set(used);
    }
}

impl State {
    fn refused(&mut self, error: &io::Error) {
        let now = Instant::now();
        self.disk_works = false;
        Trouble::refused(&mut self.trouble, error.to_string(), now);
        if self.telling.refused(now) {
            tracing::error!(
                "the disk takes no segments ({error}); they wait in memory as long as there is \
                 room; make room on the disk, or mend it"
            );
        }
    }

    /// The disk has not answered `since` then, or since it stored the last segment.
    fn hangs(&mut self, since: Instant) {
        if self.hang.is_some() {
            return;
        }
        let since = since.max(self.worked);
        Trouble::hangs(&mut self.trouble, since);
        self.hang = Some(Hang { since, is_told: false });
        self.tell_hang();
    }

    /// Tells people that the disk does not answer, if it is time to.
    fn tell_hang(&mut self) {
        let Some(hang) = &mut self.hang else { return };
        if !self.telling.refused(Instant::now()) {
            return;
        }
        hang.is_told = true;
        let seconds = hang.since.elapsed().as_secs();
        tracing::warn!(
            seconds,
            "the disk does not answer; segments wait in memory as long as there is room; look at \
             the disk, or at the server that it is on"
        );
    }

    fn answered(&mut self) {
        let Some(Hang { since, is_told }) = self.hang.take() else { return };
        Trouble::answers(&mut self.trouble);
        if is_told {
            let seconds = since.elapsed().as_secs();
            tracing::info!(seconds, "the disk answers again");
        }
        self.tell_if_over();
    }

    fn tell_if_over(&mut self) {
        // one that has no room may still be stored by what hangs over it
        if !self.disk_works || self.hang.is_some() || !self.given_up.is_empty() {
            return;
        }
        self.trouble = None;
        match self.telling.over() {
            Some(0) => tracing::info!("the disk takes segments again; none was lost to it"),
            Some(lost) => {
                tracing::warn!(lost, "the disk takes segments again; some were given up meanwhile");
            }
            None => {}
        }
    }
}

/// Where a segment belongs.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) store: Store,
    pub(crate) feed: Feed,
    pub(crate) start: Timestamp,
    pub(crate) duration: MediaDuration,
    /// Counts what was stored.
    pub(crate) stored: Stored,
    /// What hangs over the feed.
    pub(crate) stuck: Stuck,
}

impl Target {
    /// Begins the segment's file. Blocks.
    pub(crate) fn begin(&self) -> io::Result<SegmentDraft> {
        self.store.draft_segment(&self.feed, self.start, self.duration)
    }

    /// What is told of a file that was published.
    pub(crate) fn saved(
        &self,
        completeness: Completeness,
        published: &common::io::store::Published,
    ) -> Saved {
        let is_new = !published.already_there;
        if is_new {
            self.stored.add(published.size);
        }
        Saved { completeness, size: published.size, is_new }
    }
}

/// Room may come as long as the segment is listed.
fn given_up() -> Failure {
    let detail = "the disk took nothing, and there was no more room to wait in memory";
    disk_full(detail.to_owned(), Retry::WhileListed)
}

/// The disk is why.
pub(crate) fn disk_full(detail: String, retry: Retry) -> Failure {
    Failure { why: Why::DiskFull, detail, retry }
}

#[cfg(test)]
mod tests;
