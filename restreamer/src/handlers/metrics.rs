//! `/metrics/restreamer`: the same as `/metrics`, at an address that a proxy before several services
//! can tell apart.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use common::metrics::CONTENT_TYPE;

use crate::app::App;

pub(crate) async fn render(State(app): State<App>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], app.metrics.render())
}
