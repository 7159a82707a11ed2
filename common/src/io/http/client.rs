//! The HTTP client of all services: time-outs, bounds and metrics on every request.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use prometheus::{HistogramVec, IntGaugeVec};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, StatusCode, Url};
use thiserror::Error;

use crate::metrics::Metrics;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;
/// How many different hosts get a label of their own; a playlist could name any number.
const MAX_DOMAINS: usize = 64;

/// How a client waits.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long until the headers of an answer must have come.
    pub headers_timeout: Duration,
    /// How long a body may pause between two reads.
    pub read_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { headers_timeout: Duration::from_mins(1), read_timeout: Duration::from_mins(1) }
    }
}

/// A request that did not end well.
#[derive(Debug, Error)]
pub enum Error {
    /// No answer came, or it broke off.
    #[error("{}", chain(.0))]
    Transport(#[from] reqwest::Error),
    /// The headers of the answer took longer than [`Options::headers_timeout`].
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The body is longer than the caller takes.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// The body is not the text or the JSON that it should be.
    #[error("the answer is not {expected}: {problem}")]
    Content {
        /// What it should be.
        expected: &'static str,
        /// Why it is not.
        problem: String,
    },
}

impl Error {
    /// Whether the peer was too slow, rather than gone or wrong.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            Self::Transport(error) => error.is_timeout(),
            Self::TooLong(_) | Self::Content { .. } => false,
        }
    }
}

/// An error of the transport in one line, with its causes but without the address, which may hold
/// a token.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if text.is_empty() { "the request failed".to_owned() } else { text }
}

/// An HTTP client; cheap to clone, and clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    inner: reqwest::Client,
    options: Options,
    metrics: Arc<ClientMetrics>,
}

impl Client {
    /// A client that waits as `options` say.
    ///
    /// # Panics
    ///
    /// When the TLS library cannot be set up.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes clients")]
    pub fn new(metrics: &Metrics, options: Options) -> Self {
        let inner = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(options.read_timeout)
            .redirect(Policy::limited(MAX_REDIRECTS))
            .user_agent(concat!("wubloader/", env!("CARGO_PKG_VERSION")))
            .build()
            .expect("the TLS library sets itself up from constants");
        Self { inner, options, metrics: Arc::new(ClientMetrics::new(metrics)) }
    }

    /// The same client, connections and metrics included, that waits differently for headers.
    #[must_use]
    pub fn with_headers_timeout(&self, headers_timeout: Duration) -> Self {
        let options = Options { headers_timeout, ..self.options };
        Self { options, ..self.clone() }
    }

    /// A GET request, to be completed and given to [`Client::send`].
    pub fn get(&self, url: Url) -> RequestBuilder {
        self.inner.get(url)
    }

    /// A POST request, to be completed and given to [`Client::send`].
    pub fn post(&self, url: Url) -> RequestBuilder {
        self.inner.post(url)
    }

    /// Sends a request and waits for the headers of its answer, whatever their status. `name` says
    /// in the metrics what the request is for.
    ///
    /// # Errors
    ///
    /// When no answer comes in time.
    ///
    /// Cancel safety: dropping the future gives the request up.
    pub async fn send(&self, name: &'static str, request: RequestBuilder) -> Result<Answer, Error> {
        let (client, request) = request.build_split();
        let request = request?;
        let domain = self.metrics.domain(request.url());
        let method = request.method().to_string();
        let labels = [name, &method, &domain];
        let concurrency = self.metrics.concurrency.with_label_values(&labels);
        let _running = Running::new(concurrency);
        let started = Instant::now();
        let sent =
            tokio::time::timeout(self.options.headers_timeout, client.execute(request)).await;
        let status = match &sent {
            Ok(Ok(response)) => response.status().as_u16().to_string(),
            _ => "error".to_owned(),
        };
        let labels = [name, &method, &domain, &status];
        self.metrics.latency.with_label_values(&labels).observe(started.elapsed().as_secs_f64());
        let response = sent.map_err(|_| Error::Timeout(self.options.headers_timeout))??;
        let size = self.metrics.size.with_label_values(&labels);
        Ok(Answer { response, received: 0, size })
    }
}

/// An answer whose headers have come.
#[derive(Debug)]
pub struct Answer {
    response: reqwest::Response,
    received: u64,
    size: prometheus::Histogram,
}

impl Answer {
    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The answer's headers.
    pub fn headers(&self) -> &reqwest::header::HeaderMap {
        self.response.headers()
    }

    /// Where the answer came from, after redirects.
    pub fn url(&self) -> &Url {
        self.response.url()
    }

