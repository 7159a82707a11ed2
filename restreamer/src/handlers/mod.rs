//! One file for each kind of request.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use futures_util::{Stream, TryStreamExt};

pub(crate) mod chat;
pub(crate) mod cut;
pub(crate) mod extras;
pub(crate) mod frame;
pub(crate) mod later;
pub(crate) mod listing;
pub(crate) mod metrics;
pub(crate) mod playlist;
pub(crate) mod segments;
pub(crate) mod waveform;

/// A body read from disk as the client takes it. What goes wrong once it has begun can only be told by
/// breaking it off, so the log says why.
fn streamed(stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    Body::from_stream(stream.inspect_err(|error| tracing::error!("an answer broke off: {error}")))
}

/// Whether the client has what this entity tag is of already (RFC 9110 §13.1.2).
pub(crate) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let mut tags =
        headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    tags.any(|tags| {
        tags.split(',').map(str::trim).any(|tag| tag == "*" || opaque(tag) == opaque(etag))
    })
}

/// An entity tag without its mark of weakness, which does not matter for a download (§8.8.3.2).
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}
