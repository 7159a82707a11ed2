//! What every service serves about itself: metrics and health.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use super::Context;
use crate::io::http::server;
use crate::metrics::{self, Metrics};

/// Binds `address` and serves `routes`, `/metrics` and `/healthz` there until the service stops; to be
/// called within a runtime.
///
/// Returns the address that was bound, which tells the port where `address` left it open.
///
/// # Errors
///
/// When the address cannot be bound.
pub fn serve(context: &Context, address: SocketAddr, routes: Router) -> anyhow::Result<SocketAddr> {
    let admin = Router::new()
        .route("/metrics", get(render_metrics))
        .route("/healthz", get("ok\n"))
        .with_state(context.metrics.clone());
    let listener = server::bind(address).with_context(|| {
        format!("cannot listen on {address}; give another address with --listen")
    })?;
    let bound = listener.local_addr().context("cannot tell the port that was bound")?;
    tracing::info!("listens on http://{bound}");
    let served = server::instrument(routes.merge(admin), &context.metrics);
    let stop = context.stop.clone();
    context.tasks.spawn("http", async move {
        server::serve(listener, served, stop).await;
        Ok(())
    });
    Ok(bound)
}

async fn render_metrics(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.render())
}
