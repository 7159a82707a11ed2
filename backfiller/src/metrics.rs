//! What the backfiller counts.

use common::base::time::Hour;
use common::io::store::Feed;
use common::metrics::Metrics as Registry;
use prometheus::{IntCounterVec, IntGaugeVec};

use crate::node::Node;

/// The metrics of all workers; one set per process.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    segments_backfilled: IntCounterVec,
    hash_mismatches: IntCounterVec,
    small_difference_segments: IntGaugeVec,
    hours_backfilled: IntCounterVec,
    tombstones_backfilled: IntCounterVec,
    node_list_errors: IntCounterVec,
    backfill_errors: IntCounterVec,
    names_skipped: IntCounterVec,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        let by_hour: &[&str] = &["remote", "channel", "quality", "hour"];
        let by_feed: &[&str] = &["remote", "channel", "quality"];
        let counter = |name, help, labels| registry.counter(name, help, labels);
        let segments = "Segments and chat batches that were copied";
        let mismatches = "Files thrown away because their bytes are not what their name says";
        let differences = "Segments not copied because the same is here, up to 1 ms away";
        let hours = "Times that an hour was brought up to date";
        let lists = "Lists of nodes that could not be read";
        let errors = "Listings and files that could not be copied";
        let names = "Names in listings that have no place in the store";
        let metrics = Self {
            segments_backfilled: counter("segments_backfilled", segments, by_hour),
            hash_mismatches: counter("hash_mismatches", mismatches, by_hour),
            small_difference_segments: registry.gauge(
                "small_difference_segments",
                differences,
                by_hour,
            ),
            hours_backfilled: counter("hours_backfilled", hours, by_feed),
            tombstones_backfilled: counter(
                "tombstones_backfilled",
                "Tombstones that were copied",
                by_feed,
            ),
            node_list_errors: counter("node_list_errors", lists, &[]),
            backfill_errors: counter("backfill_errors", errors, &["remote"]),
            names_skipped: counter("names_skipped", names, &["remote"]),
        };
        // seen as zero before anything went wrong
        metrics.node_list_errors.with_label_values::<&str>(&[]).inc_by(0);
        metrics
    }

    /// Makes what is counted per node visible before anything happened.
    pub(crate) fn node_appeared(&self, node: &Node) {
        self.backfill_errors.with_label_values(&[node.name()]).inc_by(0);
        self.names_skipped.with_label_values(&[node.name()]).inc_by(0);
    }

    pub(crate) fn node_list_failed(&self) {
        self.node_list_errors.with_label_values::<&str>(&[]).inc();
    }

    pub(crate) fn failed(&self, node: &Node) {
        self.backfill_errors.with_label_values(&[node.name()]).inc();
    }

    pub(crate) fn names_skipped(&self, node: &Node, count: usize) {
        self.names_skipped.with_label_values(&[node.name()]).inc_by(count as u64);
    }

    pub(crate) fn copied(&self, node: &Node, feed: &Feed, hour: Hour) {
        self.segments_backfilled.with_label_values(&by_hour(node, feed, &hour.to_string())).inc();
    }

    pub(crate) fn mismatched(&self, node: &Node, feed: &Feed, hour: Hour) {
        self.hash_mismatches.with_label_values(&by_hour(node, feed, &hour.to_string())).inc();
    }

    pub(crate) fn small_differences(&self, node: &Node, feed: &Feed, hour: Hour, count: usize) {
        let hour = hour.to_string();
        let labels = by_hour(node, feed, &hour);
        // an hour without any gets no series of its own, but one that had some goes back to zero
        if count > 0
            || self
                .small_difference_segments
                .get_metric_with_label_values(&labels)
                .is_ok_and(|gauge| gauge.get() > 0)
        {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.small_difference_segments.with_label_values(&labels).set(count);
        }
    }

    pub(crate) fn hour_completed(&self, node: &Node, feed: &Feed) {
        self.hours_backfilled.with_label_values(&by_feed(node, feed)).inc();
    }

    pub(crate) fn tombstone_copied(&self, node: &Node, feed: &Feed) {
        self.tombstones_backfilled.with_label_values(&by_feed(node, feed)).inc();
    }
}

fn by_hour<'a>(node: &'a Node, feed: &'a Feed, hour: &'a str) -> [&'a str; 4] {
    [node.name(), feed.channel.as_str(), feed.quality.as_str(), hour]
}

fn by_feed<'a>(node: &'a Node, feed: &'a Feed) -> [&'a str; 3] {
    [node.name(), feed.channel.as_str(), feed.quality.as_str()]
}
