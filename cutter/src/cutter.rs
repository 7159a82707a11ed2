//! The cutter as a whole: one event after the other, until it is asked to stop.

use std::sync::Arc;
use std::time::Duration;

use common::base::backoff::{Backoff, jittered};
use common::base::time::Clock;
use common::cut::smart::Encoders;
use common::format::folder::FolderName;
use common::io::db::{Database, DbError, transition};
use common::io::ffmpeg::Ffmpeg;
use common::io::store::Store;
use common::service::{CancellationToken, Context};
use tokio::time::{Instant, sleep, timeout};

use crate::config::{Config, Locations};
use crate::job::End;
use crate::metrics::CutterMetrics;
use crate::recovery::Recovery;
use crate::waiting::{Because, Waiting};

/// How often an idle cutter looks for an event.
const POLL: Duration = Duration::from_secs(1);
/// How long a stopping cutter waits for a claim that it has asked for: given up, it could be granted
/// after everything was given back.
const CLAIM_WITHIN: Duration = Duration::from_secs(5);
/// How long a stopping cutter tries to give back what it holds.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// Cuts and publishes, one event at a time.
#[derive(Debug)]
pub struct Cutter {
    pub(crate) name: FolderName,
    pub(crate) explicit_only: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) locations: Locations,
    pub(crate) store: Store,
    pub(crate) database: Database,
    pub(crate) metrics: CutterMetrics,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) encoders: Encoders,
}

/// What is kept from one event to the next.
#[derive(Debug)]
struct State {
    waiting: Waiting,
    recovery: Recovery,
    /// Whether an event was ever asked for.
    may_hold_some: bool,
}

/// When to look for the next event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    AtOnce,
    Later,
}

impl Cutter {
    /// A cutter of this configuration. It does nothing before it is run.
    pub fn new(config: Config, database: Database, context: &Context) -> Self {
        Self {
            metrics: CutterMetrics::new(&context.metrics, config.locations.names()),
            name: config.name,
            explicit_only: config.explicit_only,
            tags: config.tags,
            locations: config.locations,
            store: config.store,
            database,
            clock: Arc::clone(&context.clock),
            // one event at a time
            encoders: Encoders::new(Ffmpeg::new(crate::FFMPEG), 1),
        }
    }

    /// Takes events and publishes their videos until `stop` is cancelled, however long the database
    /// is away meanwhile. Then an event that is being cut is given back.
    ///
    /// Cancel safety: as after a crash, the next run of a cutter of this name settles everything.
    ///
    /// # Errors
    ///
    /// When the database's schema does not fit.
    pub async fn run(&self, stop: &CancellationToken) -> Result<(), DbError> {
        let mut state = State {
            waiting: Waiting::default(),
            recovery: Recovery::at_start(Instant::now()),
            may_hold_some: false,
        };
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        while !stop.is_cancelled() {
            let pause = match self.round(&mut state, stop).await {
                Ok(Next::AtOnce) => continue,
                Ok(Next::Later) => {
                    backoff.reset();
                    jittered(POLL, &mut rand::rng())
                }
                Err(error @ DbError::SchemaDoesNotFit { .. }) => return Err(error),
                Err(error) => {
                    state.recovery.answer_was_lost(Instant::now());
                    tracing::warn!("begins again after an error: {:#}", anyhow::Error::new(error));
                    backoff.next_delay(&mut rand::rng())
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
            }
        }
        if state.may_hold_some {
            self.leave().await;
        }
        Ok(())
    }

    /// Brings one event to its end, if there is one.
    async fn round(&self, state: &mut State, stop: &CancellationToken) -> Result<Next, DbError> {
        if state.recovery.is_due(Instant::now()) {
            let left = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(Next::AtOnce),
                left = self.recover(stop) => left?,
            };
            state.recovery.done(left, Instant::now());
        }
        state.may_hold_some = true;
        let claimed = tokio::select! {
            biased;
            claimed = self.claim(&mut state.waiting) => claimed?,
            () = a_while_after(stop, CLAIM_WITHIN) => return Ok(Next::AtOnce),
        };
        let Some(job) = claimed else {
            self.metrics.found_no_candidate();
            return Ok(Next::Later);
        };
        match self.work(&job, stop).await? {
            End::Published | End::GivenUp => state.waiting.forget(&job.id),
            End::Failed => {
                state.waiting.put_off(&job.id, &job.edit, Because::Failed, Instant::now());
            }
            End::Unsettled => state.recovery.video_is_unsettled(Instant::now()),
        }
        Ok(Next::AtOnce)
    }

    /// Gives back what is still claimed, so that others can take it at once.
    async fn leave(&self) {
        let given_back = transition::give_back_all(&self.database, self.name.as_str());
        match timeout(LEAVE_WITHIN, given_back).await {
            Ok(Ok(ids)) => {
                for id in ids {
                    tracing::info!(event.id = id, "gives it back, stops");
                }
            }
            Ok(Err(error)) => tracing::warn!(
                "cannot give back what may still be claimed, the next start will: {:#}",
                anyhow::Error::new(error)
            ),
            Err(_) => tracing::warn!(
                "cannot give back what may still be claimed, the next start will: the database \
                 does not answer"
            ),
        }
    }
}

/// Returns `patience` after `stop` is cancelled.
async fn a_while_after(stop: &CancellationToken, patience: Duration) {
    stop.cancelled().await;
    sleep(patience).await;
}
