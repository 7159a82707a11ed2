//! Records live HLS streams into the segment store.
//!
//! Each quality of a `channel` is a `feed` of its own. It asks the `provider` for the address of the
//! media playlist and lets a `worker` follow it; when that fails, ages or ends, another begins beside
//! it at a fresh address, as the pure `roster` decides. What to fetch, to skip or to call missing is
//! decided by the pure `planner`; the `recorder` carries it out with `fetch`es. Nothing that goes
//! wrong with one feed reaches another, and nothing but a bug or a signal ends the service.

use std::sync::Arc;

use axum::Router;
use common::base::time::Clock;
use common::format::folder::FolderName;
use common::io::http::client::{self, Client};
use common::io::store::Store;
use common::service::{self, CancellationToken, Context};

mod allocator;
mod channel;
pub mod config;
mod disk;
mod feed;
mod fetch;
mod foreign;
mod formats;
mod held;
mod known;
pub mod look;
mod metrics;
mod noting;
#[cfg(test)]
#[path = "../tests/origin/mod.rs"]
mod origin;
mod planner;
mod provider;
mod recall;
mod recorder;
mod rhythm;
mod roster;
mod status;
#[cfg(test)]
mod testing;
mod worker;

use config::{Config, ProviderConfig};
use metrics::DownloaderMetrics;
use status::Statuses;

/// What all channels use.
#[derive(Debug)]
struct Shared {
    store: Store,
    client: Client,
    means: fetch::Means,
    downloader_metrics: DownloaderMetrics,
    statuses: Statuses,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    node: FolderName,
    providers: ProviderConfig,
}

/// Records the channels of `config` until the service stops.
///
/// # Errors
///
/// When the address of `--listen` cannot be bound.
pub async fn run(context: Context, config: Config) -> anyhow::Result<()> {
    allocator::prepare(config.channels.len() * config.qualities.len());
    context.watch_store_patiently(&config.store);
    let holding = held::Holding::new(config.max_held_bytes, &context.metrics);
    let held = holding.clone();
    context.health.tell(move || held.report());
    let statuses = Statuses::new(&context.metrics);
    let all = statuses.clone();
    context.health.tell(move || all.report());
    service::serve(&context, config.listen, Router::new())?;
    let client = Client::new(&context.metrics, client::Options::default());
    let (store, stop, stored) =
        (config.store.clone(), context.stop.clone(), disk::Stored::default());
    let disk = (store.clone(), holding.clone());
    let watch = disk::watch(disk, stored.clone(), context.metrics.clone(), stop.clone());
    context.tasks.spawn("disk", watch);
    let shared = Arc::new(Shared {
        means: fetch::Means::new(client.clone(), store, holding, stored, stop),
        store: config.store,
        client,
        downloader_metrics: DownloaderMetrics::new(&context.metrics),
        statuses,
        clock: Arc::clone(&context.clock),
        stop: context.stop.clone(),
        node: config.node,
        providers: config.providers,
    });
    for channel in config.channels {
        let recording = channel::run(Arc::clone(&shared), channel, config.qualities.clone());
        context.tasks.spawn("channel", recording);
    }
    context.stop.cancelled().await;
    Ok(())
}
