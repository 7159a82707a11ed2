//! Layer 2: the metrics of a process, as Prometheus text.
//!
//! One [`Metrics`] is made at the start and passed down; nothing here is global. Each component
//! builds a struct of its metrics once and keeps it. Labels stay bounded: no address with a query, no
//! event id, nothing that a stranger can choose freely.

use std::sync::Arc;

use prometheus::core::Collector;
use prometheus::{
    Encoder, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

mod logs;
mod process;
mod timed;

pub use logs::CountLogs;
pub use timed::{Observed, Timed};

/// The `Content-Type` of [`Metrics::render`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// The registry of a process; cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
}

impl Metrics {
    /// A registry with the metrics that every service has: the process's own and `build_info`.
    pub fn new() -> Self {
        let metrics = Self::empty();
        metrics.register(process::ProcessUsage::new());
        let build = metrics.gauge("build_info", "What is running", &["version", "revision"]);
        let revision = option_env!("WUBLOADER_REVISION").unwrap_or("unknown");
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), revision]).set(1);
        metrics
    }

    /// A registry without any metric, for tests.
    pub fn empty() -> Self {
        Self { registry: Arc::new(Registry::new()) }
    }

    /// A counter by `labels`. `name` has no `_total`: that is added on the wire.
    pub fn counter(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        let options = Opts::new(format!("{name}_total"), help);
        self.registered(IntCounterVec::new(options, labels))
    }

    /// A counter of a quantity that is not whole, such as seconds, by `labels`.
    pub fn float_counter(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::CounterVec {
        let options = Opts::new(format!("{name}_total"), help);
        self.registered(prometheus::CounterVec::new(options, labels))
    }

    /// A whole number that goes up and down, by `labels`.
    pub fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.registered(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    /// A number that goes up and down, by `labels`.
    pub fn float_gauge(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.registered(GaugeVec::new(Opts::new(name, help), labels))
    }

    /// A distribution by `labels`, counted in `buckets`.
    pub fn histogram(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> HistogramVec {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.registered(HistogramVec::new(options, labels))
    }

    /// Shows `collector`, which whoever made it goes on counting with.
    pub fn adopt(&self, collector: impl Collector + 'static) {
        self.register(collector);
    }

    /// All metrics as Prometheus text.
    pub fn render(&self) -> String {
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut text)
            .expect("writing to memory does not fail");
        String::from_utf8(text).expect("the text format is UTF-8")
    }

    fn registered<C: Collector + Clone + 'static>(&self, collector: prometheus::Result<C>) -> C {
        let collector = collector.expect("names and labels are constants of the right form");
        self.register(collector.clone());
        collector
    }

    fn register(&self, collector: impl Collector + 'static) {
        self.registry.register(Box::new(collector)).expect("each metric is made once");
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_get_their_ending_on_the_wire() {
        let metrics = Metrics::empty();
        metrics.counter("things", "Things", &["kind"]).with_label_values(&["odd"]).inc_by(3);
        assert!(
            metrics.render().contains("\nthings_total{kind=\"odd\"} 3\n"),
            "{}",
            metrics.render()
        );
    }

    #[test]
    fn every_process_tells_about_itself() {
        let text = Metrics::new().render();
        for name in [
            "process_cpu_seconds_total",
            "process_open_fds",
            "process_resident_memory_bytes",
            "process_start_time_seconds",
            "build_info{",
        ] {
            assert!(text.contains(&format!("\n{name}")), "{name} in {text}");
        }
    }
}
