//! What the downloader measures, under the names that existing dashboards query.

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::segment::{Completeness, MediaDuration};
use common::io::store::Feed;
use common::io::store::notes::Why;
use common::metrics::Metrics;
use prometheus::{CounterVec, GaugeVec, HistogramVec, IntCounterVec};

/// A jump of the publisher's clock beyond this is suspicious.
const SUSPICIOUS_SKEW: TimeDelta = TimeDelta::milliseconds(10);
/// Bytes, from sound alone to the longest segment of the best picture.
const SIZES: [f64; 9] = [1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8];
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
        }
    }

    /// The metrics of one feed, at zero where nothing has happened.
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

    /// The publisher's dates and durations disagree; never called with zero.
    #[expect(clippy::cast_precision_loss, reason = "metrics need not be exact")]
    pub(crate) fn skewed(&self, by: TimeDelta) {
        let [channel, quality] = self.labels();
        // there is one worker to a feed
        let labels = [channel, quality, "0"];
        let seconds = by.num_microseconds().unwrap_or(0) as f64 / 1e6;
        self.all.skew_sum.with_label_values(&labels).add(seconds);
        self.all.skew_count.with_label_values(&labels).inc();
        if by.abs() > SUSPICIOUS_SKEW {
            self.all.suspicious_skews.with_label_values(&[channel, quality]).inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_counted_under_the_names_of_the_dashboards() {
        let metrics = Metrics::empty();
        let feed = Feed { channel: "c".parse().unwrap(), quality: "source".parse().unwrap() };
        let feed = DownloaderMetrics::new(&metrics).of(&feed);
        let labels = "channel=\"c\",quality=\"source\"";
        let has = |sample: &str| {
            let text = metrics.render();
            assert!(text.contains(&format!("{sample}\n")), "{sample} in {text}");
        };
        has(&format!("segments_downloaded_total{{{labels},type=\"partial\"}} 0"));
        has(&format!("ad_segments_ignored_total{{{labels}}} 0"));
        let duration = MediaDuration::from_seconds(2.5).unwrap();
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        feed.saved(Completeness::Full, at(1_800_000_010), duration, 1000);
        feed.saved(Completeness::Full, at(1_800_000_000), duration, 1000);
        feed.saved(Completeness::Partial, at(1_800_000_020), duration, 1000);
        has(&format!("segments_downloaded_total{{{labels},type=\"full\"}} 2"));
        has(&format!("segment_duration_downloaded_total{{{labels},type=\"full\"}} 5"));
        has(&format!("segment_size_sum{{{labels},type=\"partial\"}} 1000"));
        has(&format!("latest_segment{{{labels}}} 1800000010"));
        feed.skewed(TimeDelta::milliseconds(-500));
        has(&format!("segment_time_skew_non_zero_sum{{{labels},worker=\"0\"}} -0.5"));
        has(&format!("segment_time_skew_non_zero_count_total{{{labels},worker=\"0\"}} 1"));
        has(&format!("suspicious_skew_count_total{{{labels}}} 1"));
        feed.missed(Why::TimeOut);
        has(&format!("segments_missed_total{{{labels},why=\"time-out\"}} 1"));
    }
}
