//! What every request and its answer get, whoever serves them: measurement and CORS.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use prometheus::{HistogramVec, IntGauge, IntGaugeVec};
use tower_http::cors::{Any, CorsLayer};

use crate::metrics::Metrics;

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

    #[tokio::test]
    async fn a_path_that_nobody_serves_is_no_label() {
        let metrics = Metrics::empty();
        let routes = instrument(Router::new().route("/files", get(async || "[]")), &metrics);
        assert_eq!(answer(&routes, "/secret-of-a-stranger").await.status(), 404);
        assert!(!metrics.render().contains("stranger"), "{}", metrics.render());
    }
}
