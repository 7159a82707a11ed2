//! Removing what a backfiller that died left half-written.

use std::sync::Arc;
use std::time::Duration;

use common::service::Context;

use crate::shared::Shared;

/// How often; temp files are nobody's after a day.
const EVERY: Duration = Duration::from_hours(6);

/// Starts sweeping the feeds that are copied, now and then, until the service stops.
pub(crate) fn start(shared: &Arc<Shared>, context: &Context) {
    let (shared, stop) = (Arc::clone(shared), context.stop.clone());
    context.tasks.spawn("sweep", async move {
        loop {
            sweep(&shared).await;
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    });
}

async fn sweep(shared: &Shared) {
    for feed in &shared.config.feeds {
        let (of_feed, now) = (feed.clone(), shared.clock.now());
        let swept = shared.store.blocking(move |store| store.sweep_temp_files(&of_feed, now)).await;
        let (channel, quality) = (&feed.channel, &feed.quality);
        match swept {
            Ok(0) => {}
            Ok(count) => tracing::info!(%channel, %quality, count, "removed abandoned temp files"),
            Err(error) => tracing::warn!(%channel, %quality, "cannot sweep temp files: {error}"),
        }
    }
}