    /// How many bytes of body the peer promised, where it did.
    pub fn content_length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next piece of the body, `None` after its end.
    ///
    /// # Errors
    ///
    /// When the body breaks off or pauses for too long.
    ///
    /// Cancel safety: nothing is lost when the future is dropped.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self.response.chunk().await?;
        self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }

    /// The whole body, if it has at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// When the body breaks off, pauses for too long or is longer.
    pub async fn bytes(mut self, limit: usize) -> Result<Bytes, Error> {
        let mut body = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len() + chunk.len() > limit {
                return Err(Error::TooLong(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// The whole body as text, if it has at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`Answer::bytes`], and when the body is not UTF-8.
    pub async fn text(self, limit: usize) -> Result<String, Error> {
        let bytes = self.bytes(limit).await?;
        String::from_utf8(bytes.into())
            .map_err(|error| Error::Content { expected: "UTF-8 text", problem: error.to_string() })
    }

    /// The whole body read as JSON, if it has at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`Answer::bytes`], and when the body is not the JSON of a `T`.
    pub async fn json<T: serde::de::DeserializeOwned>(self, limit: usize) -> Result<T, Error> {
        let bytes = self.bytes(limit).await?;
        serde_json::from_slice(&bytes).map_err(|error| Error::Content {
            expected: "the JSON asked for",
            problem: error.to_string(),
        })
    }
}

impl Drop for Answer {
    #[expect(clippy::cast_precision_loss, reason = "a size in a histogram need not be exact")]
    fn drop(&mut self) {
        self.size.observe(self.received as f64);
    }
}

/// What is measured of every request.
#[derive(Debug)]
struct ClientMetrics {
    latency: HistogramVec,
    size: HistogramVec,
    concurrency: IntGaugeVec,
    domains: Mutex<HashSet<String>>,
}

impl ClientMetrics {
    fn new(metrics: &Metrics) -> Self {
        /// Seconds, from a neighbour's cache to the longest time-out.
        const LATENCIES: [f64; 14] =
            [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0, 60.0];
        /// Bytes, from an error's text to a segment of the best quality.
        const SIZES: [f64; 9] = [1e2, 1e3, 1e4, 1e5, 3e5, 1e6, 3e6, 1e7, 1e8];
        let answered = ["name", "method", "domain", "status"];
        Self {
            latency: metrics.histogram(
                "http_client_request_latency",
                "Seconds until the headers of an answer came",
                &answered,
                &LATENCIES,
            ),
            size: metrics.histogram(
                "http_client_response_size",
                "Bytes of body that were read of an answer",
                &answered,
                &SIZES,
            ),
            concurrency: metrics.gauge(
                "http_client_request_concurrency",
                "Requests that wait for the headers of their answer",
                &["name", "method", "domain"],
            ),
            domains: Mutex::default(),
        }
    }

    /// The label for the host of `url`.
    fn domain(&self, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        let mut known = self.domains.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(host) || (known.len() < MAX_DOMAINS && known.insert(host.to_owned())) {
            host.to_owned()
        } else {
            "other".to_owned()
        }
    }
}

/// Counts a request among those under way as long as it lives.
struct Running(prometheus::IntGauge);

impl Running {
    fn new(gauge: prometheus::IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::io::http::server;

    fn serving(routes: Router) -> (Url, tokio::task::JoinSet<()>) {
        let listener = server::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(server::serve(listener, routes, CancellationToken::new()));
        (url, tasks)
    }

    #[tokio::test]
    async fn answers_are_bounded_and_measured() {
        let (url, _server) = serving(Router::new().route("/", get(async || "12345")));
        let metrics = Metrics::empty();
        let client = Client::new(&metrics, Options::default());
        let answer = client.send("test", client.get(url.clone())).await.unwrap();
        assert_eq!(answer.text(5).await.unwrap(), "12345");
        let answer = client.send("test", client.get(url)).await.unwrap();
        assert!(matches!(answer.text(4).await, Err(Error::TooLong(4))));

        let labels = "{domain=\"127.0.0.1\",method=\"GET\",name=\"test\",status=\"200\"}";
        let text = metrics.render();
        assert!(text.contains(&format!("http_client_request_latency_count{labels} 2\n")), "{text}");
        assert!(text.contains(&format!("http_client_response_size_sum{labels} 10\n")), "{text}");
    }

    #[tokio::test]
    async fn a_peer_that_is_not_there_is_an_error_without_its_address() {
        let listener = server::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}/?token=secret", listener.local_addr().unwrap());
        drop(listener);
        let metrics = Metrics::empty();
        let client = Client::new(&metrics, Options::default());
        let error = client.send("test", client.get(url.parse().unwrap())).await.unwrap_err();
        assert!(error.to_string().contains("Connection refused"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(metrics.render().contains("status=\"error\""));
    }

    #[test]
    fn hosts_beyond_the_bound_share_a_label() {
        let metrics = ClientMetrics::new(&Metrics::empty());
        for host in 0..MAX_DOMAINS {
            let url = format!("http://host{host}/").parse().unwrap();
            assert_eq!(metrics.domain(&url), format!("host{host}"));
        }
        assert_eq!(metrics.domain(&"http://one-too-many/".parse().unwrap()), "other");
        assert_eq!(metrics.domain(&"http://host0/".parse().unwrap()), "host0");
    }
}
