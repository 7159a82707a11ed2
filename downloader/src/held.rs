//! Segments that wait in memory while the disk takes none: full, failing or unmounted.
//!
//! All feeds share one [`Holding`], whose room is bounded. When it is used up, the oldest segment of
//! the lowest quality is given up first, be it one that waits or one that still arrives. What waits
//! is tried again about every second, one at a time, the oldest first.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use common::base::time::Timestamp;
use common::format::media::examiner::Format;
use common::format::segment::{Completeness, MediaDuration};
use common::io::store::notes::Why;
use common::io::store::{Feed, SegmentDraft, Store};
use common::metrics::Metrics;
use common::service::{CancellationToken, Parts};
use prometheus::{IntCounter, IntGauge};
use tokio::sync::Notify;
use tokio::time::Instant;

mod room;
mod telling;
mod trouble;
mod turns;

use room::{Answer, Claim, Room};
use telling::Telling;
use trouble::Trouble;
use turns::{Turn, Turns};

use crate::disk::Stored;
use crate::planner::{Attempt, Failure, Retry, Saved};

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
    metrics: HoldingMetrics,
}

#[derive(Debug)]
struct State {
    room: Room,
    /// Of each that is held, what says that it was given up.
    given_up: BTreeMap<Claim, CancellationToken>,
    turns: Turns,
    telling: Telling,
    trouble: Option<Trouble>,
    /// Whether the disk took what it was given last.
    disk_works: bool,
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
        };
        let inner = Inner {
            state: Mutex::new(state),
            turned: Notify::new(),
            next_id: AtomicU64::new(0),
            metrics: HoldingMetrics::new(metrics),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A place for a segment that the disk refused for `error`: it begins at `start` and is of the
    /// quality that is the `rank`th best.
    pub(crate) fn enter(&self, rank: usize, start: Timestamp, error: &io::Error) -> Place {
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        let claim = Claim::new(rank, start, id);
        let given_up = CancellationToken::new();
        let mut state = self.state();
        state.room.enter(claim);
        state.given_up.insert(claim, given_up.clone());
        state.refused(error);
        drop(state);
        Place { holding: self.clone(), claim, given_up }
    }

    /// The disk took a segment.
    pub(crate) fn disk_works(&self) {
        let mut state = self.state();
        state.disk_works = true;
        state.tell_if_over();
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

    fn tell_if_over(&mut self) {
        if !self.disk_works || !self.room.is_empty() {
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

/// A segment's place in a [`Holding`]; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    holding: Holding,
    claim: Claim,
    given_up: CancellationToken,
}

impl Place {
    /// Takes room for `bytes` more.
    ///
    /// # Errors
    ///
    /// When the segment is to be given up.
    pub(crate) fn grow(&self, bytes: u64) -> Result<(), Failure> {
        let mut state = self.holding.state();
        let answer = state.room.grow(self.claim, bytes);
        self.holding.show(&state);
        let victims = match answer {
            Answer::Granted(victims) => victims,
            // whoever was given up for another was counted then
            Answer::Refused if self.given_up.is_cancelled() => return Err(given_up()),
            Answer::Refused => {
                self.given_up.cancel();
                self.holding.inner.metrics.given_up.inc();
                state.telling.gave_up();
                return Err(given_up());
            }
        };
        for victim in victims {
            if let Some(token) = state.given_up.get(&victim) {
                token.cancel();
            }
            self.holding.inner.metrics.given_up.inc();
            state.telling.gave_up();
        }
        Ok(())
    }

    /// Waits for the turn to try the disk, and takes it; without a pause once `stop` is cancelled.
    ///
    /// Cancel safety: a turn that came is given back when it is dropped.
    async fn turn(&self, stop: &CancellationToken) -> Try {
        let holding = &self.holding;
        holding.state().turns.wait(self.claim.age());
        loop {
            let mut turned = std::pin::pin!(holding.inner.turned.notified());
            turned.as_mut().enable();
            let stopping = stop.is_cancelled();
            let turn = holding.state().turns.take(self.claim.age(), Instant::now(), stopping);
            let pause = async {
                match turn {
                    Turn::Now => {}
                    Turn::At(at) => tokio::time::sleep_until(at).await,
                    Turn::Later => std::future::pending().await,
                }
            };
            if turn == Turn::Now {
                return Try { holding: holding.clone(), claim: self.claim, stored: false };
            }
            tokio::select! {
                biased;
                () = stop.cancelled(), if !stopping => {}
                () = turned => {}
                () = pause => {}
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.holding.state();
        state.room.leave(self.claim);
        state.given_up.remove(&self.claim);
        state.turns.leave(self.claim.age());
        self.holding.show(&state);
        state.tell_if_over();
        drop(state);
        self.holding.inner.turned.notify_waiters();
    }
}

/// The only try of the disk for the time being; the next may begin once it is dropped.
#[derive(Debug)]
struct Try {
    holding: Holding,
    claim: Claim,
    stored: bool,
}

impl Try {
    /// Ends with what came of it.
    fn end(mut self, result: &io::Result<Saved>) {
        self.stored = result.is_ok();
        match result {
            Ok(_) => self.holding.disk_works(),
            Err(error) => self.holding.state().refused(error),
        }
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        self.holding.state().turns.tried(self.claim.age(), self.stored, Instant::now());
        self.holding.inner.turned.notify_waiters();
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

/// A segment that was received and judged, and waits for the disk.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) pieces: Vec<Bytes>,
    pub(crate) place: Place,
    pub(crate) target: Target,
    pub(crate) completeness: Completeness,
    /// Why a better copy is wanted, if one is.
    pub(crate) failure: Option<Failure>,
    pub(crate) format: Option<Format>,
    pub(crate) stop: CancellationToken,
}

impl Held {
    /// How many bytes wait.
    pub(crate) fn size(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }

    /// Waits until it is stored or given up. When the downloader stops, it is tried once more.
    ///
    /// Cancel safety: dropped in between, the segment is given up, unless a try is under way, which
    /// goes on to its end.
    pub(crate) async fn land(self) -> Attempt {
        loop {
            let turn = tokio::select! {
                biased;
                () = self.place.given_up.cancelled() => return failed(given_up()),
                turn = self.place.turn(&self.stop) => turn,
            };
            let is_last = self.stop.is_cancelled();
            match self.store_once(turn).await {
                Ok(saved) => {
                    let (failure, format) = (self.failure, self.format);
                    return Attempt { saved: Some(saved), failure, format };
                }
                Err(error) if is_last => {
                    let detail = format!("the disk did not take it before the stop: {error}");
                    return failed(disk_full(detail, Retry::Never));
                }
                Err(_) => {}
            }
        }
    }

    async fn store_once(&self, turn: Try) -> io::Result<Saved> {
        let (pieces, target) = (self.pieces.clone(), self.target.clone());
        let completeness = self.completeness;
        let store = move |_: &Store| {
            let result = target.begin().and_then(|mut draft| {
                draft.append(&pieces)?;
                let published = draft.publish(completeness).map_err(|refused| refused.error)?;
                Ok(target.saved(completeness, &published))
            });
            turn.end(&result);
            result
        };
        self.target.store.blocking(store).await
    }
}

fn failed(failure: Failure) -> Attempt {
    Attempt::failed(failure)
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
