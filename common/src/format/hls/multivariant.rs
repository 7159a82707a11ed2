//! Multivariant playlists (RFC 8216 §4.3.4).

use std::fmt;

use super::lexer::{Content, Lexer, decode};
use super::{Attributes, Limits, PlaylistError, PlaylistKind, media};

/// The tags that only a multivariant playlist has.
pub(super) const TAGS: [&str; 5] = [
    "EXT-X-STREAM-INF",
    "EXT-X-I-FRAME-STREAM-INF",
    "EXT-X-MEDIA",
    "EXT-X-SESSION-DATA",
    "EXT-X-SESSION-KEY",
];

/// What a multivariant playlist offers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MultivariantPlaylist {
    /// In order: the first one is what the publisher would have played.
    pub variants: Vec<Variant>,
    /// EXT-X-MEDIA, in order.
    pub renditions: Vec<Rendition>,
}

impl MultivariantPlaylist {
    /// Reads a multivariant playlist.
    ///
    /// # Errors
    ///
    /// When `bytes` are no playlist, a media playlist, or exceed the default [`Limits`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PlaylistError> {
        Self::parse_within(bytes, &Limits::default())
    }

    /// Reads a multivariant playlist no larger than `limits`.
    ///
    /// # Errors
    ///
    /// When `bytes` are no playlist, a media playlist, or exceed `limits`.
    pub fn parse_within(bytes: &[u8], limits: &Limits) -> Result<Self, PlaylistError> {
        let text = decode(bytes, limits)?;
        let mut list = Self::default();
        let mut decided = false;
        // the variant whose address has not come yet
        let mut next: Option<Variant> = None;
        for line in Lexer::new(&text, limits)? {
            match line?.content {
                Content::Tag(tag) if media::TAGS.contains(&tag.name) && !decided => {
                    let (found, wanted) = (PlaylistKind::Media, PlaylistKind::Multivariant);
                    return Err(PlaylistError::WrongKind { found, wanted });
                }
                Content::Tag(tag) => {
                    decided |= TAGS.contains(&tag.name);
                    let read = || Attributes::parse(tag.value, limits.attributes);
                    match tag.name {
                        "EXT-X-STREAM-INF" => next = Some(Variant::from_attributes(&read()?)),
                        "EXT-X-MEDIA" => list.renditions.extend(Rendition::new(&read()?)),
                        _ => {}
                    }
                }
                Content::Uri(uri) => {
                    list.variants.extend(next.take().map(|next| next.at(uri)));
                }
                Content::Comment => {}
            }
        }
        Ok(list)
    }

    /// The video rendition that stands for `variant`: the default one of its group, else the first.
    pub fn video_rendition(&self, variant: &Variant) -> Option<&Rendition> {
        let group = variant.video.as_deref()?;
        let mut in_group = self
            .renditions
            .iter()
            .filter(|rendition| rendition.kind == RenditionKind::Video)
            .filter(|rendition| rendition.group_id == group);
        let first = in_group.next()?;
        if first.default { Some(first) } else { in_group.find(|r| r.default).or(Some(first)) }
    }
}

/// One version of the presentation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variant {
    /// The address of its media playlist, as written.
    pub uri: String,
    /// Bits per second at the peak.
    pub bandwidth: Option<u64>,
    /// Bits per second on average.
    pub average_bandwidth: Option<u64>,
    /// In pixels.
    pub resolution: Option<Resolution>,
    /// Pictures per second.
    pub frame_rate: Option<f64>,
    /// RFC 6381 codec names, comma-separated.
    pub codecs: Option<String>,
    /// The group of video renditions that it belongs to.
    pub video: Option<String>,
    /// The group of audio renditions that it is played with.
    pub audio: Option<String>,
    /// NAME, or what Twitch calls IVS-NAME; they are in no standard but in use.
    pub name: Option<String>,
}

impl Variant {
    fn from_attributes(attributes: &Attributes) -> Self {
        Self {
            uri: String::new(),
            bandwidth: attributes.integer("BANDWIDTH"),
            average_bandwidth: attributes.integer("AVERAGE-BANDWIDTH"),
            resolution: attributes.resolution("RESOLUTION"),
            frame_rate: attributes.decimal("FRAME-RATE"),
            codecs: attributes.owned("CODECS"),
            video: attributes.owned("VIDEO"),
            audio: attributes.owned("AUDIO"),
            name: attributes.owned("NAME").or_else(|| attributes.owned("IVS-NAME")),
        }
    }

    fn at(self, uri: &str) -> Self {
        Self { uri: uri.to_owned(), ..self }
    }
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resolution {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// An alternative for one medium of the presentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    /// Which medium.
    pub kind: RenditionKind,
    /// The group that variants name it by.
    pub group_id: String,
    /// What people see.
    pub name: String,
    /// Its own media playlist, as written; without one it is in the variant's.
    pub uri: Option<String>,
    /// Whether it is played unless the viewer chooses.
    pub default: bool,
}

impl Rendition {
    /// `None` without a TYPE or a GROUP-ID, since nothing could refer to it.
    fn new(attributes: &Attributes) -> Option<Self> {
        Some(Self {
            kind: RenditionKind::from_token(attributes.get("TYPE")?)?,
            group_id: attributes.owned("GROUP-ID")?,
            name: attributes.owned("NAME").unwrap_or_default(),
            uri: attributes.owned("URI"),
            default: attributes.yes("DEFAULT"),
        })
    }
}

/// The media that renditions are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RenditionKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
    /// Text in a playlist of its own.
    Subtitles,
    /// Text within the pictures.
    ClosedCaptions,
}

impl RenditionKind {
    const ALL: [Self; 4] = [Self::Audio, Self::Video, Self::Subtitles, Self::ClosedCaptions];

    /// The word in the tag.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Audio => "AUDIO",
            Self::Video => "VIDEO",
            Self::Subtitles => "SUBTITLES",
            Self::ClosedCaptions => "CLOSED-CAPTIONS",
        }
    }

    fn from_token(token: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.token() == token)
    }
}

#[cfg(test)]
mod tests;
