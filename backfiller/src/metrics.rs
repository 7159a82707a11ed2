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
        let by_hour = ["remote", "channel", "quality", "hour"];
        let by_feed = ["remote", "channel", "quality"];
        let node_list_errors =
            registry.counter("node_list_errors", "Lists of nodes that could not be read", &[]);
        // seen as zero before anything went wrong
        node_list_errors.with_label_values::<&str>(&[]).inc_by(0);
        Self {
            segments_backfilled: registry.counter(
                "segments_backfilled",
                "Segments and chat batches that were copied",
                &by_hour,
            ),
            hash_mismatches: registry.counter(
                "hash_mismatches",
                "Files that were thrown away because their bytes were not what their name says",
                &by_hour,
            ),
            small_difference_segments: registry.gauge(
                "small_difference_segments",
                "Segments that were not copied because the same is here, up to 1 ms away",
                &by_hour,
            ),
            hours_backfilled: registry.counter(
                "hours_backfilled",
                "Times that an hour was brought up to date",
                &by_feed,
            ),
            tombstones_backfilled: registry.counter(
                "tombstones_backfilled",
                "Tombstones that were copied",
                &by_feed,
            ),
            node_list_errors,
            backfill_errors: registry.counter(
                "backfill_errors",
                "Listings and files that could not be copied",
                &["remote"],
            ),
            names_skipped: registry.counter(
                "names_skipped",
                "Names in listings that have no place in the store",
                &["remote"],
            ),
        }
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
