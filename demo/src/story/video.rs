//! The finished video holds what it should, as an independent program counts.

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use common::base::time::{TimeRange, Timestamp};

use super::event::Video;
use super::{Story, titles};
use crate::ffmpeg::{self, Pictures};
use crate::origin::{Origin, Picture};

/// What timestamps of 90 kHz may be off by.
const TOLERANCE: TimeDelta = TimeDelta::milliseconds(1);
/// How much before a picture a time may be that means it.
const ROUNDING: TimeDelta = TimeDelta::milliseconds(1);
/// What a real channel's durations may be off by.
const ROUGHLY: TimeDelta = TimeDelta::milliseconds(500);

/// What a video should hold.
#[derive(Debug)]
struct Expected {
    duration: TimeDelta,
    /// Known only of the test picture.
    pictures: Option<usize>,
    tolerance: TimeDelta,
}

pub(super) async fn is_right(
    story: &Story<'_>,
    stretch: TimeRange,
    video: &Video,
) -> anyhow::Result<()> {
    let display = story.display;
    display.step(titles::VIDEO);
    let expected = match &story.installation.origin {
        Some(origin) => of_origin(origin, story.installation.channel.best(), stretch)?,
        None => of_playlist(story, stretch).await?,
    };
    let Pictures { count, duration } = ffmpeg::pictures(&video.path).await?;
    let difference = (duration - expected.duration).abs();
    ensure!(
        difference <= expected.tolerance,
        "the video is {} ms long instead of {} ms",
        duration.num_milliseconds(),
        expected.duration.num_milliseconds()
    );
    let wanted = expected.pictures.unwrap_or(count);
    ensure!(count == wanted, "the video has {count} pictures instead of {wanted}");
    let plays = ffmpeg::plays(video.path.as_os_str()).await;
    plays.context("play the video")?;
    let size = std::fs::metadata(&video.path).context("look at the video")?.len();
    display.held(format_args!(
        "{count} pictures, {} ms, {} kB, decoded without an error",
        duration.num_milliseconds(),
        size / 1000
    ));
    Ok(())
}

/// A smart cut begins with the picture that is shown at the stretch's start, and ends before the one that is shown at its
/// end.
fn of_origin(origin: &Origin, quality: &str, stretch: TimeRange) -> anyhow::Result<Expected> {
    let published = origin.published(quality)?;
    let shown_at = |time: Timestamp| -> anyhow::Result<i64> {
        let segment = published.iter().rfind(|segment| segment.start <= time);
        let segment = segment.context("find the segment of an instant")?;
        let number = i64::try_from(segment.number)? * i64::from(Picture::SEGMENT_PICTURES);
        let within =
            (time - segment.start + ROUNDING).num_microseconds().context("a short time")?;
        Ok(number + within * i64::from(Picture::RATE) / 1_000_000)
    };
    let pictures = shown_at(stretch.end())? - shown_at(stretch.start())?;
    Ok(Expected {
        duration: TimeDelta::microseconds(pictures * 1_000_000 / i64::from(Picture::RATE)),
        pictures: Some(usize::try_from(pictures)?),
        tolerance: TOLERANCE,
    })
}

async fn of_playlist(story: &Story<'_>, stretch: TimeRange) -> anyhow::Result<Expected> {
    let shown = story.shown(story.b()).await?;
    let within = |span: &TimeRange| {
        TimeRange::new(span.start().max(stretch.start()), span.end().min(stretch.end()))
    };
    let duration = shown.segments.iter().filter_map(within).map(TimeRange::length).sum();
    Ok(Expected { duration, pictures: None, tolerance: ROUGHLY })
}
