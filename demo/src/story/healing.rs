//! Node A gets from node B what its downloader missed.

use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use common::base::time::TimeRange;

use super::{Story, titles};
use crate::node::{RECENT_CUTOFF, Role};
use crate::poll::poll;

/// How long healing may take: until the missing segments are old enough, and then some passes.
const HEAL: Duration = RECENT_CUTOFF.saturating_add(Duration::from_secs(160));
/// The event begins and ends a little outside of what was missed, in the middle of segments.
const BEFORE: TimeDelta = TimeDelta::milliseconds(4_500);
const AFTER: TimeDelta = TimeDelta::milliseconds(3_200);

/// Returns the stretch around what was `missed`, all of which both nodes show.
pub(super) async fn completes(story: &Story<'_>, missed: TimeRange) -> anyhow::Result<TimeRange> {
    let display = story.display;
    display.step(titles::HEALING);
    let stretch = TimeRange::new(missed.start() - BEFORE, missed.end() + AFTER)
        .context("find the stretch around what was missed")?;
    for node in &story.installation.nodes {
        let failure = format!("the hole of {node} did not close");
        poll(&failure, HEAL, async || {
            let shown = story.shown(node).await?;
            let holes = shown.holes.len();
            display
                .now(format_args!("{node} shows {} segments, {holes} holes", shown.segments.len()));
            ensure!(shown.covers(stretch), "its playlist shows {holes} holes around {stretch}");
            Ok(())
        })
        .await?;
    }
    let count = backfilled(story).await.map(|count| format!("; segments from node b: {count}"));
    display.held(format_args!("no hole any more{}", count.unwrap_or_default()));
    Ok(stretch)
}

/// How many segments node A's backfiller says it fetched since it was last started.
async fn backfilled(story: &Story<'_>) -> Option<u64> {
    let url = story.a().url(Role::Backfiller).join("metrics").ok()?;
    let metrics = story.viewer.text(&url).await.ok()?;
    let counters = metrics.lines().filter(|line| line.starts_with("segments_backfilled_total{"));
    let counts = counters.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    Some(counts.sum()).filter(|sum| *sum > 0)
}
