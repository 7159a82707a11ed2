//! `/playlist`: HLS over any span of what is stored.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use common::base::digest::Digest;
use common::base::time::TimeRange;
use common::format::folder::FolderName;
use common::format::hls::WriteError;
use common::io::store::{Feed, Store};
use futures_util::stream;

use super::{is_known, streamed};

use crate::answers;
use crate::app::App;
use crate::error::ApiError;
use crate::playlist::media::MediaPlaylist;
use crate::playlist::span::Asked;
use crate::playlist::stretches::stretches;
use crate::playlist::text::Text;
use crate::playlist::variants::{self, Multivariant};
use crate::request::{Names, Query};
use crate::uri::escaped;

const EXTENSION: &str = ".m3u8";
/// Of a plain list of what to play, which is no HLS.
const LIST_EXTENSION: &str = ".m3u";

const HEADERS: [(header::HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "application/vnd.apple.mpegurl"), UNCACHED];
const LIST_HEADERS: [(header::HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "audio/x-mpegurl"), UNCACHED];
/// Also a complete one changes, when a segment gets a tombstone.
const UNCACHED: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");

/// `/playlist/CHANNEL.m3u8`
pub(crate) async fn multivariant(
    State(app): State<App>,
    names: Names,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let channel = names.stem(EXTENSION)?;
    let range = Asked::of(&query)?.widest();
    let range = range.ok_or_else(|| ApiError::parameter("start", "there is nothing after it"))?;
    let below = handed_down(&query)?;
    let key = (channel.clone(), below.clone());
    let together = app.together.multivariants.clone();
    let playlist = together.run(key, || look(app, channel, range, below)).await?;
    let etag = format!("W/\"{:016x}\"", playlist.digest);
    if is_known(&headers, &etag) {
        return Ok(tagged(&etag, StatusCode::NOT_MODIFIED));
    }
    Ok(tagged(&etag, answers::body(vec![playlist.text])))
}

/// Looks at the qualities of `channel` in its turn.
async fn look(
    app: App,
    channel: FolderName,
    range: TimeRange,
    below: String,
) -> Result<Multivariant, ApiError> {
    let (looks, answers) = (app.looks.clone(), app.answers.clone());
    let look = move |store: &Store| {
        if !store.base().join(channel.as_str()).is_dir() {
            return Err(ApiError::not_found(format!("nothing is stored of {channel}")));
        }
        let variants = looks.variants(store, &channel, range);
        let variants = variants.map_err(ApiError::internal("list qualities"))?;
        let written = variants::write(&channel, &variants, &below);
        let text = written.map_err(io::Error::other);
        let text = text.map_err(ApiError::internal("write a playlist"))?;
        let mut digest = Digest::default();
        digest.mix_text(&text);
        Ok(Multivariant { digest: digest.finish(), text: answers.hold(text.into_bytes())? })
    };
    app.expensive.looks.read(&app.store, look).await
}

/// `response` with the headers of every playlist.
fn tagged(etag: &str, response: impl IntoResponse) -> Response {
    (HEADERS, [(header::ETAG, etag)], response).into_response()
}

/// The query of the media playlists.
fn handed_down(query: &Query) -> Result<String, ApiError> {
    let mut text = String::new();
    for parameter in ["start", "end", "last"] {
        if let Some(value) = query.one(parameter)? {
            let separator = if text.is_empty() { '?' } else { '&' };
            text = format!("{text}{separator}{parameter}={}", escaped(value));
        }
    }
    Ok(text)
}

/// `/playlist/CHANNEL/QUALITY.m3u8` and `/playlist/CHANNEL/QUALITY.m3u`
pub(crate) async fn of_quality(
    State(app): State<App>,
    names: Names,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if names.0.last().is_some_and(|name| name.as_str().ends_with(LIST_EXTENSION)) {
        Ok(list(app, names, query).await?.into_response())
    } else {
        media(app, names, query, headers).await
    }
}

/// The media playlists that together are the one asked for, each of which any player reads to its end.
async fn list(app: App, names: Names, query: Query) -> Result<impl IntoResponse, ApiError> {
    let feed = names.video_feed(LIST_EXTENSION)?;
    // the colon that names may have would make a scheme of what is in front of it
    let quality = escaped(feed.quality.as_str()).to_string().replace(':', "%3A");
    let asked = Asked::of(&query)?;
    let playlist = selected(app.clone(), feed, asked).await?;
    // it looks at each segment, of weeks perhaps
    let stretches = app.store.blocking(move |_| stretches(&playlist, asked)).await;
    let mut text = String::from("#EXTM3U\n");
    for stretch in stretches {
        let query = stretch.to_query();
        let separator = if query.is_empty() { "" } else { "?" };
        text.extend([&quality, EXTENSION, separator, &query, "\n"]);
    }
    Ok((LIST_HEADERS, text))
}

async fn media(
    app: App,
    names: Names,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let feed = names.video_feed(EXTENSION)?;
    let asked = Asked::of(&query)?;
    let wants_update = wants_update(&query)?;
    let playlist = selected(app.clone(), feed, asked).await?;
    let skip = if wants_update { playlist.skippable() } else { 0 };
    // weak, because what is sent may be compressed in several ways
    let digest = playlist.digest();
    let etag = format!("W/\"{digest:016x}-{skip}\"");
    if is_known(&headers, &etag) {
        return Ok(tagged(&etag, StatusCode::NOT_MODIFIED));
    }
    let text = text(&app, playlist, digest, skip).await.map_err(io::Error::other);
    Ok(tagged(&etag, text.map_err(ApiError::internal("write a playlist"))?))
}

/// What a media playlist lists. Those who ask for the same share one turn, as they would only wait for
/// one another.
async fn selected(app: App, feed: Feed, asked: Asked) -> Result<MediaPlaylist, ApiError> {
    let together = app.together.playlists.clone();
    together.run((feed.clone(), asked), || select(app, feed, asked)).await
}

/// Selects what a media playlist lists in its turn.
async fn select(app: App, feed: Feed, asked: Asked) -> Result<MediaPlaylist, ApiError> {
    let (now, live) = (app.now(), Arc::clone(&app.live));
    let read = move |store: &_, feed: &_| MediaPlaylist::read(store, feed, asked, now, &live);
    // each of its segments may have to be opened
    let pool =
        if asked.is_long() { &app.expensive.long_selections } else { &app.expensive.selections };
    app.select_in(pool, feed, read, MediaPlaylist::len).await
}

/// The text of `playlist`, whose digest is given, without its first `skip` segments.
async fn text(
    app: &App,
    playlist: MediaPlaylist,
    digest: u64,
    skip: usize,
) -> Result<Body, WriteError> {
    if let Some(text) = app.texts.get(&playlist, digest, skip).await? {
        return Ok(text.into());
    }
    let pieces = Text::new(playlist, skip)?;
    let pieces = pieces.map(|piece| piece.map(Bytes::from).map_err(io::Error::other));
    Ok(streamed(stream::iter(pieces)))
}

/// Whether only what is new is asked for (RFC 8216bis §6.2.5.1).
fn wants_update(query: &Query) -> Result<bool, ApiError> {
    match query.one("_HLS_skip")? {
        None => Ok(false),
        // of date ranges, which v2 leaves out too, there are none
        Some("YES" | "v2") => Ok(true),
        Some(_) => Err(ApiError::parameter("_HLS_skip", "it must be YES or v2")),
    }
}
