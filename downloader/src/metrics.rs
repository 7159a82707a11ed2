//! What the downloader measures, under the names that existing dashboards query.

use std::time::Duration;

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::segment::{Completeness, MediaDuration};
use common::io::store::Feed;
use common::io::store::notes::Why;
use common::metrics::Metrics;
use prometheus::{CounterVec, GaugeVec, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec};

/// A jump of the publisher's clock beyond this is suspicious.
const SUSPICIOUS_SKEW: TimeDelta = TimeDelta::milliseconds(10);
/// Bytes, from sound alone to the longest segment of the best picture.
const SIZES: [f64; 9] = [1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8];
/// Seconds, from a list that blocks until there is news to the longest fetch.
const LATENCIES: [f64; 14] =
    [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 10.0, 30.0, 60.0, 240.0];
/// Workers are numbered without end, and these are as many as a label tells apart.
const WORKER_LABELS: u32 = 10;
const ALL: [Completeness; 3] = [Completeness::Full, Completeness::Suspect, Completeness::Partial];

/// The metrics of all feeds; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct DownloaderMetrics {
    downloaded: IntCounterVec,
    duration_downloaded: CounterVec,
    size: HistogramVec,
    latest: GaugeVec,
    advertisements: IntCounterVec,
    suspicious_skews: IntCounterVec,
    skew_sum: GaugeVec,
    skew_count: IntCounterVec,
    missed: IntCounterVec,
    reloads: IntCounterVec,
    workers: IntGaugeVec,
    latency: HistogramVec,
}

/// What loading a media playlist came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reloaded {
    /// It told something new.
    News,
    /// It told what was known.
    Same,
    /// It could not be loaded.
    Failed,
}

impl Reloaded {
    const ALL: [Self; 3] = [Self::News, Self::Same, Self::Failed];

    const fn token(self) -> &'static str {
        match self {
            Self::News => "news",
            Self::Same => "same",
            Self::Failed => "failed",
        }
    }
}

impl DownloaderMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let by_type = ["type", "channel", "quality"];
        let by_feed = ["channel", "quality"];
        let by_worker = ["channel", "quality", "worker"];
        let skew = "difference between a segment's date and the end of the one before it";
        Self {
            downloaded: metrics.counter("segments_downloaded", "Segments saved", &by_type),
            duration_downloaded: metrics.float_counter(
                "segment_duration_downloaded",
                "Seconds of media in the segments saved",
                &by_type,
            ),
            size: metrics.histogram(
                "segment_size",
                "Bytes of the segments saved",
                &by_type,
                &SIZES,
            ),
            latest: metrics.float_gauge(
                "latest_segment",
                "Unix time at which the newest full segment begins",
                &by_feed,
            ),
            advertisements: metrics.counter(
                "ad_segments_ignored",
                "Segments not saved because they are advertisements",
                &by_feed,
            ),
            suspicious_skews: metrics.counter(
                "suspicious_skew_count",
                "Segments whose date jumped by more than 10 ms",
                &by_feed,
            ),
            skew_sum: metrics.float_gauge(
                "segment_time_skew_non_zero_sum",
                &format!("Seconds of {skew}, summed"),
                &by_worker,
            ),
            skew_count: metrics.counter(
                "segment_time_skew_non_zero_count",
                &format!("Segments with a {skew}"),
                &by_worker,
            ),
            missed: metrics.counter(
                "segments_missed",
                "Spans that are missing, by the reason",
                &["why", "channel", "quality"],
            ),
            reloads: metrics.counter(
                "playlist_reloads",
                "Media playlists loaded, by what came of it: news, same or failed",
                &["channel", "quality", "result"],
            ),
            workers: metrics.gauge("workers", "Media playlists followed at the moment", &by_feed),
            latency: metrics.histogram(
                "segment_latency",
                "Seconds from a segment's first listing to its publication",
                &by_feed,
                &LATENCIES,
            ),
        }
    }

    /// The metrics of one feed, at zero where nothing has happened: Prometheus sees no increase in a
    /// series that begins at one, and what is missed once would go unnoticed.
    pub(crate) fn of(&self, feed: &Feed) -> FeedMetrics {
        let labels = [feed.channel.to_string(), feed.quality.to_string()];
        let feed = FeedMetrics { all: self.clone(), labels };
        for completeness in ALL {
            feed.by_type(completeness, |labels| {
                self.downloaded.with_label_values(labels);
                self.duration_downloaded.with_label_values(labels);
            });
        }
        let labels = feed.labels();
        self.advertisements.with_label_values(&labels);
        self.suspicious_skews.with_label_values(&labels);
        // at the beginning of time, so that a feed that never recorded is as stale as can be
        self.latest.with_label_values(&labels);
        self.workers.with_label_values(&labels);
        self.latency.with_label_values(&labels);
        for result in Reloaded::ALL {
            self.reloads.with_label_values(&[labels[0], labels[1], result.token()]);
        }
        for why in Why::ALL {
            self.missed.with_label_values(&[why.token(), labels[0], labels[1]]);
        }
        feed
    }
}

