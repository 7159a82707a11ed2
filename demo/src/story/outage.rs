//! Node A's downloader is away for a while, and its node shows what it missed.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chrono::TimeDelta;
use common::base::time::{TimeRange, Timestamp};
use tokio::time::sleep;

use super::{Story, seconds, titles};
use crate::node::Role;
use crate::origin::Origin;
use crate::poll::poll;

/// How long the downloader stays down.
const DOWN: Duration = Duration::from_secs(10);
/// How long it may take until it records again.
const BACK: Duration = Duration::from_mins(1);

/// Returns the stretch that was broadcast while the downloader was down.
pub(super) async fn happens(story: &Story<'_>) -> anyhow::Result<TimeRange> {
    let (display, a, b) = (story.display, story.a(), story.b());
    let before = shown_until(story).await?;
    display.step(titles::OUTAGE);
    let downloader = a.service(Role::Downloader);
    downloader.kill_and_hold().await;
    for second in (1..=DOWN.as_secs()).rev() {
        display.now(format_args!("{} stays down for {second} s", downloader.title()));
        sleep(Duration::from_secs(1)).await;
    }
    let missed = poll("node b did not go on recording", BACK, async || {
        let until = story.shown(b).await?.end().context("its playlist is empty")?;
        let missed = TimeRange::new(before, until).context("its playlist did not grow")?;
        let is_ours = story.installation.origin.is_some();
        let listed = if is_ours { Origin::listed_for() } else { TimeDelta::zero() };
        // an encoder that cannot keep up may still list all that was missed
        ensure!(missed.length() > listed, "all of {missed} is still listed");
        Ok(missed)
    });
    let missed = missed.await?;
    downloader.release().await;
    let pid = downloader.pid().context("the downloader did not start again")?;
    display.held(format_args!(
        "{} runs again, as process {pid}; meanwhile {b} recorded {}",
        downloader.title(),
        seconds(missed)
    ));
    Ok(missed)
}

/// Returns the hole that node A's playlist shows. A real channel may list what it published for so
/// long that the downloader could still fetch all of it; then there is none.
pub(super) async fn shows(
    story: &Story<'_>,
    missed: TimeRange,
) -> anyhow::Result<Option<TimeRange>> {
    let (display, a) = (story.display, story.a());
    display.step(titles::HOLE);
    let may_catch_up = story.installation.origin.is_none();
    let hole = poll("the hole did not show", BACK, async || {
        let shown = story.shown(a).await?;
        if let Some(hole) = shown.holes.last() {
            return Ok(Some(*hole));
        }
        if may_catch_up && shown.covers(missed) {
            return Ok(None);
        }
        let count = shown.segments.len();
        bail!("{a}'s playlist shows {count} segments and no hole")
    });
    let hole = hole.await?;
    match hole {
        Some(hole) => display.held(format_args!("{} are missing: {hole}", seconds(hole))),
        None => display.held("there is none: the channel still listed what had been missed"),
    }
    Ok(hole)
}

/// Until when node A shows what was broadcast, without a hole so far.
async fn shown_until(story: &Story<'_>) -> anyhow::Result<Timestamp> {
    let a = story.a();
    poll("node a shows a hole before its downloader was killed", BACK, async || {
        let shown = story.shown(a).await?;
        ensure!(shown.holes.is_empty(), "it shows {} holes", shown.holes.len());
        shown.end().context("its playlist is empty")
    })
    .await
}
