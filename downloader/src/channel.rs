//! One channel: its feeds, each recorded on its own, and the looks for it that they share.

use std::sync::Arc;
use std::time::Duration;

use common::base::time::Clock;
use common::format::folder::FolderName;
use common::io::http::client::Client;
use common::io::store::{Feed, Store};
use common::service::CancellationToken;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

use crate::Shared;
use crate::config::Channel;
use crate::feed::FeedRecorder;
use crate::held::{Holding, Work};
use crate::provider::{Offer, Provider, ResolveError, Rules, Seen};
use crate::recorder::joined;

/// For how long what was found holds for the channel's other qualities.
const SHARED_FOR: Duration = Duration::from_secs(2);

/// How often it is looked for what dead processes left.
const SWEPT_EVERY: Duration = Duration::from_hours(6);

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
        let means = (shared.store.clone(), shared.means.holding.clone());
        let (clock, stop) = (Arc::clone(&shared.clock), shared.stop.clone());
        let sweep = sweep_now_and_then(means, feed.clone(), clock, stop);
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

/// Removes what earlier processes left half-written, which is too fresh for that after a restart that
/// came at once, until the downloader stops.
async fn sweep_now_and_then(
    (store, holding): (Store, Holding),
    feed: Feed,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    loop {
        let (feed, now) = (feed.clone(), clock.now());
        let sweep = move |store: &Store| store.sweep_temp_files(&feed, now);
        let swept = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            swept = holding.ask_patiently(Work::Sweeps, &store, sweep) => swept,
        };
        match swept {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed what was left half-written"),
            Err(error) => tracing::warn!("cannot look for what was left half-written: {error}"),
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SWEPT_EVERY) => {}
        }
    }
}

/// Looks for a channel, for all of its qualities.
#[derive(Debug)]
pub(crate) struct Resolver {
    provider: Provider,
    client: Client,
    rules: Rules,
    // held while looking, so that qualities which look at a time wait for one look
    last: Mutex<Option<Last>>,
}

/// What the last look found, and when.
type Last = (Instant, Result<Arc<Offer>, ResolveError>);

/// What a look found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) offer: Arc<Offer>,
    /// The media playlist that it was found by, if it was; which only the one that looked gets. Such a channel has one
    /// quality, so that the others asked for one that is not there, or will load the list themselves.
    pub(crate) seen: Option<Seen>,
}

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
    pub(crate) async fn resolve(&self) -> Result<Found, ResolveError> {
        let mut last = self.last.lock().await;
        if let Some((at, found)) = &*last
            && at.elapsed() < SHARED_FOR
        {
            return found.clone().map(|offer| Found { offer, seen: None });
        }
        let mut found = self.provider.resolve(&self.client).await;
        let seen = found.as_mut().ok().and_then(Offer::take_seen);
        let found = found.map(Arc::new);
        *last = Some((Instant::now(), found.clone()));
        found.map(|offer| Found { offer, seen })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use common::base::time::SystemClock;
    use common::io::store::Access;
    use common::metrics::Metrics;
    use common::test_util::TestClock;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_crash_left_is_removed_once_it_is_a_day_old() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Write).unwrap();
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        let folder = base.path().join("chan/source/2026-11-20T10");
        std::fs::create_dir_all(&folder).unwrap();
        let left = folder.join("00:00.0-2.0-temp-92b1cf39-e94a-4c2c-9b4b-4e7b3d1a9d5e.ts");
        std::fs::write(&left, "").unwrap();
        let restarted = SystemClock.now();
        let clock = Arc::new(TestClock::at(restarted));
        let stop = CancellationToken::new();
        let mut sweeping = JoinSet::new();
        let means = (store, Holding::new(0, &Metrics::empty()));
        sweeping.spawn(sweep_now_and_then(means, feed, clock.clone(), stop.clone()));
        let began = Instant::now();
        while left.exists() {
            assert!(began.elapsed() < Duration::from_hours(36), "it stays");
            tokio::time::sleep(Duration::from_mins(1)).await;
            clock.advance(TimeDelta::minutes(1));
        }
        assert!(began.elapsed() > Duration::from_hours(24));
        stop.cancel();
        sweeping.join_next().await.unwrap().unwrap();
    }
}
