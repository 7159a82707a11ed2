//! Work that costs much: taken on in turns, with a short queue before it, and refused beyond that.
//!
//! Anybody may ask for a waveform of hours, so what is bounded is not each request alone but all of them
//! together. A request that is given up leaves the queue, or stops its work, at once.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use common::io::ffmpeg::Ffmpeg;
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
/// Walks through folders and chats at a time: they share one disk, and each chat may take up
/// [`crate::chat::MAX_HELD_BYTES`].
const WALKS_AT_ONCE: usize = 4;

/// All the work that costs much; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Expensive {
    /// What starts ffmpeg: one on each core.
    pub(crate) pictures: Pool,
    /// Chats, and walks through the whole tree of an extra.
    pub(crate) walks: Pool,
    pub(crate) ffmpeg: Ffmpeg,
}

impl Expensive {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let metrics = PoolMetrics::new(metrics);
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            pictures: Pool::new(&metrics, "pictures", cores),
            walks: Pool::new(&metrics, "walks", WALKS_AT_ONCE),
            ffmpeg: Ffmpeg::new("ffmpeg"),
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
    fn new(metrics: &PoolMetrics, name: &str, at_once: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(at_once * (1 + WAITING_PER_TURN))),
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
    pub(crate) async fn turn(&self) -> Result<Turn, ApiError> {
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
}

/// The right to do expensive work, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
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
    use futures_util::FutureExt;

    use super::*;

    fn pool() -> Pool {
        Pool::new(&PoolMetrics::new(&Metrics::empty()), "test", 1)
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
}
