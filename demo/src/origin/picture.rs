//! What is broadcast: how large, and in which qualities.

use std::fmt;
use std::str::FromStr;

use common::format::hls::Resolution;
use thiserror::Error;

/// A moving test picture of 16:9, in two qualities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    height: u32,
}

/// A height that no test picture can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a multiple of 4 from 96 to 1080 is needed")]
pub struct BadHeight;

/// One version of the broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quality {
    /// What the nodes call it, and its folder.
    pub(crate) name: String,
    /// What viewers see.
    pub(crate) title: String,
    /// Width and height.
    pub(crate) resolution: Resolution,
    /// Bits of video per second.
    pub(crate) bit_rate: u64,
}

impl Picture {
    /// Pictures per second.
    pub const RATE: u32 = 30;
    /// Seconds of every segment but the last.
    pub const SEGMENT_SECONDS: u32 = 2;
    /// Pictures in every segment but the last: each is a closed group of pictures.
    pub const SEGMENT_PICTURES: u32 = Self::RATE * Self::SEGMENT_SECONDS;

    /// The best quality, then one of half its height.
    pub(crate) fn qualities(self) -> [Quality; 2] {
        let half = self.height / 2;
        let (best, half) = (resolution(self.height), resolution(half));
        [
            Quality {
                name: "source".to_owned(),
                title: format!("{}p{} (source)", best.height, Self::RATE),
                resolution: best,
                bit_rate: bit_rate(best),
            },
            Quality {
                name: format!("{}p", half.height),
                title: format!("{}p", half.height),
                resolution: half,
                bit_rate: bit_rate(half),
            },
        ]
    }
}

impl Default for Picture {
    fn default() -> Self {
        Self { height: 720 }
    }
}

impl FromStr for Picture {
    type Err = BadHeight;

    fn from_str(height: &str) -> Result<Self, BadHeight> {
        let height: u32 = height.parse().map_err(|_| BadHeight)?;
        let fits = (96..=1080).contains(&height) && height.is_multiple_of(4);
        if fits { Ok(Self { height }) } else { Err(BadHeight) }
    }
}

/// Its height, as it is read.
impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.height, f)
    }
}

/// 16:9; the encoder wants even numbers.
const fn resolution(height: u32) -> Resolution {
    Resolution { width: height * 16 / 9 / 2 * 2, height }
}

/// Enough for the test picture, and about what services send.
const fn bit_rate(resolution: Resolution) -> u64 {
    resolution.width as u64 * resolution.height as u64 * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_qualities_have_what_the_encoder_can_make() {
        for height in (96..=1080).step_by(4) {
            let picture: Picture = height.to_string().parse().unwrap();
            for quality in picture.qualities() {
                let Resolution { width, height } = quality.resolution;
                assert!(width % 2 == 0 && height % 2 == 0, "{quality:?}");
                assert!(quality.bit_rate > 10_000, "{quality:?}");
            }
        }
        for bad in ["", "95", "721", "722", "1084", "-720", "720p"] {
            assert_eq!(bad.parse::<Picture>(), Err(BadHeight), "{bad}");
        }
    }

    #[test]
    fn the_default_is_720p30_and_360p() {
        let names = Picture::default().qualities().map(|quality| quality.title);
        assert_eq!(names, ["720p30 (source)", "360p"]);
    }
}
