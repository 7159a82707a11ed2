//! Pictures that ffmpeg makes of what is stored.

use std::fmt;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use common::base::time::Timestamp;
use common::cut::rough;
use common::io::ffmpeg::FfmpegError;
use common::io::store::Feed;
use common::plan::cut::Plan;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::app::App;
use crate::error::ApiError;
use crate::media_type;

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

/// Makes a picture of the segments of `plan`, in its turn.
///
/// # Errors
///
/// When there is no turn to be had, the segments are no media or give no picture, or our side fails.
///
/// Cancel safety: dropped, it leaves the queue, or kills ffmpeg.
pub(crate) async fn png(
    app: &App,
    feed: &Feed,
    plan: Plan,
    recipe: &Recipe,
) -> Result<Response, ApiError> {
    let work = async {
        let mut media = Box::pin(rough::stream(&app.store, feed, plan));
        let first = media.try_next().await.map_err(ApiError::internal("read the first segment"))?;
        let nothing = || ApiError::Unacceptable(recipe.lacking.into());
        let container = container(first.as_deref().unwrap_or_default()).ok_or_else(nothing)?;
        let arguments = recipe.arguments(container);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let media = stream::iter(first.map(Ok)).chain(media);
        let picture = app.expensive.ffmpeg.run(&arguments, media, MAX_PNG_BYTES).await;
        match picture {
            Ok(picture) if !picture.is_empty() => Ok(picture),
            Ok(_) => Err(nothing()),
            // it was told the same as ever, so it is the media that it cannot make a picture of
            Err(FfmpegError::Failed { status, complaint }) if status.code().is_some() => {
                tracing::info!(%feed.channel, %feed.quality, "ffmpeg made no picture: {complaint}");
                Err(nothing())
            }
            Err(error) => Err(ApiError::internal("make a picture")(std::io::Error::other(error))),
        }
    };
    let picture = app.expensive.pictures.run(work).await?;
    let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, picture).into_response())
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
    fn arguments(&self, container: &str) -> Vec<String> {
        let Self { medium, filters, .. } = self;
        // one thread each: as many run at a time as there are cores
        let before = format!("-threads 1 -max_pixels {MAX_PIXELS} -f {container} -i pipe:0");
        let map = format!("-filter_threads 1 -filter_complex [0:{medium}:0]{filters}");
        let after = "-frames:v 1 -threads 1 -f image2pipe -c:v png pipe:1";
        [before.as_str(), &map, after].join(" ").split(' ').map(str::to_owned).collect()
    }
}
