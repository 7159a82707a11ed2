//! `/waveform`: what a range sounds like, at a glance.

use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;
use common::base::time::TimeRange;
use common::plan::cut::{Holes, Plan};

use crate::app::App;
use crate::error::ApiError;
use crate::picture::{Recipe, Seconds, png};
use crate::request::{Names, Query, size};

const MAX_LENGTH: TimeDelta = TimeDelta::hours(6);
/// How many samples the whole range may have, since ffmpeg holds all of them in memory.
const MAX_SAMPLES: i64 = 60_000_000;
/// The most samples a second: enough for all that is loud in speech.
const MAX_SAMPLE_RATE: i64 = 16_000;

/// `/waveform/CHANNEL/QUALITY.png`
pub(crate) async fn waveform(
    State(app): State<App>,
    names: Names,
    query: Query,
) -> Result<Response, ApiError> {
    let feed = names.video_feed(".png")?;
    let range = query.range(MAX_LENGTH)?;
    let (width, height) = size(&query)?;
    let plan =
        move |store: &_, feed: &_| Ok(common::cut::plan(store, feed, &[range], Holes::Allow)?);
    let plan = app.select(feed.clone(), plan, Plan::segments).await?;
    png(&app, &feed, plan.clone(), &recipe(&plan, range, width, height)).await
}

/// A waveform of `range` alone, though the segments of `plan` may begin before it and end after it.
/// Where video is missing, so is its time in the picture.
fn recipe(plan: &Plan, range: TimeRange, width: u32, height: u32) -> Recipe {
    let before = Seconds::into_plan(plan, range.start());
    let length = range.length().num_microseconds().unwrap_or(i64::MAX);
    let rate = (MAX_SAMPLES * 1_000_000 / length).min(MAX_SAMPLE_RATE);
    let length = Seconds(length);
    let filters = format!(
        // time is counted in samples: that of the segments jumps where video is missing; and in large
        // frames, as each costs memory beside its samples
        "aresample={rate},aformat=sample_fmts=s16:channel_layouts=mono,asetpts=N/SR/TB,\
         atrim=start={before}:duration={length},asetnsamples=n=65536:p=0,\
         showwavespic=size={width}x{height}"
    );
    Recipe { medium: 'a', filters, lacking: "what is stored of that range has no sound" }
}
