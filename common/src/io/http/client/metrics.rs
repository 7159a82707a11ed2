//! What is measured of every request that the client sends.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use prometheus::{HistogramVec, IntGaugeVec};
use reqwest::{StatusCode, Url};

use crate::metrics::Metrics;

/// How many different hosts get a label of their own; a playlist could name any number.
pub(super) const MAX_DOMAINS: usize = 64;

/// The longest name that a host can have, in bytes: RFC 1035 §3.1 allows 255 with a length before each
/// part and an empty one at the end. An address may hold a longer one, though nothing answers there.
pub(super) const MAX_DOMAIN_BYTES: usize = 253;

/// What is measured of every request.
#[derive(Debug)]
pub(super) struct ClientMetrics {
    pub(super) latency: HistogramVec,
    pub(super) size: HistogramVec,
    pub(super) concurrency: IntGaugeVec,
    domains: Mutex<HashSet<String>>,
}

impl ClientMetrics {
    pub(super) fn new(metrics: &Metrics) -> Self {
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

    /// The label for the host of `url`: one of [`MAX_DOMAINS`] names that a host can have, or «other».
    pub(super) fn domain(&self, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        let mut known = self.domains.lock().unwrap_or_else(PoisonError::into_inner);
        if host.len() > MAX_DOMAIN_BYTES {
            "other".to_owned()
        } else if known.contains(host)
            || (known.len() < MAX_DOMAINS && known.insert(host.to_owned()))
        {
            host.to_owned()
        } else {
            "other".to_owned()
        }
    }
}

/// The label for the status of an answer. A server may answer with any number from 100 to 999: those that
/// are registered stand for themselves, the others for their class (RFC 9110 §15), if they have one.
pub(super) fn status(status: StatusCode) -> String {
    let class = status.as_u16() / 100;
    match status.canonical_reason() {
        Some(_) => status.as_u16().to_string(),
        None if class <= 5 => format!("{class}xx"),
        None => "other".to_owned(),
    }
}

/// Counts a request among those under way as long as it lives.
pub(super) struct Running(prometheus::IntGauge);

impl Running {
    pub(super) fn new(gauge: prometheus::IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}
