//! What tests of whole feeds begin with.

use std::sync::Arc;

use common::base::time::SystemClock;
use common::io::http::client::{Client, Options};
use common::io::store::Store;
use common::metrics::Metrics;
use common::service::CancellationToken;
use tempfile::TempDir;

use crate::Shared;
use crate::config::{ProviderConfig, TwitchConfig};
use crate::disk::Stored;
use crate::fetch::Means;
use crate::held::Holding;
use crate::metrics::DownloaderMetrics;
use crate::status::Statuses;

/// A folder in memory, for tests of which the clock goes on by itself or not at all: a disk that is busy with
/// something else would take its time by another.
pub(crate) fn folder_in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").expect("a file system in memory is mounted at /dev/shm")
}

/// What all channels use, above `store`.
pub(crate) fn shared(store: Store) -> Shared {
    let metrics = Metrics::empty();
    let client = Client::new(&metrics, Options::default());
    let stop = CancellationToken::new();
    let holding = Holding::new(1 << 20, &metrics);
    let nowhere: url::Url = "http://127.0.0.1/".parse().unwrap();
    let twitch = TwitchConfig {
        token_url: nowhere.clone(),
        playlist_url: nowhere,
        client_id: String::new(),
        auth_file: None,
    };
    Shared {
        means: Means::new(client.clone(), store.clone(), holding, Stored::default(), stop.clone()),
        store,
        client,
        downloader_metrics: DownloaderMetrics::new(&metrics),
        statuses: Statuses::new(&metrics),
        clock: Arc::new(SystemClock),
        stop,
        node: "node".parse().unwrap(),
        providers: ProviderConfig { twitch, yt_dlp: "yt-dlp".into() },
    }
}
