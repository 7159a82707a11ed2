//! What the codecs' own headers say: parameter sets, pictures, audio frames. Nothing is decoded.

pub mod aac;
pub mod h264;
pub mod hevc;
pub mod mpeg_audio;
pub mod nal;
pub mod opening;
pub mod sound;
mod vui;

pub use vui::Timing;

/// How a stream is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// AVC, ITU-T H.264.
    H264,
    /// ITU-T H.265.
    Hevc,
    /// AOMedia Video 1.
    Av1,
    /// VP9.
    Vp9,
    /// AAC of any kind, in ADTS frames or in MP4.
    Aac,
    /// AAC in the LATM multiplex, whose frames may refer to an earlier configuration.
    AacLatm,
    /// MPEG-1 or MPEG-2 audio, nearly always layer III.
    Mp3,
    /// Dolby Digital.
    Ac3,
    /// Dolby Digital Plus.
    Eac3,
    /// Opus.
    Opus,
    /// FLAC.
    Flac,
    /// Nothing that is decoded: metadata, splice points, subtitles.
    Data,
    /// Anything else.
    Unknown,
}

impl Codec {
    /// Whether it is known to be video.
    pub const fn is_video(self) -> bool {
        matches!(self, Self::H264 | Self::Hevc | Self::Av1 | Self::Vp9)
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::H264 => "H.264",
            Self::Hevc => "HEVC",
            Self::Av1 => "AV1",
            Self::Vp9 => "VP9",
            Self::Aac => "AAC",
            Self::AacLatm => "AAC (LATM)",
            Self::Mp3 => "MP3",
            Self::Ac3 => "AC-3",
            Self::Eac3 => "E-AC-3",
            Self::Opus => "Opus",
            Self::Flac => "FLAC",
            Self::Data => "data",
            Self::Unknown => "an unknown codec",
        }
    }

    /// Whether it is known to be audio.
    pub const fn is_audio(self) -> bool {
        !self.is_video() && !matches!(self, Self::Data | Self::Unknown)
    }
}
