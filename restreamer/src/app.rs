//! What all requests share.

use std::sync::Arc;

use axum::body::Bytes;
use common::base::time::{Clock, TimeRange, Timestamp};
use common::format::folder::FolderName;
use common::io::store::{Feed, Store};
use common::metrics::{Metrics, Observed, Timed};
use common::service::Context;

use crate::answers::Answers;
use crate::error::ApiError;
use crate::expensive::{Expensive, Pool};
use crate::listings::Listings;
use crate::playlist::live::LivePlaylists;
use crate::playlist::media::MediaPlaylist;
use crate::playlist::span::Asked;
use crate::playlist::texts::Texts;
use crate::playlist::variants::{Looks, Multivariant};
use crate::together::Together;

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
    pub(crate) answers: Answers,
    pub(crate) together: AllTogether,
    clock: Arc<dyn Clock>,
    select_segments: Timed,
}

/// The requests of which equal ones are worked for once; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllTogether {
    pub(crate) playlists: Together<(Feed, Asked), MediaPlaylist>,
    /// By channel and query.
    pub(crate) multivariants: Together<(FolderName, String), Multivariant>,
    pub(crate) chats: Together<(FolderName, TimeRange), Vec<Bytes>>,
    pub(crate) extras: Together<Vec<FolderName>, Vec<Bytes>>,
}

impl App {
    pub(crate) fn new(context: &Context, store: Store) -> Self {
        let answers = Answers::new(&context.metrics);
        let select_segments =
            Timed::new(&context.metrics, "select_segments", &["channel", "quality"]);
        Self {
            store,
            metrics: context.metrics.clone(),
            listings: Listings::default(),
            live: Arc::new(LivePlaylists::new(&context.metrics)),
            texts: Texts::new(answers.clone()),
            looks: Looks::default(),
            expensive: Expensive::new(&context.metrics),
            answers,
            together: AllTogether::default(),
            clock: Arc::clone(&context.clock),
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
    /// When there is no such feed, as `select` fails, or as [`Pool::read`].
    ///
    /// Cancel safety: as [`Pool::read`].
    pub(crate) async fn select<T: Send + 'static>(
        &self,
        feed: Feed,
        select: impl FnOnce(&Store, &Feed) -> Result<T, ApiError> + Send + 'static,
        count: fn(&T) -> usize,
    ) -> Result<T, ApiError> {
        self.select_in(&self.expensive.selections, feed, select, count).await
    }

    /// As [`App::select`], with a turn of `pool`.
    ///
    /// # Errors
    ///
    /// As [`App::select`].
    ///
    /// Cancel safety: as [`Pool::read`].
    pub(crate) async fn select_in<T: Send + 'static>(
        &self,
        pool: &Pool,
        feed: Feed,
        select: impl FnOnce(&Store, &Feed) -> Result<T, ApiError> + Send + 'static,
        count: fn(&T) -> usize,
    ) -> Result<T, ApiError> {
        let timed = self.select_segments.clone();
        let work = move |store: &Store| {
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
                    error: selected.as_ref().err().map_or("", |error| kind(store, error)),
                    units: selected.as_ref().ok().map(|selected| as_units(count(selected))),
                },
            )
        };
        pool.read(&self.store, work).await
    }
}

/// A word for the metrics; what fails because it was given up is no failure of ours.
fn kind(store: &Store, error: &ApiError) -> &'static str {
    if store.check_awaited().is_ok() { error.kind() } else { "given_up" }
}

#[expect(clippy::cast_precision_loss, reason = "a number of segments in a metric")]
fn as_units(count: usize) -> f64 {
    count as f64
}
