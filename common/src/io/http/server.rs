//! The server of every service: connections with bounds, metrics, an orderly end.
//!
//! Whoever connects is a stranger. What a connection may cost is bounded here, whatever is served: how
//! many there are, how long a client may keep one without sending a request or taking its answer, how
//! large a request's headers are. What an answer says is its handler's business.
//!
//! A client that cannot be served is told so (503 with Retry-After): a player tries again and another
//! node asks elsewhere, whereas a connection that nobody accepts only looks like a dead node. Nobody is
//! kept waiting for that, so no client can hold up the others: a refusal takes a second at most, and
//! when many come at once, the rest is told without making sure that it listens.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

mod accept;
mod admission;
mod connection;
mod file;
mod io_with_files;
mod limits;
mod metrics;
mod refused;
mod requests;
mod stall;
#[cfg(test)]
mod tests;
mod transfer;

pub use file::FileRange;
pub use limits::Limits;
use metrics::ConnectionMetrics;
pub use requests::instrument;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long requests under way may take after the server was told to stop: a client that reads slowly
/// must not keep a service from stopping cleanly.
pub const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// Listens on `address`, within a runtime. A port that a process of before still holds in TIME_WAIT is free.
///
/// # Errors
///
/// When the address cannot be bound.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves `routes` as [`Server`] does, unmeasured.
pub async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) {
    Server::new(&Metrics::empty()).serve(listener, routes, stop).await;
}

/// What serves connections.
#[derive(Debug)]
pub struct Server {
    limits: Limits,
    metrics: ConnectionMetrics,
}

impl Server {
    /// A server with the limits of this process, measured in `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        Self { limits: Limits::of_process(), metrics: ConnectionMetrics::new(metrics) }
    }

    /// The same server with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Serves `routes` until `stop` is cancelled; then accepts nothing more, closes what is idle and
    /// waits for the requests under way, for at most [`DRAIN_WITHIN`]. Those that take longer are
    /// broken off, which their clients notice.
    ///
    /// Cancel safety: dropped, it breaks off every connection at once.
    pub async fn serve(self, listener: TcpListener, routes: Router, stop: CancellationToken) {
        let mut open = accept::Open::new(self.limits, self.metrics, routes, stop.clone());
        open.accept_from(&listener, &stop).await;
        // whoever connects from here on learns at once that nobody listens
        drop(listener);
        if tokio::time::timeout(DRAIN_WITHIN, open.drained()).await.is_err() {
            tracing::info!("breaks off answers that are still being sent");
        }
    }
}
