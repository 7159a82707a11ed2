//! One connection, from its first byte to its last.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::file::Outgoing;
use super::io_with_files::Io;
use super::limits::{BODY_PAUSE, HEADERS_WITHIN, MAX_BUFFER_BYTES, MAX_HEADER_BYTES};
use super::metrics::{ConnectionMetrics, Slow};
use super::refused;
use super::stall::Stall;
use super::transfer::Link;

/// What connections are served.
#[derive(Clone)]
pub(super) struct Served {
    routes: Router,
    metrics: ConnectionMetrics,
    stop: CancellationToken,
    http: Builder,
}

impl Served {
    pub(super) fn new(routes: Router, metrics: ConnectionMetrics, stop: CancellationToken) -> Self {
        let mut http = Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_header_size(MAX_HEADER_BYTES)
            .max_buf_size(MAX_BUFFER_BYTES);
        Self { routes, metrics, stop, http }
    }

    /// Serves `stream` until its client is done with it, it fails, or the server stops and no request
    /// is under way. A client that closes only its own direction is taken for gone: as long as it
    /// is waited for, nothing else tells that nobody wants the answer any more.
    pub(super) fn serve(&self, stream: TcpStream) -> impl Future<Output = ()> + Send + use<> {
        let Self { routes, metrics, stop, http } = self.clone();
        async move {
            let link = Arc::new(Link::default());
            let io = TokioIo::new(Io::new(&stream, Arc::clone(&link), metrics.clone()));
            let service = service_fn(|request| answer(&routes, request, &link, &metrics));
            let mut connection = pin!(http.serve_connection(io, service));
            let serving = async {
                tokio::select! {
                    biased;
                    served = &mut connection => return served,
                    () = stop.cancelled() => {}
                }
                connection.as_mut().graceful_shutdown();
                connection.await
            };
            let served = tokio::select! {
                biased;
                served = serving => served,
                () = gone(&stream) => return tracing::debug!("a client went away"),
            };
            if let Err(error) = served {
                tracing::debug!("a connection ended early: {error}");
                // one that idles is closed like this too, which is nobody's fault
                if error.is_timeout() && link.has_begun_a_request() {
                    metrics.timed_out(Slow::Headers).inc();
                }
            } else if link.has_left_a_body() {
                refused::linger(&stream).await;
            }
        }
    }
}

/// Waits until the client has closed its direction, or the connection is broken. hyper notices that
/// only while it has nothing left to read, so one byte too many after a request would hide it.
async fn gone(stream: &TcpStream) {
    // Nothing but that end makes the socket ready for priority data, which it was not opened for: what
    // the client has sent before, and nobody has read yet, does not. An error is an end as well.
    let _ = stream.ready(Interest::PRIORITY).await;
}

fn answer(
    routes: &Router,
    request: Request<Incoming>,
    link: &Arc<Link>,
    metrics: &ConnectionMetrics,
) -> impl Future<Output = Result<axum::http::Response<Outgoing>, std::convert::Infallible>> + Send + use<>
{
    let request = request.map(|body| {
        if body.is_end_stream() {
            return Body::empty();
        }
        let (link, stall) = (Arc::clone(link), Stall::new(BODY_PAUSE));
        Body::new(Awaited { body, has_ended: false, link, stall, metrics: metrics.clone() })
    });
    let answered = routes.clone().call(request);
    let link = Arc::clone(link);
    async move { Ok(Outgoing::of(answered.await?, &link)) }
}

/// The body of a request, whose client must not pause for long.
struct Awaited {
    body: Incoming,
    has_ended: bool,
    link: Arc<Link>,
    stall: Stall,
    metrics: ConnectionMetrics,
}

/// The rest of a request's body did not come.
#[derive(Debug, Error)]
#[error("the rest of the request did not come")]
struct Paused;

impl HttpBody for Awaited {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.stall.progressed();
            this.has_ended = frame.is_none() || this.body.is_end_stream();
            return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)));
        }
        ready!(this.stall.poll_waiting(context));
        this.metrics.timed_out(Slow::Body).inc();
        Poll::Ready(Some(Err(axum::Error::new(Paused))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if !self.has_ended {
            self.link.note_left_body();
        }
    }
}
