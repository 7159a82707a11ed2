//! Which address is answered by what.

use axum::Router;
use axum::routing::{get, post};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::app::App;
use crate::error::ApiError;
use crate::handlers::{
    chat, cut, extras, frame, later, listing, metrics, playlist, segments, waveform,
};

pub(crate) fn router(app: App) -> Router {
    // video and pictures are compressed already, and their bytes are asked for by their numbers
    let media = Router::new()
        .route("/segments/{*path}", get(segments::serve))
        .route("/cut/{channel}/{quality}", get(cut::cut))
        .route("/waveform/{channel}/{quality}", get(waveform::waveform))
        .route("/frame/{channel}/{quality}", get(frame::frame))
        .route("/thumbnail/{channel}/{quality}", get(later::thumbnail).post(later::own_thumbnail))
        .route("/generate_videos/{channel}/{quality}", post(later::videos));
    let text = Router::new()
        .route("/files", get(listing::channels))
        .route("/files/{channel}", get(listing::qualities))
        .route("/files/{channel}/{quality}", get(listing::hours))
        .route("/files/{channel}/{quality}/{hour}", get(listing::files))
        .route("/extras/{*folder}", get(extras::list))
        .route("/playlist/{channel}", get(playlist::multivariant))
        .route("/playlist/{channel}/{quality}", get(playlist::of_quality))
        .route("/{channel}/chat.json", get(chat::messages))
        .route("/metrics/restreamer", get(metrics::render))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest));
    text.merge(media)
        .fallback(async || ApiError::not_found("there is nothing at this address"))
        .method_not_allowed_fallback(async || ApiError::Method)
        .with_state(app)
}
