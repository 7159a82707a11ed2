//! The HTTP client of all services: time-outs, bounds and metrics on every request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::{RequestBuilder, StatusCode, Url};
use thiserror::Error;

use crate::metrics::Metrics;

mod connections;
mod metrics;

use connections::Connections;
use metrics::{ClientMetrics, Running};

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
    connections: Arc<Connections>,
    /// Whether each request opens a connection of its own.
    fresh: bool,
    options: Options,
    metrics: Arc<ClientMetrics>,
}

impl Client {
    /// A client that waits as `options` say.
    ///
    /// # Panics
    ///
    /// When the TLS library cannot be set up.
    pub fn new(metrics: &Metrics, options: Options) -> Self {
        Self {
            connections: Arc::new(Connections::new(options.read_timeout)),
            fresh: false,
            options,
            metrics: Arc::new(ClientMetrics::new(metrics)),
        }
    }

    /// The same client, metrics included, whose requests each open a connection of their own and
    /// leave it to nobody: for a second try beside one whose connection may be sick.
    #[must_use]
    pub fn on_fresh_connections(&self) -> Self {
        Self { fresh: true, ..self.clone() }
    }

    /// Lets no later request use a connection that is open now; what is under way goes on. To be called
    /// when a connection was slow, since which one it was is not known here. Called again within a few
    /// seconds it does nothing: when everything is slow, opening connections must not become the load.
    pub fn leave_connections(&self) {
        self.connections.renew();
    }

    /// The same client, connections and metrics included, that waits differently for headers.
    #[must_use]
    pub fn with_headers_timeout(&self, headers_timeout: Duration) -> Self {
        let options = Options { headers_timeout, ..self.options };
        Self { options, ..self.clone() }
    }

    /// A GET request, to be completed and given to [`Client::send`].
    pub fn get(&self, url: Url) -> RequestBuilder {
        self.inner().get(url)
    }

    /// A POST request, to be completed and given to [`Client::send`].
    pub fn post(&self, url: Url) -> RequestBuilder {
        self.inner().post(url)
    }

    fn inner(&self) -> reqwest::Client {
        if self.fresh { self.connections.fresh() } else { self.connections.kept() }
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
            Ok(Ok(response)) => metrics::status(response.status()),
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

#[cfg(test)]
mod tests;
