//! Work that costs much: taken on in turns, with a queue before it, and refused beyond that.
//!
//! Anybody may ask for a waveform of hours, so what is bounded is not each request alone but all of them
//! together. A request that is given up leaves the queue, or stops its work, at once. A turn is for
//! work alone: an answer is sent without it.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use common::cut::smart::Encoders;
use common::io::ffmpeg::Ffmpeg;
use common::io::store::Store;
use common::metrics::Metrics;
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::ApiError;

/// How long a request waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// How long a piece of work may take once it has its turn: a waveform of the longest range takes one
/// minute on one core.
const MAX_WORK: Duration = Duration::from_mins(3);
/// How many requests may wait for each turn there is.
const WAITING_PER_TURN: usize = 8;
/// The same where a turn lasts a millisecond as a rule, and each of many viewers comes every few seconds.
const VIEWERS_WAITING_PER_TURN: usize = 256;
/// Walks through folders and chats at a time: they share one disk, and each chat may take up
/// [`crate::chat::MAX_HELD_BYTES`], and as much again while its text is made.
const WALKS_AT_ONCE: usize = 4;
/// Selections of segments at a time: they share one disk.
const SELECTIONS_AT_ONCE: usize = 4;
/// Selections out of more than half a day at a time: each may hold the listings of two weeks in memory, and
/// open as many files as there are segments in them.
const LONG_SELECTIONS_AT_ONCE: usize = 2;
/// Looks at all the qualities of a channel at a time.
const LOOKS_AT_ONCE: usize = 2;

/// All the work that costs much; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Expensive {
    /// What starts ffmpeg: one on each core.
    pub(crate) pictures: Pool,
    /// Chats, and walks through the whole tree of an extra.
    pub(crate) walks: Pool,
    pub(crate) selections: Pool,
    /// Selections that may take long, so that no short one has to wait for them.
    pub(crate) long_selections: Pool,
    /// Looks at the qualities of a channel.
    pub(crate) looks: Pool,
    pub(crate) ffmpeg: Ffmpeg,
    /// What the edges of exact cuts are encoded with.
    pub(crate) encoders: Encoders,
}

impl Expensive {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let metrics = PoolMetrics::new(metrics);
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let pool = |name, at_once| Pool::new(&metrics, name, at_once, WAITING_PER_TURN);
        let for_viewers =
            |name, at_once| Pool::new(&metrics, name, at_once, VIEWERS_WAITING_PER_TURN);
        Self {
            pictures: pool("pictures", cores),
            walks: pool("walks", WALKS_AT_ONCE),
            selections: for_viewers("selections", SELECTIONS_AT_ONCE),
            long_selections: pool("long_selections", LONG_SELECTIONS_AT_ONCE),
            looks: for_viewers("looks", LOOKS_AT_ONCE),
            ffmpeg: Ffmpeg::new("ffmpeg"),
            encoders: Encoders::new(Ffmpeg::new("ffmpeg"), cores),
        }
    }
}

struct PoolMetrics {
    running: IntGaugeVec,
    waiting: IntGaugeVec,
    refused: IntCounterVec,
}

impl PoolMetrics {
    fn new(metrics: &Metrics) -> Self {
        let gauge = |name, help| metrics.gauge(name, help, &["pool"]);
        Self {
            running: gauge("expensive_running", "Expensive work under way"),
            waiting: gauge("expensive_waiting", "Requests that wait for their turn"),
            refused: metrics.counter(
                "expensive_refused",
                "Requests refused because too many wait or the wait was too long",
                &["pool"],
            ),
        }
    }
}

/// Turns at one kind of work, and the queue before them.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    /// Permits for all that run or wait.
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    running: IntGauge,
    waiting: IntGauge,
    refused: IntCounter,
}

