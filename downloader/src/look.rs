//! A look at what would be recorded, without recording anything.

use anyhow::Context;
use common::io::http::client::{self, Client};
use common::metrics::Metrics;
use url::Url;

use crate::config::Config;
use crate::provider::Provider;

/// The addresses of the media playlists that would be followed now: each quality of each channel.
///
/// # Errors
///
/// Says of the first channel that cannot be recorded why not.
///
/// Cancel safety: dropping the future gives the requests up.
pub async fn media_playlists(config: &Config) -> anyhow::Result<Vec<Url>> {
    let client = Client::new(&Metrics::empty(), client::Options::default());
    let mut found = Vec::new();
    for channel in &config.channels {
        let provider = Provider::new(&channel.source, &config.providers);
        let cannot = || format!("cannot record {}", channel.name);
        let offer = provider.resolve(&client).await.with_context(cannot)?;
        for quality in &config.qualities {
            let chosen = offer.choose(quality.as_str()).with_context(cannot)?;
            found.push(chosen.url.clone());
        }
    }
    Ok(found)
}
