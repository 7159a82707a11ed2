//! Writing multivariant playlists.

use std::fmt::Write as _;

use super::{WriteError, checked_uri, push_line, quoted};
use crate::format::hls::{RenditionKind, Resolution};

/// One variant to write.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VariantEntry<'a> {
    /// Relative or absolute address of its media playlist, already percent-encoded.
    pub uri: &'a str,
    /// Bits per second at the peak; every variant must say (RFC 8216 §4.3.4.2).
    pub bandwidth: u64,
    /// Bits per second on average.
    pub average_bandwidth: Option<u64>,
    /// Width and height in pixels.
    pub resolution: Option<Resolution>,
    /// Pictures per second.
    pub frame_rate: Option<f64>,
    /// RFC 6381 codec names, comma-separated.
    pub codecs: Option<&'a str>,
    /// The group of video renditions that it belongs to.
    pub video: Option<&'a str>,
}

/// One rendition (EXT-X-MEDIA) to write.
#[derive(Clone, Debug, PartialEq)]
pub struct RenditionEntry<'a> {
    /// What it carries.
    pub kind: RenditionKind,
    /// The group that variants name it by.
    pub group_id: &'a str,
    /// What people see.
    pub name: &'a str,
    /// Its own media playlist, if it is not in the variant's.
    pub uri: Option<&'a str>,
    /// Whether it is played unless the viewer chooses.
    pub default: bool,
}

/// The least rate that differs from zero in the three digits that the format recommends (§4.3.4.2).
const LEAST_FRAME_RATE: f64 = 0.001;

/// Writes a multivariant playlist.
#[derive(Clone, Debug)]
pub struct MultivariantWriter {
    out: String,
}

impl Default for MultivariantWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl MultivariantWriter {
    /// Begins a playlist.
    pub fn new() -> Self {
        Self { out: "#EXTM3U\n".to_owned() }
    }

    /// Appends a rendition.
    ///
    /// # Errors
    ///
    /// When a text cannot stand in a playlist; nothing is written then.
    pub fn rendition(&mut self, rendition: &RenditionEntry<'_>) -> Result<(), WriteError> {
        let yes_no = if rendition.default { "YES" } else { "NO" };
        let mut line = format!(
            "#EXT-X-MEDIA:TYPE={},GROUP-ID={},NAME={},DEFAULT={yes_no},AUTOSELECT=YES",
            rendition.kind.token(),
            quoted(rendition.group_id)?,
            quoted(rendition.name)?,
        );
        if let Some(uri) = rendition.uri {
            push(&mut line, format_args!(",URI={}", quoted(checked_uri(uri)?)?));
        }
        push_line(&mut self.out, format_args!("{line}"));
        Ok(())
    }

    /// Appends a variant; players begin with the first one.
    ///
    /// # Errors
    ///
    /// When a text cannot stand in a playlist; nothing is written then.
    pub fn variant(&mut self, variant: &VariantEntry<'_>) -> Result<(), WriteError> {
        let uri = checked_uri(variant.uri)?;
        let mut line = format!("#EXT-X-STREAM-INF:BANDWIDTH={}", variant.bandwidth);
        if let Some(bandwidth) = variant.average_bandwidth {
            push(&mut line, format_args!(",AVERAGE-BANDWIDTH={bandwidth}"));
        }
        if let Some(codecs) = variant.codecs {
            push(&mut line, format_args!(",CODECS={}", quoted(codecs)?));
        }
        if let Some(Resolution { width, height }) = variant.resolution {
            push(&mut line, format_args!(",RESOLUTION={width}x{height}"));
        }
        // a nonsensical rate is left out, also one that would be written as none
        let sensible = |rate: &f64| rate.is_finite() && *rate >= LEAST_FRAME_RATE;
        if let Some(rate) = variant.frame_rate.filter(sensible) {
            push(&mut line, format_args!(",FRAME-RATE={rate:.3}"));
        }
        if let Some(group) = variant.video {
            push(&mut line, format_args!(",VIDEO={}", quoted(group)?));
        }
        push_line(&mut self.out, format_args!("{line}\n{uri}"));
        Ok(())
    }

    /// Hands over the playlist.
    pub fn finish(self) -> String {
        self.out
    }
}

fn push(line: &mut String, text: std::fmt::Arguments<'_>) {
    line.write_fmt(text).expect("a String takes any text");
}
