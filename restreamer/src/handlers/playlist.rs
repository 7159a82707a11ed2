//! `/playlist`: HLS over any span of what is stored.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use futures_util::stream;

use crate::app::App;
use crate::error::ApiError;
use crate::playlist::media::MediaPlaylist;
use crate::playlist::span::Asked;
use crate::playlist::variants;
use crate::request::{Names, Query};
use crate::uri::escaped;

const EXTENSION: &str = ".m3u8";

const HEADERS: [(header::HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "application/vnd.apple.mpegurl"),
    // also a complete one changes, when a segment gets a tombstone
    (header::CACHE_CONTROL, "no-cache"),
];

/// `/playlist/CHANNEL.m3u8`
pub(crate) async fn multivariant(
    State(app): State<App>,
    names: Names,
    query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let channel = names.stem(EXTENSION)?;
    let range = Asked::of(&query)?.widest();
    let range = range.ok_or_else(|| ApiError::parameter("start", "there is nothing after it"))?;
    let below = handed_down(&query)?;
    let playlist = app.store.blocking(move |store| {
        if !store.base().join(channel.as_str()).is_dir() {
            return Err(ApiError::not_found(format!("nothing is stored of {channel}")));
        }
        let variants = variants::variants(store, &channel, range);
        let variants = variants.map_err(ApiError::internal("list qualities"))?;
        let written = variants::write(&channel, &variants, &below);
        written.map_err(std::io::Error::other).map_err(ApiError::internal("write a playlist"))
    });
    Ok((HEADERS, playlist.await?))
}

/// The query of the media playlists.
fn handed_down(query: &Query) -> Result<String, ApiError> {
    let mut text = String::new();
    for parameter in ["start", "end"] {
        if let Some(value) = query.one(parameter)? {
            let separator = if text.is_empty() { '?' } else { '&' };
            text = format!("{text}{separator}{parameter}={}", escaped(value));
        }
    }
    Ok(text)
}

/// `/playlist/CHANNEL/QUALITY.m3u8`
pub(crate) async fn media(
    State(app): State<App>,
    names: Names,
    query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let feed = names.video_feed(EXTENSION)?;
    let asked = Asked::of(&query)?;
    let now = app.now();
    let read = move |store: &_, feed: &_| MediaPlaylist::read(store, feed, asked, now);
    let playlist = app.select(feed.clone(), read, MediaPlaylist::len).await?;
    Ok((HEADERS, Body::from_stream(stream::iter(playlist.pieces(&feed)))))
}
