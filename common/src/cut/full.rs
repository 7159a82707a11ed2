//! Full cuts: every picture and all sound encoded again.
//!
//! What goes in is a smart cut, so that both show and play the same, to the picture, over holes and over any number of
//! ranges.

use std::io;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};

use super::smart::{self, Encoders, SmartError, Timeline, patiently};
use crate::io::ffmpeg::FfmpegError;
use crate::io::produced::produced;
use crate::io::store::{Feed, Store};
use crate::plan::cut::Plan;

/// How a full cut is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// H.264 and AAC in an MPEG transport stream.
    MpegTs,
    /// VP9 and Opus in WebM.
    WebM,
}

impl Format {
    /// What ffmpeg is called with behind its input.
    const fn arguments(self) -> &'static str {
        match self {
            Self::MpegTs => {
                "-c:v libx264 -preset veryfast -crf 18 -c:a aac -b:a 192k \
                 -muxdelay 0 -muxpreload 0 -f mpegts pipe:1"
            }
            Self::WebM => {
                "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1 -crf 24 -b:v 0 \
                 -c:a libopus -b:a 128k -ac 2 -f webm pipe:1"
            }
        }
    }
}

/// Makes the cut that `plan` says, as its reader takes it.
///
/// Cancel safety: dropped at any time, it reads no further, leaves the queue for an encoder, and kills ffmpeg.
pub fn stream(
    store: &Store,
    feed: &Feed,
    plan: Plan,
    encoders: &Encoders,
    format: Format,
) -> impl Stream<Item = Result<Bytes, SmartError>> + Send + use<> {
    let (cut, _) = smart::stream(store, feed, plan, encoders, Timeline::Continuous);
    let encoders = encoders.clone();
    let before =
        "-max_pixels 40000000 -f mpegts -i pipe:0 -map 0:v:0 -map 0:a? -fps_mode passthrough";
    let arguments = [before, format.arguments()].join(" ");
    let arguments = arguments.split_whitespace().map(str::to_owned).collect();
    produced(async move |mut sink| {
        let (ffmpeg, _turn) = encoders.whole().await;
        let encoded = ffmpeg.stream(arguments, cut.map_err(io::Error::other));
        let mut encoded = std::pin::pin!(encoded.map_err(unwrapped));
        while let Some(block) = patiently(encoded.try_next()).await?? {
            sink.put(block).await;
        }
        Ok(())
    })
}

/// What went wrong with the input, if that is what it was.
fn unwrapped(error: FfmpegError) -> SmartError {
    match error {
        FfmpegError::Input(error) => match error.downcast() {
            Ok(of_cut) => of_cut,
            Err(error) => SmartError::Read(error),
        },
        error => SmartError::Encode(error),
    }
}
