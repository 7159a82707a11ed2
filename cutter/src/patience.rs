//! Asking the database again until it answers.
//!
//! For the steps that must not be given up because of an outage: a video is sent, or even
//! published, and the row has to say so.

use std::time::Duration;

use common::base::backoff::Backoff;
use common::io::db::event::{self, Event};
use common::io::db::{Database, DbError, Transition};
use common::service::CancellationToken;
use tokio::time::sleep;

/// Carries a transition out however long the database is away, until `stop` is cancelled.
///
/// A request whose answer was lost may have been carried out, and then the next one is
/// [`Transition::Lost`]; so the row is looked at, and what `is_ours` recognises counts as done.
///
/// Cancel safety: the transition may or may not have been carried out.
///
/// # Errors
///
/// When the database refuses, or is still away when the service stops.
pub(crate) async fn patiently(
    database: &Database,
    id: &str,
    stop: &CancellationToken,
    transition: impl AsyncFn() -> Result<Transition, DbError>,
    is_ours: impl Fn(&Event) -> bool,
) -> Result<Transition, DbError> {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    let mut answer_was_lost = false;
    loop {
        let mut outcome = transition().await;
        if answer_was_lost && matches!(outcome, Ok(Transition::Lost)) {
            let row = event::get(database, id).await;
            outcome = row.map(|row| match row {
                Some(row) if is_ours(&row) => Transition::Done,
                _ => Transition::Lost,
            });
        }
        let error = match outcome {
            Err(error) if error.is_transient() && !stop.is_cancelled() => error,
            other => return other,
        };
        answer_was_lost |= error.outcome_is_unknown();
        tracing::warn!(event.id = id, "asks the database again: {:#}", anyhow::Error::new(error));
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = sleep(backoff.next_delay(&mut rand::rng())) => {}
        }
    }
}
