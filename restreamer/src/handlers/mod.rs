//! One file for each kind of request.

use std::io;

use axum::body::{Body, Bytes};
use futures_util::{Stream, TryStreamExt};

pub(crate) mod cut;
pub(crate) mod extras;
pub(crate) mod listing;
pub(crate) mod metrics;
pub(crate) mod playlist;
pub(crate) mod segments;

/// A body read from disk as the client takes it. What goes wrong once it has begun can only be told by
/// breaking it off, so the log says why.
fn streamed(stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    Body::from_stream(stream.inspect_err(|error| tracing::error!("an answer broke off: {error}")))
}
