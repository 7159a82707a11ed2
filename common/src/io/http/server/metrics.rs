//! What is measured of connections.

use prometheus::{IntCounterVec, IntGauge};

use super::admission::Refusal;
use crate::metrics::Metrics;

/// What a client was too slow at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slow {
    /// Sending the headers of a request that it had begun.
    Headers,
    /// Sending the body of its request.
    Body,
    /// Taking its answer.
    Answer,
}

/// What is measured of connections; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct ConnectionMetrics {
    pub(super) open: IntGauge,
    refused: IntCounterVec,
    timed_out: IntCounterVec,
}

impl ConnectionMetrics {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let refused = metrics.counter(
            "http_connections_refused",
            "Connections that were told to come back later",
            &["reason"],
        );
        let timed_out = metrics.counter(
            "http_connections_timed_out",
            "Connections closed because their client was too slow",
            &["waiting_for"],
        );
        let open = metrics.gauge("http_connections_open", "Connections that are open", &[]);
        let connections = Self { open: open.with_label_values::<&str>(&[]), refused, timed_out };
        for refusal in [Refusal::Full, Refusal::Client] {
            connections.refused(refusal).inc_by(0);
        }
        for slow in [Slow::Headers, Slow::Body, Slow::Answer] {
            connections.timed_out(slow).inc_by(0);
        }
        connections
    }

    pub(super) fn refused(&self, refusal: Refusal) -> prometheus::IntCounter {
        let reason = match refusal {
            Refusal::Full => "full",
            Refusal::Client => "client",
        };
        self.refused.with_label_values(&[reason])
    }

    pub(super) fn timed_out(&self, slow: Slow) -> prometheus::IntCounter {
        let waiting_for = match slow {
            Slow::Headers => "headers",
            Slow::Body => "body",
            Slow::Answer => "answer",
        };
        self.timed_out.with_label_values(&[waiting_for])
    }
}
