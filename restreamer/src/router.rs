//! Which address is answered by what.

use axum::Router;
use axum::routing::get;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::app::App;
use crate::error::ApiError;
use crate::handlers::{cut, extras, listing, metrics, playlist, segments};

pub(crate) fn router(app: App) -> Router {
    // video is compressed already, and its bytes are asked for by their numbers
    let video = Router::new()
        .route("/segments/{*path}", get(segments::serve))
        .route("/cut/{channel}/{quality}", get(cut::cut));
    let text = Router::new()
        .route("/files", get(listing::channels))
        .route("/files/{channel}", get(listing::qualities))
        .route("/files/{channel}/{quality}", get(listing::hours))
        .route("/files/{channel}/{quality}/{hour}", get(listing::files))
        .route("/extras/{*folder}", get(extras::list))
        .route("/playlist/{channel}", get(playlist::multivariant))
        .route("/playlist/{channel}/{quality}", get(playlist::media))
        .route("/metrics/restreamer", get(metrics::render))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest));
    text.merge(video)
        .fallback(async || ApiError::not_found("there is nothing at this address"))
        .with_state(app)
}
