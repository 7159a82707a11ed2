//! What a multivariant playlist states of a stream.

use crate::format::hls::Resolution;
use crate::format::{fmp4, mpegts};

mod fmp4_info;
mod names;
mod rate;
mod ts_info;

pub(super) use fmp4_info::picture_size;

/// What a segment tells of the stream that it is of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamInfo {
    /// The names of all codecs, as CODECS wants them (RFC 6381; RFC 8216 §4.3.4.2): video first, with
    /// commas between. `None` unless every stream in use can be named.
    pub codecs: Option<String>,
    /// What is shown of the video, before any stretching.
    pub resolution: Option<Resolution>,
    /// Frames in a second. From the time stamps or, if there is just one, from what the stream states;
    /// for interlaced video two fields are a frame. Where frames are missing, the rate without the gaps.
    pub frame_rate: Option<f64>,
}

/// Reads a segment, or its first few MiB: then the frame rate is that of those.
pub fn stream_info(segment: &[u8]) -> StreamInfo {
    if fmp4::begins(segment) {
        fmp4_info::read(segment)
    } else {
        mpegts::first_packet(segment)
            .map_or_else(StreamInfo::default, |start| ts_info::read(&segment[start..]))
    }
}

impl StreamInfo {
    /// Puts the names into order; one that is missing makes all worthless.
    fn name_codecs(&mut self, video: Vec<Option<String>>, audio: Vec<Option<String>>) {
        let mut names = Vec::new();
        for name in video.into_iter().chain(audio) {
            let Some(name) = name else { return };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        self.codecs = (!names.is_empty()).then(|| names.join(","));
    }
}

#[cfg(test)]
mod tests;
