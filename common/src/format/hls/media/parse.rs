//! Reading a media playlist: one pass over its lines.

use std::borrow::Cow;
use std::sync::Arc;

use super::{
    ByteRange, DateRange, Key, KeyMethod, Map, MediaPlaylist, OtherTag, PlaylistType, Segment,
};
use crate::format::hls::attributes::decimal;
use crate::format::hls::lexer::{Content, Lexer, Tag, decode};
use crate::format::hls::{Attributes, Limits, PlaylistError, PlaylistKind, date, multivariant};

/// The tags that only a media playlist has.
pub(in crate::format::hls) const TAGS: [&str; 10] = [
    "EXTINF",
    "EXT-X-TARGETDURATION",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-DISCONTINUITY-SEQUENCE",
    "EXT-X-PLAYLIST-TYPE",
    "EXT-X-ENDLIST",
    "EXT-X-BYTERANGE",
    "EXT-X-MAP",
    "EXT-X-PROGRAM-DATE-TIME",
    "EXT-X-I-FRAMES-ONLY",
];

pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<MediaPlaylist, PlaylistError> {
    let text: Cow<'_, str> = decode(bytes, limits)?;
    let mut reader = Reader::default();
    for line in Lexer::new(&text, limits)? {
        let line = line?;
        match line.content {
            Content::Tag(tag) if multivariant::TAGS.contains(&tag.name) => {
                // a list that has both kinds of tags is the kind that its first one says
                if reader.decided {
                    continue;
                }
                let (found, wanted) = (PlaylistKind::Multivariant, PlaylistKind::Media);
                return Err(PlaylistError::WrongKind { found, wanted });
            }
            Content::Tag(tag) => reader.tag(line.number, tag, limits)?,
            Content::Uri(uri) => reader.uri(uri),
            Content::Comment => {}
        }
    }
    Ok(reader.list)
}

/// What has been read, and what applies to the segments to come.
#[derive(Default)]
struct Reader {
    list: MediaPlaylist,
    decided: bool,
    /// The segment whose address has not come yet.
    next: Segment,
    map: Option<Arc<Map>>,
    key: Option<Arc<Key>>,
}

impl Reader {
    fn tag(&mut self, line: usize, tag: Tag<'_>, limits: &Limits) -> Result<(), PlaylistError> {
        self.decided |= TAGS.contains(&tag.name);
        let known = self.list_tag(tag) || self.segment_tag(tag) || {
            self.attribute_tag(tag, limits.attributes)?
        };
        if !known {
            self.list.other_tags.push(OtherTag {
                position: self.list.segments.len(),
                line,
                name: tag.name.to_owned(),
                value: tag.value.to_owned(),
            });
        }
        Ok(())
    }

    /// Tags about the whole list.
    fn list_tag(&mut self, Tag { name, value }: Tag<'_>) -> bool {
        let list = &mut self.list;
        match name {
            "EXT-X-VERSION" => list.version = value.parse().ok(),
            "EXT-X-TARGETDURATION" => list.target_duration = decimal(value),
            "EXT-X-MEDIA-SEQUENCE" => list.media_sequence = value.parse().unwrap_or(0),
            "EXT-X-DISCONTINUITY-SEQUENCE" => {
                list.discontinuity_sequence = value.parse().unwrap_or(0);
            }
            "EXT-X-PLAYLIST-TYPE" => {
                list.playlist_type = match value {
                    "EVENT" => Some(PlaylistType::Event),
                    "VOD" => Some(PlaylistType::Vod),
                    _ => None,
                };
            }
            "EXT-X-ENDLIST" => list.end_list = true,
            "EXT-X-TWITCH-PREFETCH" => list.prefetch.push(value.to_owned()),
            _ => return false,
        }
        true
    }

    /// Tags about the next segment.
    fn segment_tag(&mut self, Tag { name, value }: Tag<'_>) -> bool {
        let next = &mut self.next;
        match name {
            "EXTINF" => {
                let (duration, title) = value.split_once(',').unwrap_or((value, ""));
                next.duration = decimal(duration);
                title.trim().clone_into(&mut next.title);
            }
            "EXT-X-PROGRAM-DATE-TIME" => next.program_date_time = date::parse(value),
            "EXT-X-DISCONTINUITY" => next.discontinuity = true,
            "EXT-X-GAP" => next.gap = true,
            // a range that cannot be read leaves the segment undefined, not whole
            "EXT-X-BYTERANGE" => {
                let undefined = ByteRange { length: 0, offset: None };
                next.byte_range = Some(byte_range(value).unwrap_or(undefined));
            }
            _ => return false,
        }
        true
    }

