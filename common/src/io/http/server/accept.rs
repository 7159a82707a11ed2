//! Accepting connections and owning them.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::admission::{Admission, Place};
use super::connection::Served;
use super::limits::Limits;
use super::metrics::ConnectionMetrics;
use super::refused;

/// How long nothing is accepted after that failed for want of files or memory.
const PAUSE: Duration = Duration::from_secs(1);

/// Where connections come from.
pub(super) trait Incoming {
    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>>;
}

impl Incoming for TcpListener {
    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.poll_accept(context)
    }
}

/// The connections that are open.
pub(super) struct Open {
    metrics: ConnectionMetrics,
    admission: Admission,
    served: Served,
    tasks: JoinSet<()>,
    /// The place of each task.
    places: HashMap<Id, Place>,
}

impl Open {
    pub(super) fn new(
        limits: Limits,
        metrics: ConnectionMetrics,
        routes: Router,
        stop: CancellationToken,
    ) -> Self {
        Self {
            admission: Admission::new(limits),
            served: Served::new(routes, metrics.clone(), stop),
            metrics,
            tasks: JoinSet::new(),
            places: HashMap::new(),
        }
    }

    /// Accepts whatever comes until `stop` is cancelled. No failure of that ends it, and no client
    /// delays it: those that cannot be served must not keep others waiting.
    pub(super) async fn accept_from(&mut self, incoming: &impl Incoming, stop: &CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(ended) = self.tasks.join_next_with_id() => self.close(ended),
                accepted = poll_fn(|context| incoming.poll_accept(context)) => match accepted {
                    Ok((stream, address)) => self.open(stream, address),
                    Err(error) if is_of_one_connection(&error) => {
                        tracing::debug!("a connection broke off before it was accepted: {error}");
                    }
                    Err(error) => {
                        tracing::warn!("cannot accept connections for now: {error}");
                        // the connection still waits, so asking at once would fail again
                        let pause = tokio::time::sleep(PAUSE);
                        tokio::select! { () = stop.cancelled() => return, () = pause => {} }
                    }
                },
            }
        }
    }

    /// Waits until every connection has ended.
    pub(super) async fn drained(&mut self) {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.close(ended);
        }
    }

    fn open(&mut self, stream: TcpStream, address: SocketAddr) {
        match self.admission.admit(address.ip()) {
            Ok(place) => self.own(self.served.serve(stream), place),
            Err(refusal) => {
                self.metrics.refused(refusal).inc();
                match self.admission.refuse(address.ip()) {
                    Some(place) => self.own(refused::tell(stream), place),
                    None => refused::tell_at_once(&stream),
                }
            }
        }
    }

    fn own(&mut self, connection: impl Future<Output = ()> + Send + 'static, place: Place) {
        let task = self.tasks.spawn(connection);
        self.places.insert(task.id(), place);
        self.metrics.open.inc();
    }

    fn close(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!("a connection's task failed: {error}");
                error.id()
            }
        };
        if let Some(place) = self.places.remove(&id) {
            self.admission.give_back(place);
        }
        self.metrics.open.dec();
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // those that are left are broken off
        for _ in 0..self.tasks.len() {
            self.metrics.open.dec();
        }
    }
}

/// Whether `error` tells of the connection that would have been accepted, and not of this machine.
/// Linux hands on what already went wrong on the network (accept(2)).
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted,
        NetworkDown, NetworkUnreachable, TimedOut,
    };
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | Interrupted
            | NetworkDown
            | NetworkUnreachable
            | TimedOut
    )
}
