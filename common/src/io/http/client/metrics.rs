//! What is measured of every request that the client sends.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use prometheus::{HistogramVec, IntGaugeVec};
use reqwest::Url;

use crate::metrics::Metrics;

/// How many different hosts get a label of their own; a playlist could name any number.
pub(super) const MAX_DOMAINS: usize = 64;

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

    /// The label for the host of `url`.
    pub(super) fn domain(&self, url: &Url) -> String {
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