    /// Tags with attributes.
    fn attribute_tag(&mut self, tag: Tag<'_>, limit: usize) -> Result<bool, PlaylistError> {
        let read = || Attributes::parse(tag.value, limit);
        match tag.name {
            // one without an address is as good as not there
            "EXT-X-MAP" => {
                let map = map(&read()?, self.key.clone());
                self.map = map.map(Arc::new).or(self.map.take());
            }
            "EXT-X-KEY" => self.key_tag(key(&read()?)),
            "EXT-X-SERVER-CONTROL" => {
                self.list.can_block_reload = read()?.yes("CAN-BLOCK-RELOAD");
                // there is more in it, which is only kept
                return Ok(false);
            }
            "EXT-X-SKIP" => {
                self.list.skipped_segments = read()?.integer("SKIPPED-SEGMENTS").unwrap_or(0);
            }
            "EXT-X-DATERANGE" => {
                let position = self.list.segments.len();
                self.list.date_ranges.push(date_range(position, read()?));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A key replaces the one before. One key may be given in several formats, each in force until another
    /// of its format (RFC 8216 §4.3.2.4): the one that can be fetched as it is goes before those for players.
    fn key_tag(&mut self, key: Option<Key>) {
        let is_other_format = |held: &Key, new: &Key| {
            held.is_identity() && !new.is_identity() && held.method == new.method
        };
        match (&self.key, key) {
            (Some(held), Some(new)) if is_other_format(held, &new) => {}
            (_, key) => self.key = key.map(Arc::new),
        }
    }

    /// An address ends the description of a segment.
    fn uri(&mut self, uri: &str) {
        let mut segment = std::mem::take(&mut self.next);
        uri.clone_into(&mut segment.uri);
        segment.map.clone_from(&self.map);
        segment.key.clone_from(&self.key);
        if let Some(range) = &mut segment.byte_range
            && range.offset.is_none()
        {
            range.offset = self.list.segments.last().and_then(|last| end_within(last, uri));
        }
        self.list.segments.push(segment);
    }
}

/// Where a range without an offset begins: after the segment before it, if that is a part of the
/// same resource (§4.3.2.2).
fn end_within(previous: &Segment, uri: &str) -> Option<u64> {
    let range = previous.byte_range.filter(|_| previous.uri == uri)?;
    range.offset?.checked_add(range.length)
}

/// `length[@offset]`
fn byte_range(text: &str) -> Option<ByteRange> {
    let (length, offset) = match text.split_once('@') {
        Some((length, offset)) => (length, Some(offset.trim().parse().ok()?)),
        None => (text, None),
    };
    Some(ByteRange { length: length.trim().parse().ok()?, offset })
}

fn map(attributes: &Attributes, key: Option<Arc<Key>>) -> Option<Map> {
    // unlike a segment's, a section's range begins at 0 unless it says otherwise (§4.3.2.5)
    let range = attributes.get("BYTERANGE").map(|text| match byte_range(text) {
        Some(ByteRange { length, offset }) => ByteRange { length, offset: offset.or(Some(0)) },
        None => ByteRange { length: 0, offset: None },
    });
    Some(Map { uri: attributes.owned("URI")?, byte_range: range, key })
}

/// `None` for METHOD=NONE. A tag that names no method is no promise of clear text.
fn key(attributes: &Attributes) -> Option<Key> {
    let method = match attributes.get("METHOD").unwrap_or_default() {
        "NONE" => return None,
        "AES-128" => KeyMethod::Aes128,
        "SAMPLE-AES" => KeyMethod::SampleAes,
        other => KeyMethod::Other(other.to_owned()),
    };
    Some(Key {
        method,
        uri: attributes.owned("URI"),
        iv: attributes.owned("IV"),
        key_format: attributes.owned("KEYFORMAT"),
    })
}

fn date_range(position: usize, attributes: Attributes) -> DateRange {
    let date = |name| attributes.get(name).and_then(date::parse);
    DateRange {
        position,
        id: attributes.owned("ID").unwrap_or_default(),
        class: attributes.owned("CLASS"),
        start: date("START-DATE"),
        end: date("END-DATE"),
        duration: attributes.decimal("DURATION"),
        attributes,
    }
}

#[cfg(test)]
mod tests;
