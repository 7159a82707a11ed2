//! Which address is answered by what.

use axum::Router;
use axum::routing::get;

use crate::app::App;
use crate::error::ApiError;
use crate::handlers::{cut, extras, listing, metrics, playlist, segments};

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/files", get(listing::channels))
        .route("/files/{channel}", get(listing::qualities))
        .route("/files/{channel}/{quality}", get(listing::hours))
        .route("/files/{channel}/{quality}/{hour}", get(listing::files))
        .route("/extras/{*folder}", get(extras::list))
        .route("/segments/{*path}", get(segments::serve))
        .route("/playlist/{channel}", get(playlist::multivariant))
        .route("/playlist/{channel}/{quality}", get(playlist::media))
        .route("/cut/{channel}/{quality}", get(cut::cut))
        .route("/metrics/restreamer", get(metrics::render))
        .fallback(async || ApiError::not_found("there is nothing at this address"))
        .with_state(app)
}
