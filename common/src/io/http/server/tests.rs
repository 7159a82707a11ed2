//! The server as its clients see it, over real sockets.

use std::net::SocketAddr;

use axum::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Limits, Server, bind};
use crate::metrics::Metrics;

mod files;
mod limits;
mod stopping;

/// A server on a port of its own, until this is dropped.
struct Running {
    address: SocketAddr,
    metrics: Metrics,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Running {
    fn new(routes: Router) -> Self {
        Self::with_limits(routes, Limits { connections: 100, per_client: 100, refusals: 1 })
    }

    fn with_limits(routes: Router, limits: Limits) -> Self {
        let listener = bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let (metrics, stop) = (Metrics::empty(), CancellationToken::new());
        let server = Server::new(&metrics).with_limits(limits);
        let mut tasks = JoinSet::new();
        tasks.spawn(server.serve(listener, routes, stop.clone()));
        Self { address, metrics, stop, tasks }
    }

    /// A connection on which `request` was sent.
    async fn ask(&self, request: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.address).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        client
    }

    /// Everything that comes in answer to `request` until the server closes the connection.
    async fn answer(&self, request: &str) -> Vec<u8> {
        rest(&mut self.ask(request).await).await
    }

    fn shows(&self, metric: &str) -> bool {
        self.metrics.render().contains(&format!("\n{metric}\n"))
    }

    /// Waits until a metric has this value, which something that is already under way will bring.
    async fn until(&self, metric: &str) {
        while !self.shows(metric) {
            tokio::task::yield_now().await;
        }
    }
}

/// Keeps a paused clock from moving: by itself it does so whenever no task can go on, be it only for
/// as long as bytes are on their way from one socket to another.
struct Still(#[expect(dead_code, reason = "held for its end")] std::sync::mpsc::Sender<()>);

impl Still {
    fn new() -> Self {
        let (held, dropped) = std::sync::mpsc::channel();
        // tokio holds the clock while anything blocks
        tokio::task::spawn_blocking(move || dropped.recv());
        Self(held)
    }
}

async fn rest(client: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    // a connection that is broken off may end with an error, and what came before counts
    let _ = client.read_to_end(&mut rest).await;
    rest
}

/// The body of an answer, or of the last of several.
fn body(answer: &[u8]) -> &[u8] {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    &answer[end + 4..]
}

fn text(answer: &[u8]) -> &str {
    std::str::from_utf8(answer).unwrap()
}
