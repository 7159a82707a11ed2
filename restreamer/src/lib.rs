//! The restreamer: serves what is stored over HTTP, to players, editors and other nodes.
//!
//! It only reads: what is in the store is the truth. Between requests it keeps what is made again from
//! the store where that is gone, and what live playlists announced, since that must stay. Which segments
//! make up a span of time is `common`'s to say; here is how people and programs ask for it.
//! Everything in a request is hostile: names, times, ranges and their number are checked in
//! `request` before anything is read.

use axum::Router;
use common::io::store::Store;
use common::service::{self, Context};

mod answers;
mod app;
mod chat;
mod config;
mod error;
mod expensive;
mod files;
mod handlers;
mod listings;
mod media_type;
mod picture;
mod playlist;
mod recent;
mod request;
mod router;
mod sound;
#[cfg(test)]
mod tests;
mod together;
mod uri;

pub use config::{Config, Options};

/// Serves until the service stops.
///
/// # Errors
///
/// When the address cannot be bound.
pub async fn run(context: Context, config: Config) -> anyhow::Result<()> {
    context.watch_store(&config.store);
    let app = app::App::new(&context, config.store);
    if let Err(error) = app.expensive.ffmpeg.check().await {
        tracing::warn!("there will be no waveforms, no frames and no exact cuts: {error}");
    }
    service::serve(&context, config.listen, router::router(app))?;
    context.stop.cancelled().await;
    Ok(())
}

/// Everything that is served of `store`, but for what every service serves about itself.
pub fn routes(context: &Context, store: Store) -> Router {
    router::router(app::App::new(context, store))
}
