//! HLS playlists (RFC 8216): read leniently and within bounds, written strictly.
//!
//! Playlists come from strangers, and a recorder that refuses one over a detail loses video. So
//! reading keeps whatever can be understood, an oddity costs at most the tag that it is in, and only
//! a text that is no playlist, or is absurdly large, is an error. Nothing here fetches, resolves
//! addresses or knows what time it is; and nothing interprets a playlist: values stand as the
//! publisher wrote them, to be judged by whoever uses them.
//!
//! What we write ourselves keeps every rule, since players differ in what they forgive.

use thiserror::Error;

mod attributes;
mod date;
mod lexer;
mod media;
mod multivariant;
mod write;

pub use attributes::Attributes;
pub use lexer::Limits;
pub use media::{
    ByteRange, DateRange, Key, KeyMethod, Map, MediaPlaylist, OtherTag, PlaylistType, Segment,
};
pub use multivariant::{MultivariantPlaylist, Rendition, RenditionKind, Resolution, Variant};
pub use write::{
    MediaHeader, MediaPlaylistWriter, MultivariantWriter, RenditionEntry, SegmentEntry,
    VariantEntry, Version, WriteError, target_duration,
};

/// A playlist of either kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Playlist {
    /// Names the renditions of a presentation.
    Multivariant(MultivariantPlaylist),
    /// Names the segments of one rendition.
    Media(MediaPlaylist),
}

impl Playlist {
    /// Reads a playlist of whichever kind `bytes` hold. The first tag that belongs to one kind alone
    /// decides; without any, it is a media playlist that has no segments yet.
    ///
    /// # Errors
    ///
    /// When `bytes` are no playlist or exceed the default [`Limits`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PlaylistError> {
        match PlaylistKind::of(bytes)? {
            PlaylistKind::Multivariant => {
                MultivariantPlaylist::parse(bytes).map(Self::Multivariant)
            }
            PlaylistKind::Media => MediaPlaylist::parse(bytes).map(Self::Media),
        }
    }
}

/// The two kinds of playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaylistKind {
    /// Lists variants.
    Multivariant,
    /// Lists segments.
    Media,
}

impl PlaylistKind {
    /// Which kind of playlist `bytes` hold, by the first tag that belongs to one kind alone.
    ///
    /// # Errors
    ///
    /// When `bytes` are no playlist or exceed the default [`Limits`].
    pub fn of(bytes: &[u8]) -> Result<Self, PlaylistError> {
        let text = lexer::decode(bytes, &Limits::default())?;
        for line in lexer::Lexer::new(&text, &Limits::default())? {
            let lexer::Content::Tag(tag) = line?.content else {
                continue;
            };
            if multivariant::TAGS.contains(&tag.name) {
                return Ok(Self::Multivariant);
            }
            if media::TAGS.contains(&tag.name) {
                return Ok(Self::Media);
            }
        }
        Ok(Self::Media)
    }
}

/// Why a text was not taken as a playlist. Each message is a sentence for the operator.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlaylistError {
    /// Nothing, or only blanks.
    #[error("the answer is empty where a playlist should be")]
    Empty,
    /// A web page, mostly an error or a login page sent with status 200.
    #[error("the answer is a web page, not a playlist: it begins {begins:?}")]
    Html {
        /// How the text begins.
        begins: String,
    },
    /// Anything else without the first line that every playlist has (RFC 8216 §4.3.1.1).
    #[error("the answer is no playlist: it begins {begins:?} instead of \"#EXTM3U\"")]
    NoHeader {
        /// How the text begins.
        begins: String,
    },
    /// A playlist of the other kind.
    #[error("this is a {} playlist where a {} playlist was expected", kind_word(*.found), kind_word(*.wanted))]
    WrongKind {
        /// What the text is.
        found: PlaylistKind,
        /// What it should have been.
        wanted: PlaylistKind,
    },
    /// Larger than a playlist may be.
    #[error("the playlist is too large: it has more than {limit} {bound}")]
    TooLarge {
        /// Which of the bounds.
        bound: Bound,
        /// Its value.
        limit: usize,
    },
}

/// What is limited about a playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Bound {
    /// The whole text.
    #[error("bytes")]
    Bytes,
    /// The number of lines.
    #[error("lines")]
    Lines,
    /// One line.
    #[error("bytes in one line")]
    LineBytes,
    /// One tag's attributes.
    #[error("attributes in one tag")]
    Attributes,
}

const fn kind_word(kind: PlaylistKind) -> &'static str {
    match kind {
        PlaylistKind::Multivariant => "multivariant",
        PlaylistKind::Media => "media",
    }
}

#[cfg(test)]
mod tests;
