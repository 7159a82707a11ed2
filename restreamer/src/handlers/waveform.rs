//! `/waveform`: what a range sounds like, at a glance.

use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;
use common::plan::cut::Holes;

use crate::app::App;
use crate::error::ApiError;
use crate::picture::{Recipe, Seconds, of_sound};
use crate::request::{Names, Query, size};
use crate::sound::Sound;

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
    let length = range.length().num_microseconds().unwrap_or(i64::MAX);
    let rate = (MAX_SAMPLES * 1_000_000 / length).min(MAX_SAMPLE_RATE);
    let plan = move |store: &_, feed: &_| {
        let plan = common::cut::plan(store, feed, &[range], Holes::Allow)?;
        let sound = Sound::find(store, feed, &plan, rate);
        Ok((plan, sound.map_err(ApiError::internal("read segments"))?))
    };
    let (plan, sound) = app.select(feed.clone(), plan, |(plan, _)| plan.segments()).await?;
    let recipe = recipe(Seconds::into_plan(&plan, range.start()), Seconds(length), width, height);
    of_sound(&app, &feed, sound, &recipe).await
}

/// A waveform of `length` of the sound from `before` on, though there is sound before it and after it.
/// Where video is missing, so is its time in the picture.
fn recipe(before: Seconds, length: Seconds, width: u32, height: u32) -> Recipe {
    let filters = format!(
        // in large frames, as each costs memory beside its samples
        "atrim=start={before}:duration={length},asetnsamples=n=65536:p=0,\
         showwavespic=size={width}x{height}"
    );
    Recipe { medium: 'a', filters, lacking: "what is stored of that range has no sound" }
}
