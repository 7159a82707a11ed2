//! The pool of sessions, and waiting for a database that is not there yet.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::run::RunMetrics;
use super::{DbError, Dsn, schema};
use crate::base::backoff::Backoff;
use crate::metrics::Metrics;

/// A service does little at once.
const SESSIONS: u32 = 5;
/// How long getting a session may take, a new connection included.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a database that is away is spoken of.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// What every session is set to.
///
/// The limits make the server give up before [`super::run::DEADLINE`] does, so that a statement
/// that was given up here does not go on there; the keep-alives make it notice a client whose
/// machine is gone, and with it release what that client had locked.
const SESSION: [(&str, &str); 7] = [
    ("default_transaction_isolation", "serializable"),
    ("statement_timeout", "30s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];

/// A database that the nodes share; cheap to clone.
///
/// Sessions are made when they are needed and made anew after an outage. One process makes one of
/// these, since it makes the metrics too.
#[derive(Clone, Debug)]
pub struct Database {
    pub(super) pool: PgPool,
    pub(super) metrics: RunMetrics,
    dsn: Dsn,
}

impl Database {
    /// A database that is not connected to before it is asked for something; to be called within a
    /// runtime. `application_name` is what its audit log will say.
    pub fn new(dsn: &Dsn, application_name: &str, metrics: &Metrics) -> Self {
        let options = dsn.options().application_name(application_name).options(SESSION);
        let pool = PgPoolOptions::new()
            .max_connections(SESSIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options);
        Self { pool, metrics: RunMetrics::new(metrics), dsn: dsn.clone() }
    }

    /// Waits until the database answers and has the schema, which is applied as far as this user
    /// may. Says once a minute that it waits. Returns early when `stop` is cancelled.
    ///
    /// Cancel safety: the schema is applied in one transaction, whole or not at all.
    ///
    /// # Errors
    ///
    /// When waiting does not help: the schema does not fit and must not be changed.
    pub async fn ready(&self, stop: &CancellationToken) -> Result<(), DbError> {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        let mut speak_at = Instant::now();
        loop {
            let applied = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                applied = self.reach_and_apply() => applied,
            };
            match applied {
                Ok(()) => return Ok(()),
                Err(error) if !error.is_transient() => return Err(error),
                Err(error) if Instant::now() >= speak_at => {
                    speak_at = Instant::now() + LOG_EVERY;
                    self.tell(&error);
                }
                Err(_) => {}
            }
            let delay = backoff.next_delay(&mut rand::rng());
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = sleep(delay) => {}
            }
        }
    }

    /// Says why it waits: as an error where somebody has to act.
    fn tell(&self, error: &DbError) {
        let (database, cause) = (&self.dsn, error.cause());
        if error.needs_a_person() {
            tracing::error!(%database, "cannot use the database: {cause}; correct --database");
        } else {
            tracing::warn!(
                %database,
                "cannot use the database, waits for it: {cause}; check that it runs and that \
                 --database is right"
            );
        }
    }

    async fn reach_and_apply(&self) -> Result<(), DbError> {
        // A pool that is refused tries on until its time-out and then says only that. A session of
        // our own says why, at once.
        let options = self.pool.connect_options();
        let reached = timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(&options)).await;
        let Ok(session) = reached else {
            return Err(DbError::TimedOut { name: "connect", seconds: ACQUIRE_TIMEOUT.as_secs() });
        };
        let session = session.map_err(|error| DbError::new("connect", error))?;
        // whether it says goodbye is its own affair
        let _ = session.close().await;
        schema::apply(self).await
    }

    /// Ends every session.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
