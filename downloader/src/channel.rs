//! One channel: its feeds, each recorded on its own, and the looks for it that they share.

use std::sync::Arc;
use std::time::Duration;

use common::format::folder::FolderName;
use common::io::http::client::Client;
use common::io::store::Feed;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

use crate::Shared;
use crate::config::Channel;
use crate::feed::FeedRecorder;
use crate::provider::{Offer, Provider, ResolveError, Rules};
use crate::recorder::joined;

/// For how long what was found holds for the channel's other qualities.
const SHARED_FOR: Duration = Duration::from_secs(2);

/// Records all qualities of `channel` until the downloader stops.
///
/// # Errors
///
/// Never: trouble with a channel is logged and met with patience.
///
/// # Panics
///
/// When a part of it does.
pub(crate) async fn run(
    shared: Arc<Shared>,
    channel: Channel,
    qualities: Vec<FolderName>,
) -> anyhow::Result<()> {
    let provider = Provider::new(&channel.source, &shared.providers);
    let resolver = Arc::new(Resolver::new(provider, shared.client.clone(), qualities.len()));
    let mut tasks = JoinSet::new();
    for (rank, quality) in qualities.into_iter().enumerate() {
        let span = tracing::info_span!("record", channel = %channel.name, %quality);
        let feed = Feed { channel: channel.name.clone(), quality };
        let sweep = sweep(Arc::clone(&shared), feed.clone());
        tasks.spawn(sweep.instrument(span.clone()));
        let (shared, resolver) = (Arc::clone(&shared), Arc::clone(&resolver));
        let record = async move {
            let recorder =
                FeedRecorder::open(&shared, &resolver, feed, rank, channel.important).await;
            recorder.run().await;
        };
        tasks.spawn(record.instrument(span));
    }
    while let Some(ended) = tasks.join_next().await {
        joined(ended);
    }
    Ok(())
}

/// Removes what earlier processes left half-written.
async fn sweep(shared: Arc<Shared>, feed: Feed) {
    let now = shared.clock.now();
    match shared.store.blocking(move |store| store.sweep_temp_files(&feed, now)).await {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "removed what was left half-written"),
        Err(error) => tracing::warn!("cannot look for what was left half-written: {error}"),
    }
}

/// Looks for a channel, for all of its qualities.
#[derive(Debug)]
pub(crate) struct Resolver {
    provider: Provider,
    client: Client,
    rules: Rules,
    // held while looking, so that qualities which look at a time wait for one look
    last: Mutex<Option<(Instant, Found)>>,
}

type Found = Result<Arc<Offer>, ResolveError>;

impl Resolver {
    fn new(provider: Provider, client: Client, qualities: usize) -> Self {
        let rules = provider.rules().shared_by(qualities);
        Self { provider, client, rules, last: Mutex::default() }
    }

    /// How each quality of the channel is to be dealt with.
    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    /// What the channel offers now, or offered a moment ago.
    ///
    /// # Errors
    ///
    /// Says which state was met instead.
    ///
    /// Cancel safety: dropping the future gives the requests up.
    pub(crate) async fn resolve(&self) -> Found {
        let mut last = self.last.lock().await;
        if let Some((at, found)) = &*last
            && at.elapsed() < SHARED_FOR
        {
            return found.clone();
        }
        let found = self.provider.resolve(&self.client).await.map(Arc::new);
        *last = Some((Instant::now(), found.clone()));
        found
    }
}