impl Pool {
    fn new(metrics: &PoolMetrics, name: &str, at_once: usize, waiting_per_turn: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(at_once * (1 + waiting_per_turn))),
            turns: Arc::new(Semaphore::new(at_once)),
            running: metrics.running.with_label_values(&[name]),
            waiting: metrics.waiting.with_label_values(&[name]),
            refused: metrics.refused.with_label_values(&[name]),
        }
    }

    /// Waits for a turn, which lasts until it is dropped.
    ///
    /// # Errors
    ///
    /// When too many wait already, or none came within [`MAX_WAIT`].
    ///
    /// Cancel safety: dropped, it leaves the queue.
    async fn turn(&self) -> Result<Turn, ApiError> {
        let refused = |_| {
            self.refused.inc();
            ApiError::Busy
        };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(refused)?;
        let waiting = Counted::new(&self.waiting);
        let turn = timeout(MAX_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        drop(waiting);
        let Ok(turn) = turn else {
            self.refused.inc();
            return Err(ApiError::Busy);
        };
        let turn = turn.expect("the semaphore is never closed");
        Ok(Turn { _permits: (place, turn), _running: Counted::new(&self.running) })
    }

    /// Does `work` in its turn.
    ///
    /// # Errors
    ///
    /// When there is no turn to be had, `work` takes longer than [`MAX_WORK`], or as it fails.
    ///
    /// Cancel safety: dropped, it leaves the queue or drops `work`.
    pub(crate) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let _turn = self.turn().await?;
        timeout(MAX_WORK, work).await.unwrap_or(Err(ApiError::TookTooLong))
    }

    /// Does `work` on `store` in its turn, where it may block.
    ///
    /// # Errors
    ///
    /// When there is no turn to be had, `work` takes longer than [`MAX_WORK`], or as it fails.
    ///
    /// Cancel safety: dropped, it leaves the queue, or `work` ends with the hour or file that it reads,
    /// see [`Store::while_awaited`]. It keeps its turn until then, so that a disk that does not answer
    /// does not take more and more threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        store: &Store,
        work: impl FnOnce(&Store) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = self.turn().await?;
        let work = store.while_awaited(move |store| {
            let _turn = turn;
            work(store)
        });
        timeout(MAX_WORK, work).await.unwrap_or(Err(ApiError::TookTooLong))
    }
}

/// The right to do expensive work, until it is dropped.
#[derive(Debug)]
struct Turn {
    _permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    _running: Counted,
}

/// One more in a gauge, until it is dropped.
#[derive(Debug)]
struct Counted(IntGauge);

impl Counted {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use common::io::store::Access;
    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    fn pool() -> Pool {
        Pool::new(&PoolMetrics::new(&Metrics::empty()), "test", 1, WAITING_PER_TURN)
    }

    fn counts(pool: &Pool) -> (i64, i64, u64) {
        (pool.running.get(), pool.waiting.get(), pool.refused.get())
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_what_is_given_up_leaves_it() {
        let pool = pool();
        let turn = pool.turn().await.unwrap();
        let mut waiting: Vec<_> = (0..WAITING_PER_TURN).map(|_| Box::pin(pool.turn())).collect();
        for turn in &mut waiting {
            assert!(turn.now_or_never().is_none());
        }
        assert_eq!(counts(&pool), (1, 8, 0));
        let refused = pool.turn().now_or_never().unwrap();
        assert!(matches!(refused, Err(ApiError::Busy)));
        assert_eq!(counts(&pool), (1, 8, 1));
        waiting.pop();
        let mut last = Box::pin(pool.turn());
        assert!((&mut last).now_or_never().is_none(), "there is a place again");
        drop(turn);
        assert!((&mut waiting[0]).now_or_never().is_some(), "the first one's turn has come");
        drop((waiting, last));
        assert_eq!(counts(&pool), (0, 0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn neither_waiting_nor_working_lasts_for_ever() {
        let pool = pool();
        let started = tokio::time::Instant::now();
        let endless = pool.run(std::future::pending::<Result<(), _>>());
        let behind = async {
            let refused = pool.turn().await;
            assert!(matches!(refused, Err(ApiError::Busy)));
            started.elapsed()
        };
        let (endless, behind) = tokio::join!(endless, behind);
        assert!(matches!(endless, Err(ApiError::TookTooLong)));
        assert_eq!((behind, started.elapsed()), (MAX_WAIT, MAX_WORK));
        assert_eq!(counts(&pool), (0, 0, 1));
    }

    #[tokio::test]
    async fn reading_that_is_given_up_ends_and_keeps_its_turn_until_then() {
        let pool = pool();
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Read).unwrap();
        let (begun, has_begun) = oneshot::channel();
        let (go_on, may_go_on) = oneshot::channel::<()>();
        let reading = pool.read(&store, |store| {
            begun.send(()).unwrap();
            may_go_on.blocking_recv().unwrap();
            // for ever, unless it is told to end
            while store.check_awaited().is_ok() {}
            Ok(())
        });
        tokio::select! {
            _ = reading => panic!("it ended while it was awaited"),
            begun = has_begun => begun.unwrap(),
        }
        assert_eq!(counts(&pool), (1, 0, 0), "what cannot be stopped keeps its turn");
        let mut next = Box::pin(pool.read(&store, |_| Ok(())));
        assert!((&mut next).now_or_never().is_none());
        go_on.send(()).unwrap();
        next.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn reading_that_takes_too_long_is_told_to_end() {
        let pool = pool();
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Read).unwrap();
        let (told, is_told) = oneshot::channel();
        let reading = pool.read(&store, |store| {
            while store.check_awaited().is_ok() {}
            told.send(()).unwrap();
            Ok(())
        });
        // the clock of a test stands still while something blocks
        let clock = async {
            tokio::task::yield_now().await;
            tokio::time::advance(MAX_WORK).await;
        };
        let (read, ()) = tokio::join!(reading, clock);
        assert!(matches!(read, Err(ApiError::TookTooLong)));
        is_told.await.unwrap();
    }
}