/// The metrics of one feed.
#[derive(Clone, Debug)]
pub(crate) struct FeedMetrics {
    all: DownloaderMetrics,
    labels: [String; 2],
}

impl FeedMetrics {
    fn labels(&self) -> [&str; 2] {
        [&self.labels[0], &self.labels[1]]
    }

    fn by_type(&self, completeness: Completeness, record: impl FnOnce(&[&str])) {
        let [channel, quality] = self.labels();
        record(&[completeness.token(), channel, quality]);
    }

    /// A segment was saved.
    #[expect(clippy::cast_precision_loss, reason = "metrics need not be exact")]
    pub(crate) fn saved(
        &self,
        completeness: Completeness,
        start: Timestamp,
        duration: MediaDuration,
        size: u64,
    ) {
        self.by_type(completeness, |labels| {
            self.all.downloaded.with_label_values(labels).inc();
            self.all.duration_downloaded.with_label_values(labels).inc_by(duration.seconds());
            self.all.size.with_label_values(labels).observe(size as f64);
        });
        let latest = self.all.latest.with_label_values(&self.labels());
        let start = start.micros() as f64 / 1e6;
        if completeness == Completeness::Full && start > latest.get() {
            latest.set(start);
        }
    }

    /// A span is missing.
    pub(crate) fn missed(&self, why: Why) {
        let [channel, quality] = self.labels();
        self.all.missed.with_label_values(&[why.token(), channel, quality]).inc();
    }

    /// An advertisement was not saved.
    pub(crate) fn advertisement(&self) {
        self.all.advertisements.with_label_values(&self.labels()).inc();
    }

    /// The dates and durations of the `worker`-th playlist that was followed disagree; never called
    /// with zero.
    #[expect(clippy::cast_precision_loss, reason = "metrics need not be exact")]
    pub(crate) fn skewed(&self, by: TimeDelta, worker: u32) {
        let [channel, quality] = self.labels();
        let worker = (worker % WORKER_LABELS).to_string();
        let labels = [channel, quality, worker.as_str()];
        let seconds = by.num_microseconds().unwrap_or(0) as f64 / 1e6;
        self.all.skew_sum.with_label_values(&labels).add(seconds);
        self.all.skew_count.with_label_values(&labels).inc();
        if by.abs() > SUSPICIOUS_SKEW {
            self.all.suspicious_skews.with_label_values(&[channel, quality]).inc();
        }
    }

    /// A media playlist was loaded, or was not.
    pub(crate) fn reloaded(&self, result: Reloaded) {
        let [channel, quality] = self.labels();
        self.all.reloads.with_label_values(&[channel, quality, result.token()]).inc();
    }

    /// Counts a worker as long as the result lives.
    pub(crate) fn worker(&self) -> RunningWorker {
        let gauge = self.all.workers.with_label_values(&self.labels());
        gauge.inc();
        RunningWorker(gauge)
    }

    /// A segment was published so long after it was first listed.
    pub(crate) fn published_after(&self, latency: Duration) {
        self.all.latency.with_label_values(&self.labels()).observe(latency.as_secs_f64());
    }
}

/// A worker that is counted.
#[derive(Debug)]
pub(crate) struct RunningWorker(IntGauge);

impl Drop for RunningWorker {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests;
