//! Records live HLS streams into the segment store.
//!
//! A `manager` per channel looks after one recorder per quality: it asks the `provider` for the
//! address of the media playlist, lets a `worker` follow it, and asks again when that ends, for
//! ever. What to fetch, to skip or to call missing is decided by the pure `planner`; the
//! `recorder` carries it out with `fetch`es. Nothing that goes wrong with one quality reaches
//! another, and nothing but a bug or a signal ends the service.

use std::sync::Arc;

use axum::Router;
use common::base::time::Clock;
use common::format::folder::FolderName;
use common::io::http::client::{self, Client};
use common::io::store::Store;
use common::service::{self, CancellationToken, Context};

pub mod config;
mod fetch;
mod known;
pub mod look;
mod manager;
mod metrics;
mod noting;
#[cfg(test)]
#[path = "../tests/origin/mod.rs"]
mod origin;
mod planner;
mod provider;
mod recorder;
mod trouble;
mod worker;

use config::{Config, TwitchConfig};
use metrics::DownloaderMetrics;

/// What all channels use.
#[derive(Debug)]
struct Shared {
    store: Store,
    client: Client,
    downloader_metrics: DownloaderMetrics,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    node: FolderName,
    twitch: TwitchConfig,
}

/// Records the channels of `config` until the service stops.
///
/// # Errors
///
/// When the address of `--listen` cannot be bound.
pub async fn run(context: Context, config: Config) -> anyhow::Result<()> {
    context.watch_store(&config.store);
    service::serve(&context, config.listen, Router::new())?;
    let shared = Arc::new(Shared {
        store: config.store,
        client: Client::new(&context.metrics, client::Options::default()),
        downloader_metrics: DownloaderMetrics::new(&context.metrics),
        clock: Arc::clone(&context.clock),
        stop: context.stop.clone(),
        node: config.node,
        twitch: config.twitch,
    });
    for channel in config.channels {
        let manager = manager::run(Arc::clone(&shared), channel, config.qualities.clone());
        context.tasks.spawn("channel", manager);
    }
    context.stop.cancelled().await;
    Ok(())
}
