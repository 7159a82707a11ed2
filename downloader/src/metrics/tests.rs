use super::*;

const LABELS: &str = "channel=\"c\",quality=\"source\"";

/// The metrics of one feed, and all metrics.
fn feed() -> (Metrics, FeedMetrics) {
    let metrics = Metrics::empty();
    let feed = Feed { channel: "c".parse().unwrap(), quality: "source".parse().unwrap() };
    let feed = DownloaderMetrics::new(&metrics).of(&feed);
    (metrics, feed)
}

fn has(metrics: &Metrics, sample: &str) {
    let text = metrics.render();
    assert!(text.contains(&format!("{sample}\n")), "{sample} in {text}");
}

#[test]
fn a_feed_is_counted_under_the_names_of_the_dashboards() {
    let (metrics, feed) = feed();
    let has = |sample: &str| has(&metrics, sample);
    has(&format!("segments_downloaded_total{{{LABELS},type=\"partial\"}} 0"));
    has(&format!("ad_segments_ignored_total{{{LABELS}}} 0"));
    let duration = MediaDuration::from_seconds(2.5).unwrap();
    let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
    feed.saved(Completeness::Full, at(1_800_000_010), duration, 1000);
    feed.saved(Completeness::Full, at(1_800_000_000), duration, 1000);
    feed.saved(Completeness::Partial, at(1_800_000_020), duration, 1000);
    has(&format!("segments_downloaded_total{{{LABELS},type=\"full\"}} 2"));
    has(&format!("segment_duration_downloaded_total{{{LABELS},type=\"full\"}} 5"));
    has(&format!("segment_size_sum{{{LABELS},type=\"partial\"}} 1000"));
    has(&format!("latest_segment{{{LABELS}}} 1800000010"));
    feed.skewed(TimeDelta::milliseconds(-500), 20);
    feed.skewed(TimeDelta::milliseconds(1), 39);
    has(&format!("segment_time_skew_non_zero_sum{{{LABELS},worker=\"0\"}} -0.5"));
    has(&format!("segment_time_skew_non_zero_count_total{{{LABELS},worker=\"0\"}} 1"));
    has(&format!("segment_time_skew_non_zero_count_total{{{LABELS},worker=\"9\"}} 1"));
    has(&format!("suspicious_skew_count_total{{{LABELS}}} 1"));
    feed.advertisement();
    has(&format!("ad_segments_ignored_total{{{LABELS}}} 1"));
    feed.missed(Why::TimeOut);
    has(&format!("segments_missed_total{{{LABELS},why=\"time-out\"}} 1"));
}

/// `why` and all after it. There is no wildcard, so that a new one has to be entered here.
fn and_those_after(why: Why) -> Vec<Why> {
    let next = match why {
        Why::Expired => Some(Why::Refused),
        Why::Refused => Some(Why::Advertisement),
        Why::Advertisement => Some(Why::TimeOut),
        Why::TimeOut => Some(Why::Truncated),
        Why::Truncated => Some(Why::Damaged),
        Why::Damaged => Some(Why::Gap),
        Why::Gap => Some(Why::SequenceJump),
        Why::SequenceJump => Some(Why::DiskFull),
        Why::DiskFull => Some(Why::Stopped),
        Why::Stopped => Some(Why::Offline),
        Why::Offline => None,
    };
    let mut all = vec![why];
    all.extend(next.into_iter().flat_map(and_those_after));
    all
}

#[test]
fn every_reason_for_a_miss_is_at_zero_before_it_is_one() {
    let (metrics, feed) = feed();
    let all = and_those_after(Why::Expired);
    for why in &all {
        has(&metrics, &format!("segments_missed_total{{{LABELS},why=\"{}\"}} 0", why.token()));
    }
    for why in &all {
        feed.missed(*why);
    }
    assert_eq!(metrics.render().matches("\nsegments_missed_total{").count(), all.len());
}

#[test]
fn workers_and_what_they_load_are_counted() {
    let (metrics, feed) = feed();
    let has = |sample: &str| has(&metrics, sample);
    has(&format!("workers{{{LABELS}}} 0"));
    has(&format!("segment_latency_count{{{LABELS}}} 0"));
    for result in ["news", "same", "failed"] {
        has(&format!("playlist_reloads_total{{{LABELS},result=\"{result}\"}} 0"));
    }
    let (first, second) = (feed.worker(), feed.worker());
    has(&format!("workers{{{LABELS}}} 2"));
    drop(first);
    has(&format!("workers{{{LABELS}}} 1"));
    drop(second);
    has(&format!("workers{{{LABELS}}} 0"));
    for (result, times) in [(Reloaded::News, 1), (Reloaded::Same, 2), (Reloaded::Failed, 3)] {
        (0..times).for_each(|_| feed.reloaded(result));
        let result = result.token();
        has(&format!("playlist_reloads_total{{{LABELS},result=\"{result}\"}} {times}"));
    }
    feed.published_after(Duration::from_millis(250));
    has(&format!("segment_latency_bucket{{{LABELS},le=\"0.2\"}} 0"));
    has(&format!("segment_latency_bucket{{{LABELS},le=\"0.3\"}} 1"));
}
