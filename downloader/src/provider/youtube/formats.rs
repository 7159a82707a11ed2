//! What yt-dlp finds, as the JSON of one video that it writes to standard output. Pure.

use std::path::Path;

use serde::Deserialize;
use url::Url;

use super::complaint::Complaint;
use crate::provider::offer::Format;
use crate::provider::{Offer, ResolveError};

/// Why an answer has nothing to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    /// It is of a video that is not live at the moment.
    NotLive(&'static str),
    /// It is not what it should be.
    Changed(String),
}

#[derive(Debug, Deserialize)]
struct Video {
    is_live: Option<bool>,
    live_status: Option<String>,
    formats: Option<Vec<Found>>,
}

#[derive(Debug, Deserialize)]
struct Found {
    format_id: Option<String>,
    protocol: Option<String>,
    url: Option<String>,
    manifest_url: Option<String>,
    width: Option<f64>,
    height: Option<f64>,
    fps: Option<f64>,
    vcodec: Option<String>,
    acodec: Option<String>,
    /// Kilobits per second.
    tbr: Option<f64>,
}

/// The qualities of the first video in `answer` that are to be had over HLS.
pub(super) fn read(answer: &[u8]) -> Result<Offer, Odd> {
    let mut videos = serde_json::Deserializer::from_slice(answer).into_iter::<Video>();
    let video = match videos.next() {
        Some(Ok(video)) => video,
        Some(Err(error)) => {
            return Err(Odd::Changed(format!("its answer is not the JSON of a video: {error}")));
        }
        None => return Err(Odd::Changed("its answer is empty".to_owned())),
    };
    match (video.live_status.as_deref(), video.is_live) {
        (Some("is_live"), _) | (None, Some(true) | None) => {}
        (Some("is_upcoming"), _) => return Err(Odd::NotLive("the stream has not begun")),
        (Some("was_live" | "post_live"), _) => return Err(Odd::NotLive("the stream has ended")),
        (None, Some(false)) => return Err(Odd::NotLive("the video is not live")),
        (Some(other), _) => {
            let other = crate::foreign::clean(other);
            return Err(Odd::Changed(format!("the address is of no stream, but {other:?}")));
        }
    }
    let Some(formats) = video.formats else {
        return Err(Odd::Changed("its answer names no formats".to_owned()));
    };
    let count = formats.len();
    let offer = Offer::of_formats(formats.into_iter().filter_map(Found::usable));
    if offer.is_empty() {
        return Err(Odd::Changed(format!("none of {count} formats is to be had over HLS")));
    }
    Ok(offer)
}

impl Odd {
    /// The state that it tells of.
    pub(super) fn explain(self, program: &Path, complaint: &Complaint) -> ResolveError {
        match self {
            Self::NotLive(detail) => ResolveError::Offline(detail.to_owned()),
            Self::Changed(problem) => complaint.broken(program, &problem),
        }
    }
}

impl Found {
    /// What can be recorded of it, if it is to be had over HLS and has picture or sound.
    fn usable(self) -> Option<Format> {
        let is_hls = matches!(self.protocol.as_deref()?, "m3u8" | "m3u8_native");
        let url: Url = self.url.or(self.manifest_url)?.parse().ok()?;
        let is_web = matches!(url.scheme(), "http" | "https");
        // `none` says that there is none; what is not known is probably there
        let has = |codec: &Option<String>| codec.as_deref() != Some("none");
        let (has_picture, has_sound) = (has(&self.vcodec), has(&self.acodec));
        (is_hls && is_web && (has_picture || has_sound)).then(|| Format {
            id: self.format_id.unwrap_or_default(),
            url,
            has_picture,
            has_sound,
            width: whole(self.width),
            height: whole(self.height),
            frame_rate: self.fps.filter(|rate| rate.is_finite()).unwrap_or(0.0),
            bandwidth: u64::from(whole(self.tbr)) * 1000,
        })
    }
}

/// A number of pixels or kilobits; 0 where it is not known.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn whole(number: Option<f64>) -> u32 {
    number.unwrap_or(0.0).round() as u32
}
