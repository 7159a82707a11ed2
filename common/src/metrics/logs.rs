//! Counting log records, so that errors are seen on a dashboard before anyone reads a log.

use prometheus::IntCounterVec;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::Metrics;

/// A tracing layer that counts each record in `log_count` by level, module and function, where the
/// function is the innermost span.
#[derive(Debug)]
pub struct CountLogs {
    records: IntCounterVec,
}

impl CountLogs {
    /// The layer; it counts what its filter lets through.
    ///
    /// Which modules and functions will log is not known before they do, and Prometheus sees no increase
    /// in a series that begins at one. So each level has one at zero with neither, and what adds up all
    /// modules and functions sees the first record, too.
    pub fn new(metrics: &Metrics) -> Self {
        let labels = ["level", "module", "function"];
        let records = metrics.counter("log_count", "Log records", &labels);
        for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
            records.with_label_values(&[self::level(level), "", ""]);
        }
        Self { records }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for CountLogs {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let module = metadata.module_path().unwrap_or_else(|| metadata.target());
        let function = context.event_span(event).map_or("", |span| span.metadata().name());
        self.records.with_label_values(&[level(*metadata.level()), module, function]).inc();
    }
}

/// A level by the name that existing dashboards ask for.
fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn each_level_is_at_zero_before_anything_is_logged() {
        let metrics = Metrics::empty();
        let _layer = CountLogs::new(&metrics);
        let text = metrics.render();
        for level in ["ERROR", "WARNING", "INFO", "DEBUG", "TRACE"] {
            let line =
                format!("\nlog_count_total{{function=\"\",level=\"{level}\",module=\"\"}} 0\n");
            assert!(text.contains(&line), "{level} in {text}");
        }
    }

    #[test]
    fn records_are_counted_by_level_module_and_span() {
        let metrics = Metrics::empty();
        let subscriber = tracing_subscriber::registry().with(CountLogs::new(&metrics));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!("outside");
            tracing::info_span!("fetch").in_scope(|| {
                tracing::error!("inside");
                tracing::error!("inside again");
            });
        });
        let text = metrics.render();
        let line = |function: &str, level: &str, count: u32| {
            let module = module_path!();
            format!(
                "log_count_total{{function=\"{function}\",level=\"{level}\",module=\"{module}\"}} {count}\n"
            )
        };
        assert!(text.contains(&line("", "WARNING", 1)), "{text}");
        assert!(text.contains(&line("fetch", "ERROR", 2)), "{text}");
    }
}
