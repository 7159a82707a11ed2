//! The only way to ask the database: with a name, a deadline, and again when it conflicts.

use std::time::Duration;

use futures_util::future::BoxFuture;
use prometheus::{HistogramVec, IntCounterVec};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use super::error::Kind;
use super::{Database, DbError};
use crate::base::backoff::Backoff;
use crate::metrics::Metrics;

/// How long one try may take before its session is thrown away. The server's own limits are
/// tighter: this one is for a server, or a way to it, that does not answer at all.
pub(super) const DEADLINE: Duration = Duration::from_secs(45);
/// How often something that conflicts is tried.
const TRIES: u32 = 10;

/// What is counted about everything that is asked, by the name that it is asked under.
#[derive(Clone, Debug)]
pub(super) struct RunMetrics {
    outcomes: IntCounterVec,
    conflicts: IntCounterVec,
    latency: HistogramVec,
}

/// Whether statements stand alone or together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Statement,
    Transaction,
}

impl Database {
    /// Runs one statement that commits by itself. `work` is run again when it conflicts, at most
    /// ten times, and so must have no effect outside the database.
    ///
    /// Cancel safety: the statement may or may not have been carried out.
    ///
    /// # Errors
    ///
    /// As [`DbError`] says.
    pub async fn run<T>(
        &self,
        name: &'static str,
        work: impl for<'c> FnMut(&'c mut PgConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    ) -> Result<T, DbError> {
        self.metered(name, Unit::Statement, work).await
    }

    /// Runs several statements as one SERIALIZABLE transaction. `work` is run again when it
    /// conflicts, at most ten times, and so must have no effect outside the database. What it
    /// returns as an error rolls back.
    ///
    /// Cancel safety: all of it or nothing was carried out.
    ///
    /// # Errors
    ///
    /// As [`DbError`] says.
    pub async fn run_tx<T>(
        &self,
        name: &'static str,
        work: impl for<'c> FnMut(&'c mut PgConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    ) -> Result<T, DbError> {
        self.metered(name, Unit::Transaction, work).await
    }

    async fn metered<T>(
        &self,
        name: &'static str,
        unit: Unit,
        work: impl for<'c> FnMut(&'c mut PgConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    ) -> Result<T, DbError> {
        let started = Instant::now();
        let result = self.until_it_does_not_conflict(name, unit, work).await;
        let outcome = result.as_ref().map_or_else(DbError::outcome, |_| "done");
        self.metrics.outcomes.with_label_values(&[name, outcome]).inc();
        self.metrics.latency.with_label_values(&[name]).observe(started.elapsed().as_secs_f64());
        result
    }

    async fn until_it_does_not_conflict<T>(
        &self,
        name: &'static str,
        unit: Unit,
        mut work: impl for<'c> FnMut(&'c mut PgConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    ) -> Result<T, DbError> {
        let mut backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(200));
        let mut tries = 0;
        loop {
            tries += 1;
            let source = match self.one_try(name, unit, &mut work).await? {
                Ok(value) => return Ok(value),
                Err(source) => source,
            };
            let Kind::Conflict(kind) = Kind::of(&source) else {
                return Err(DbError::new(name, source));
            };
            self.metrics.conflicts.with_label_values(&[name, kind]).inc();
            if tries == TRIES {
                return Err(DbError::Conflicted { name, tries, source });
            }
            let delay = backoff.next_delay(&mut rand::rng());
            sleep(delay).await;
        }
    }

    /// The outer error is final, the inner one still to be sorted.
    async fn one_try<T>(
        &self,
        name: &'static str,
        unit: Unit,
        work: &mut impl for<'c> FnMut(&'c mut PgConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    ) -> Result<Result<T, sqlx::Error>, DbError> {
        let mut session = match self.pool.acquire().await {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        let tried = async {
            match unit {
                Unit::Statement => work(&mut session).await,
                Unit::Transaction => transaction(&mut session, work).await,
            }
        };
        if let Ok(result) = timeout(DEADLINE, tried).await {
            if result.as_ref().is_err_and(Kind::is_stale_plan) {
                session.close_on_drop();
            }
            return Ok(result);
        }
        // Its server may be gone without a word: given back to the pool, it would be waited for.
        drop(session.detach());
        Err(DbError::TimedOut { name, seconds: DEADLINE.as_secs() })
    }
}

async fn transaction<T>(
    session: &mut PgConnection,
    work: &mut impl for<'c> FnMut(&'c mut PgConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let mut transaction = session.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE").await?;
    match work(&mut transaction).await {
        Ok(value) => transaction.commit().await.map(|()| value),
        Err(error) => {
            // A session that cannot even roll back is found broken when it is next used.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

impl RunMetrics {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let buckets = prometheus::exponential_buckets(0.001, 2.0, 17)
            .expect("start, factor and count are positive");
        Self {
            outcomes: metrics.counter(
                "database_transactions",
                "What was asked of the database, and how it ended",
                &["name", "outcome"],
            ),
            conflicts: metrics.counter(
                "database_conflicts",
                "Tries that conflicted with another transaction",
                &["name", "kind"],
            ),
            latency: metrics.histogram(
                "database_latency",
                "Seconds from asking to the end, with waits and repetitions",
                &["name"],
                &buckets,
            ),
        }
    }
}
