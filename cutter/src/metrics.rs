//! What the cutter counts; the names are those that existing dashboards query.

use common::io::db::EventState;
use common::io::db::edit::Edit;
use common::metrics::Metrics;
use prometheus::{IntCounter, IntCounterVec};

/// The cutter's metrics.
#[derive(Clone, Debug)]
pub(crate) struct CutterMetrics {
    videos_uploaded: IntCounterVec,
    upload_errors: IntCounterVec,
    no_candidates: IntCounter,
}

impl CutterMetrics {
    /// Makes them, with a zero for each of `locations`.
    pub(crate) fn new<'a>(metrics: &Metrics, locations: impl Iterator<Item = &'a str>) -> Self {
        let video = ["video_channel", "video_quality", "upload_location"];
        let error = ["video_channel", "video_quality", "upload_location", "final_state"];
        // no backend of this version processes what it has published, so these stay zero
        let transcoding = metrics.gauge(
            "videos_transcoding",
            "Videos that are published and still processed",
            &["location"],
        );
        let marked_done = metrics.counter(
            "videos_marked_done",
            "Videos that were found to be ready after they had been processed",
            &["location"],
        );
        for location in locations {
            transcoding.with_label_values(&[location]).set(0);
            marked_done.with_label_values(&[location]);
        }
        let looks =
            metrics.counter("no_candidates", "Looks for an event to take that found none", &[]);
        Self {
            videos_uploaded: metrics.counter("videos_uploaded", "Videos published", &video),
            upload_errors: metrics.counter(
                "upload_errors",
                "Events that were taken and not published, by the state that they were left in",
                &error,
            ),
            no_candidates: looks.with_label_values::<&str>(&[]),
        }
    }

    pub(crate) fn uploaded(&self, edit: &Edit) {
        let labels = [&edit.video_channel, &edit.video_quality, &edit.upload_location];
        self.videos_uploaded.with_label_values(&labels).inc();
    }

    pub(crate) fn failed(&self, edit: &Edit, left_in: EventState) {
        let labels = [
            edit.video_channel.as_str(),
            &edit.video_quality,
            &edit.upload_location,
            left_in.name(),
        ];
        self.upload_errors.with_label_values(&labels).inc();
    }

    pub(crate) fn found_no_candidate(&self) {
        self.no_candidates.inc();
    }
}
