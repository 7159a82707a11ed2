//! Pictures that ffmpeg makes of what is stored.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use common::base::time::Timestamp;
use common::cut::rough;
use common::io::store::Feed;
use common::plan::cut::Plan;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use crate::app::App;
use crate::error::ApiError;
use crate::media_type;
use crate::sound::Sound;

/// How large a PNG may be: more than one of 4096×4096 pixels without any pattern.
const MAX_PNG_BYTES: u64 = 80 << 20;
/// The largest picture that is decoded, in pixels: 8K and a little more. It bounds ffmpeg's memory.
const MAX_PIXELS: &str = "40000000";

/// How ffmpeg is told to make one picture out of a stream.
pub(crate) struct Recipe {
    /// `v` or `a`: what of the stream it is made of.
    pub(crate) medium: char,
    /// ffmpeg's filters.
    pub(crate) filters: String,
    /// What to say when the stream has nothing of that.
    pub(crate) lacking: &'static str,
}

/// Makes a picture of the segments of `plan`, which are of one format, in its turn.
///
/// # Errors
///
/// When there is no turn to be had, the segments are no media or give no picture, or our side fails.
///
/// Cancel safety: dropped, it leaves the queue, or kills ffmpeg.
pub(crate) async fn of_video(
    app: &App,
    feed: &Feed,
    plan: Plan,
    recipe: &Recipe,
) -> Result<Response, ApiError> {
    let work = async {
        let mut media = Box::pin(rough::stream(&app.store, feed, plan));
        let first = media.try_next().await.map_err(ApiError::internal("read the first segment"))?;
        let container = container(first.as_deref().unwrap_or_default());
        let container = container.ok_or_else(|| recipe.nothing())?;
        drawn(app, feed, container, stream::iter(first.map(Ok)).chain(media), recipe).await
    };
    app.expensive.pictures.run(work).await.map(answer)
}

/// Makes a picture of `sound`, in its turn.
///
/// # Errors
///
/// When there is no turn to be had, there is no sound in it at all, or our side fails.
///
/// Cancel safety: dropped, it leaves the queue, or kills ffmpeg.
pub(crate) async fn of_sound(
    app: &App,
    feed: &Feed,
    sound: Sound,
    recipe: &Recipe,
) -> Result<Response, ApiError> {
    let work = async {
        let (ffmpeg, store) = (app.expensive.ffmpeg.clone(), app.store.clone());
        let (input, heard) = (sound.format(), Arc::new(AtomicBool::new(false)));
        let samples = sound.samples(ffmpeg, store, feed.clone(), Arc::clone(&heard));
        let picture = drawn(app, feed, &input, samples, recipe).await?;
        if heard.load(Ordering::Relaxed) { Ok(picture) } else { Err(recipe.nothing()) }
    };
    app.expensive.pictures.run(work).await.map(answer)
}

/// The picture that ffmpeg makes of `media`, whose format it calls `input`.
async fn drawn(
    app: &App,
    feed: &Feed,
    input: &str,
    media: impl Stream<Item = io::Result<Bytes>>,
    recipe: &Recipe,
) -> Result<Vec<u8>, ApiError> {
    let arguments = recipe.arguments(input);
    let arguments: Vec<&str> = arguments.split(' ').collect();
    match app.expensive.ffmpeg.run(&arguments, media, MAX_PNG_BYTES).await {
        Ok(picture) if !picture.is_empty() => Ok(picture),
        Ok(_) => Err(recipe.nothing()),
        Err(error) => {
            let Some(complaint) = error.complaint() else {
                return Err(ApiError::internal("make a picture")(io::Error::other(error)));
            };
            tracing::info!(%feed.channel, %feed.quality, "ffmpeg made no picture: {complaint}");
            Err(recipe.nothing())
        }
    }
}

fn answer(picture: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-cache")];
    (headers, picture).into_response()
}

/// What ffmpeg calls the container that `bytes` begin. It is told, so that it does not guess: there are
/// formats that make it read other files.
fn container(bytes: &[u8]) -> Option<&'static str> {
    match media_type::of_video(bytes) {
        media_type::MPEG_TS => Some("mpegts"),
        media_type::MP4 => Some("mp4"),
        _ => None,
    }
}

/// Microseconds, none of them negative, written as seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) i64);

impl Seconds {
    /// How long after the start of the first segment of `plan` `instant` is; zero where it is before.
    pub(crate) fn into_plan(plan: &Plan, instant: Timestamp) -> Self {
        let first = plan.ranges.iter().flat_map(|range| range.selection.segments()).next();
        let after = first.map_or(0, |first| instant.micros() - first.start().micros());
        Self(after.max(0))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl Recipe {
    fn nothing(&self) -> ApiError {
        ApiError::Unacceptable(self.lacking.into())
    }

    /// What ffmpeg is called with, separated by blanks.
    fn arguments(&self, input: &str) -> String {
        let Self { medium, filters, .. } = self;
        // one thread each: as many run at a time as there are cores
        let before = format!("-threads 1 -max_pixels {MAX_PIXELS} -f {input} -i pipe:0");
        let map = format!("-filter_threads 1 -filter_complex [0:{medium}:0]{filters}");
        let after = "-frames:v 1 -threads 1 -f image2pipe -c:v png pipe:1";
        [before.as_str(), &map, after].join(" ")
    }
}
