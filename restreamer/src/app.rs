//! What all requests share.

use std::sync::Arc;

use common::base::time::{Clock, Timestamp};
use common::io::store::{Feed, Store};
use common::metrics::{Metrics, Observed, Timed};
use common::service::Context;
use tokio::sync::Semaphore;

use crate::error::ApiError;
use crate::expensive::Expensive;
use crate::listings::Listings;
use crate::playlist::live::LivePlaylists;
use crate::playlist::texts::Texts;
use crate::playlist::variants::Looks;

/// How many requests select segments at a time. Each may hold the listings of two weeks in memory,
/// and they share one disk.
const SELECTIONS_AT_ONCE: usize = 4;

/// What all requests share; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) metrics: Metrics,
    pub(crate) listings: Listings,
    pub(crate) live: Arc<LivePlaylists>,
    pub(crate) texts: Texts,
    pub(crate) looks: Looks,
    pub(crate) expensive: Expensive,
    clock: Arc<dyn Clock>,
    selections: Arc<Semaphore>,
    select_segments: Timed,
}

impl App {
    pub(crate) fn new(context: &Context, store: Store) -> Self {
        let select_segments =
            Timed::new(&context.metrics, "select_segments", &["channel", "quality"]);
        Self {
            store,
            metrics: context.metrics.clone(),
            listings: Listings::default(),
            live: Arc::new(LivePlaylists::new(&context.metrics)),
            texts: Texts::default(),
            looks: Looks::default(),
            expensive: Expensive::new(&context.metrics),
            clock: Arc::clone(&context.clock),
            selections: Arc::new(Semaphore::new(SELECTIONS_AT_ONCE)),
            select_segments,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs `select` on the store and `feed` where it may block, in its turn. `count` says how many
    /// segments were selected, for the metrics.
    ///
    /// # Errors
    ///
    /// When there is no such feed, or as `select` fails.
    ///
    /// Cancel safety: dropped before its turn, nothing runs; after that, `select` runs to its end
    /// and keeps its turn until then.
    pub(crate) async fn select<T: Send + 'static>(
        &self,
        feed: Feed,
        select: impl FnOnce(&Store, &Feed) -> Result<T, ApiError> + Send + 'static,
        count: fn(&T) -> usize,
    ) -> Result<T, ApiError> {
        let turn = Arc::clone(&self.selections).acquire_owned().await;
        let turn = turn.expect("the semaphore is never closed");
        let timed = self.select_segments.clone();
        let work = move |store: &Store| {
            let _turn = turn;
            if !store.feed_path(&feed).is_dir() {
                let Feed { channel, quality } = feed;
                return Err(ApiError::not_found(format!(
                    "nothing is stored of {channel}/{quality}"
                )));
            }
            // from here on the labels name folders, so a stranger cannot make up new ones
            timed.run(
                || select(store, &feed),
                |selected| Observed {
                    labels: vec![feed.channel.to_string(), feed.quality.to_string()],
                    error: selected.as_ref().err().map_or("", ApiError::kind),
                    units: selected.as_ref().ok().map(|selected| as_units(count(selected))),
                },
            )
        };
        self.store.blocking(work).await
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of segments in a metric")]
fn as_units(count: usize) -> f64 {
    count as f64
}
