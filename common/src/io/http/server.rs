//! The frame of an HTTP server: binding, metrics, CORS, an orderly end.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::serve::ListenerExt;
use http_body::{Frame, SizeHint};
use prometheus::{HistogramVec, IntGauge, IntGaugeVec};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tower_http::cors::{Any, CorsLayer};

use crate::metrics::Metrics;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

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

/// How long requests under way may take after the server was told to stop: a client that reads slowly
/// must not keep a service from stopping cleanly.
pub const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// Serves `routes` until `stop` is cancelled; then accepts nothing more and waits for the requests
/// under way, for at most [`DRAIN_WITHIN`]. Those that take longer break off when their runtime ends,
/// which their clients notice.
pub async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) {
    // small answers on a kept-alive connection would otherwise wait for the peer's delayed ACK
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!("cannot set TCP_NODELAY: {error}");
        }
    });
    let graceful = stop.clone().cancelled_owned();
    let served = axum::serve(listener, routes).with_graceful_shutdown(graceful);
    let drained = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN_WITHIN).await;
    };
    tokio::select! {
        served = served.into_future() => {
            if let Err(error) = served {
                tracing::error!("the HTTP server ended: {error}");
            }
        }
        () = drained => tracing::info!("breaks off answers that are still being sent"),
    }
}

/// `routes` with metrics of every request and permissive CORS for GET, HEAD and POST.
pub fn instrument(routes: Router, metrics: &Metrics) -> Router {
    let requests = Arc::new(RequestMetrics::new(metrics));
    let measure = move |request: Request, next: Next| {
        let requests = Arc::clone(&requests);
        async move { requests.measure(request, next).await }
    };
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers(Any)
        .expose_headers([header::CONTENT_RANGE, header::CONTENT_LENGTH, header::ETAG]);
    routes.layer(middleware::from_fn(measure)).layer(cors)
}

/// What is measured of every request.
#[derive(Debug)]
struct RequestMetrics {
    latency: HistogramVec,
    concurrency: IntGaugeVec,
}

impl RequestMetrics {
    fn new(metrics: &Metrics) -> Self {
        /// Seconds, from a cached listing to a cut of hours.
        const BUCKETS: [f64; 17] = [
            0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
            180.0, 600.0,
        ];
        Self {
            latency: metrics.histogram(
                "http_request_latency_all",
                "Seconds until the last byte of an answer was handed to the network",
                &["endpoint", "method", "status"],
                &BUCKETS,
            ),
            concurrency: metrics.gauge(
                "http_request_concurrency_all",
                "Requests under way",
                &["endpoint", "method"],
            ),
        }
    }

    async fn measure(&self, request: Request, next: Next) -> Response {
        let endpoint = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let endpoint = endpoint.unwrap_or("unknown").to_owned();
        let method = method_label(request.method());
        let mut under_way = UnderWay {
            concurrency: self.concurrency.with_label_values(&[&endpoint, method]),
            latency: self.latency.clone(),
            started: Instant::now(),
            labels: (endpoint, method, "dropped".to_owned()),
        };
        under_way.concurrency.inc();
        let response = next.run(request).await;
        under_way.labels.2 = response.status().as_u16().to_string();
        response.map(|body| Body::new(MeasuredBody { body, _under_way: under_way }))
    }
}

/// A method by name; one that nobody uses could be anything, so it is not a label.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// A request from its arrival until its answer was sent or given up.
#[derive(Debug)]
struct UnderWay {
    concurrency: IntGauge,
    latency: HistogramVec,
    started: Instant,
    labels: (String, &'static str, String),
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let (endpoint, method, status) = &self.labels;
        let latency =
            self.latency.with_label_values(&[endpoint.as_str(), *method, status.as_str()]);
        latency.observe(self.started.elapsed().as_secs_f64());
        self.concurrency.dec();
    }
}

/// An answer's body that ends its request's measurement when it is dropped.
struct MeasuredBody {
    body: Body,
    _under_way: UnderWay,
}

impl HttpBody for MeasuredBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::AsyncWriteExt;
    use tower::ServiceExt;

    use super::*;

    async fn answer(routes: &Router, path: &str) -> Response {
        let request = Request::builder().uri(path).header("origin", "http://elsewhere");
        routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn requests_are_measured_by_route_until_their_body_is_gone() {
        let metrics = Metrics::empty();
        let routes = Router::new().route("/files/{channel}", get(async || "[]"));
        let routes = instrument(routes, &metrics);
        let response = answer(&routes, "/files/chan").await;
        assert_eq!(response.headers()["access-control-allow-origin"], "*");

        let running = "http_request_concurrency_all{endpoint=\"/files/{channel}\",method=\"GET\"}";
        let count = "http_request_latency_all_count{endpoint=\"/files/{channel}\",method=\"GET\",status=\"200\"}";
        assert!(metrics.render().contains(&format!("{running} 1\n")), "{}", metrics.render());
        drop(response);
        let text = metrics.render();
        assert!(
            text.contains(&format!("{running} 0\n")) && text.contains(&format!("{count} 1\n")),
            "{text}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_long_does_not_keep_the_server() {
        let (arrived, mut arrivals) = tokio::sync::mpsc::channel(1);
        let handler = async move || {
            arrived.send(()).await.unwrap();
            std::future::pending::<()>().await;
        };
        let listener = bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(serve(listener, Router::new().route("/", get(handler)), stop.clone()));
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
        arrivals.recv().await.unwrap();
        let stopped = tokio::time::Instant::now();
        stop.cancel();
        tasks.join_next().await.unwrap().unwrap();
        assert_eq!(stopped.elapsed(), DRAIN_WITHIN);
    }

    #[tokio::test]
    async fn a_path_that_nobody_serves_is_no_label() {
        let metrics = Metrics::empty();
        let routes = instrument(Router::new().route("/files", get(async || "[]")), &metrics);
        assert_eq!(answer(&routes, "/secret-of-a-stranger").await.status(), 404);
        assert!(!metrics.render().contains("stranger"), "{}", metrics.render());
    }
}
