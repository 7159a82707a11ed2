//! What every service serves about itself: metrics and health.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use super::{Context, Health};
use crate::io::http::server::{self, Server};
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
        .with_state(context.metrics.clone())
        .route("/healthz", get(tell_health).with_state(context.health.clone()));
    let listener = server::bind(address).with_context(|| {
        format!("cannot listen on {address}; give another address with --listen")
    })?;
    let bound = listener.local_addr().context("cannot tell the port that was bound")?;
    tracing::info!("listens on http://{bound}");
    let served = server::instrument(routes.merge(admin), &context.metrics);
    let (http, stop) = (Server::new(&context.metrics), context.stop.clone());
    context.tasks.spawn("http", async move {
        http.serve(listener, served, stop).await;
        Ok(())
    });
    Ok(bound)
}

async fn tell_health(State(health): State<Health>) -> (StatusCode, String) {
    let answer = health.answer().await;
    let status = if answer.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, answer.text)
}

async fn render_metrics(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.render())
}
