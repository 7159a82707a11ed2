//! Writing media playlists.

use super::{WriteError, checked_uri, push_line, quoted};
use crate::base::digits::{push_decimal, push_in_hour};
use crate::base::time::{Hour, Timestamp};
use crate::format::hls::{ByteRange, Map, PlaylistType};

/// The protocol version to declare: the least one that has what the playlist uses (RFC 8216 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Version 3: durations with fractions.
    Durations = 3,
    /// Version 4: byte ranges too.
    ByteRanges = 4,
    /// Version 6: initialization sections (EXT-X-MAP) too.
    Maps = 6,
    /// Version 9: skipped segments (EXT-X-SKIP, RFC 8216bis §8) too.
    Deltas = 9,
}

/// What stands once at the top of a media playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaHeader {
    /// Enough for all that the segments will use.
    pub version: Version,
    /// Seconds; no segment may be longer when rounded: see [`target_duration`].
    pub target_duration: u64,
    /// The number of the first segment.
    pub media_sequence: u64,
    /// How many discontinuities came before the first segment.
    pub discontinuity_sequence: u64,
    /// Set when the list only grows (EVENT) or never changes (VOD).
    pub playlist_type: Option<PlaylistType>,
    /// Whether every segment can be played without those before it.
    pub independent_segments: bool,
    /// Seconds before the end of the list beyond which segments may be skipped in an update
    /// (CAN-SKIP-UNTIL, RFC 8216bis §4.4.3.8); at least six target durations.
    pub can_skip_until: Option<u64>,
}

/// One segment to write.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SegmentEntry<'a> {
    /// Relative or absolute address, already percent-encoded.
    pub uri: &'a str,
    /// Seconds.
    pub duration: f64,
    /// May be empty.
    pub title: &'a str,
    /// When its first picture was broadcast.
    pub program_date_time: Option<Timestamp>,
    /// Whether it does not follow on from the segment before it.
    pub discontinuity: bool,
    /// Whether it is listed without being there.
    pub gap: bool,
    /// The part of the resource that it is; its offset is always written.
    pub byte_range: Option<ByteRange>,
    /// Its initialization section; written where it differs from the previous segment's.
    pub map: Option<&'a Map>,
}

/// The least target duration for segments of these durations (in seconds), itself in seconds: the
/// longest one rounded (§4.3.3.1), and at least 1, so that nobody reloads without a pause.
pub fn target_duration(durations: impl IntoIterator<Item = f64>) -> u64 {
    durations.into_iter().map(rounded).fold(1, u64::max)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates at both ends"
)]
fn rounded(seconds: f64) -> u64 {
    seconds.round() as u64
}

/// Writes a media playlist from top to bottom.
#[derive(Clone, Debug)]
pub struct MediaPlaylistWriter {
    out: String,
    version: Version,
    target_duration: u64,
    map: Option<Map>,
    dates: DateWriter,
    durations: DurationWriter,
    ended: bool,
}

impl MediaPlaylistWriter {
    /// Begins a playlist with its header.
    pub fn new(header: &MediaHeader) -> Self {
        let mut out = String::from("#EXTM3U\n");
        push_line(&mut out, format_args!("#EXT-X-VERSION:{}", header.version as u8));
        push_line(&mut out, format_args!("#EXT-X-TARGETDURATION:{}", header.target_duration));
        push_line(&mut out, format_args!("#EXT-X-MEDIA-SEQUENCE:{}", header.media_sequence));
        if header.discontinuity_sequence > 0 {
            let number = header.discontinuity_sequence;
            push_line(&mut out, format_args!("#EXT-X-DISCONTINUITY-SEQUENCE:{number}"));
        }
        if let Some(playlist_type) = &header.playlist_type {
            push_line(&mut out, format_args!("#EXT-X-PLAYLIST-TYPE:{}", playlist_type.token()));
        }
        if header.independent_segments {
            out.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
        }
        if let Some(seconds) = header.can_skip_until {
            push_line(&mut out, format_args!("#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL={seconds}.0"));
        }
        let (version, target_duration) = (header.version, header.target_duration);
        Self {
            out,
            version,
            target_duration,
            map: None,
            dates: DateWriter::default(),
            durations: DurationWriter::default(),
            ended: false,
        }
    }

    /// Says that the next `count` segments are those that the client knows (RFC 8216bis §4.4.5.2).
    ///
    /// # Errors
    ///
    /// When the header declared a version without that.
    pub fn skip(&mut self, count: usize) -> Result<(), WriteError> {
        if self.version < Version::Deltas {
            return Err(WriteError::Version { needed: Version::Deltas as u8 });
        }
        push_line(&mut self.out, format_args!("#EXT-X-SKIP:SKIPPED-SEGMENTS={count}"));
        Ok(())
    }

    /// Appends a segment.
    ///
    /// # Errors
    ///
    /// When a value cannot stand in a playlist with this header; nothing is written then.
    pub fn segment(&mut self, segment: &SegmentEntry<'_>) -> Result<(), WriteError> {
        self.check(segment)?;
        let out = &mut self.out;
        if segment.discontinuity {
            out.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if let Some(map) = segment.map
            && self.map.as_ref() != Some(map)
        {
            push_map(out, map)?;
            self.map = Some(map.clone());
        }
        if let Some(time) = segment.program_date_time {
            self.dates.push_line(out, time);
        }
        if segment.gap {
            out.push_str("#EXT-X-GAP\n");
        }
        if let Some(range) = &segment.byte_range {
            push_line(out, format_args!("#EXT-X-BYTERANGE:{range}"));
        }
        self.durations.push_tag(out, segment.duration);
        for text in [segment.title, "\n", segment.uri, "\n"] {
            out.push_str(text);
        }
        Ok(())
    }

    /// Says that no segment will ever be added.
    ///
    /// # Errors
    ///
    /// When that was said before.
    pub fn end_list(&mut self) -> Result<(), WriteError> {
        if self.ended {
            return Err(WriteError::Ended);
        }
        self.out.push_str("#EXT-X-ENDLIST\n");
        self.ended = true;
        Ok(())
    }

    /// Hands over what was written since the last call.
    pub fn take(&mut self) -> String {
        // the next piece is probably about as long
        let room = String::with_capacity(self.out.len() + self.out.len() / 16);
        std::mem::replace(&mut self.out, room)
    }

    /// Hands over what was written since the last [`Self::take`], and ends the writing.
    pub fn finish(self) -> String {
        self.out
    }

    fn check(&self, segment: &SegmentEntry<'_>) -> Result<(), WriteError> {
        if self.ended {
            return Err(WriteError::Ended);
        }
        checked_uri(segment.uri)?;
        if segment.title.contains(char::is_control) {
            return Err(WriteError::Title);
        }
        let target = self.target_duration;
        let finite = segment.duration.is_finite() && segment.duration.is_sign_positive();
        if !finite || rounded(segment.duration) > target {
            return Err(WriteError::Duration { target });
        }
        if self.map.is_some() && segment.map.is_none() {
            return Err(WriteError::MapEnds);
        }
        let ranges = [segment.byte_range, segment.map.and_then(|map| map.byte_range)];
        if ranges.iter().flatten().any(|range| range.offset.is_none()) {
            return Err(WriteError::ByteRange);
        }
        let needed = match segment {
            SegmentEntry { map: Some(_), .. } => Version::Maps,
            SegmentEntry { byte_range: Some(_), .. } => Version::ByteRanges,
            _ => Version::Durations,
        };
        if needed > self.version {
            return Err(WriteError::Version { needed: needed as u8 });
        }
        segment.map.map_or(Ok(()), |map| quoted(&map.uri).map(drop))
    }
}

fn push_map(out: &mut String, map: &Map) -> Result<(), WriteError> {
    let uri = quoted(&map.uri)?;
    match &map.byte_range {
        Some(range) => push_line(out, format_args!("#EXT-X-MAP:URI={uri},BYTERANGE=\"{range}\"")),
        None => push_line(out, format_args!("#EXT-X-MAP:URI={uri}")),
    }
    Ok(())
}

/// Writes times as EXT-X-PROGRAM-DATE-TIME wants them: with a zone, and at least milliseconds
/// (§4.3.2.6). The date of an hour is printed once.
#[derive(Clone, Debug, Default)]
struct DateWriter {
    hour: Option<Hour>,
    /// The tag up to the minute.
    prefix: String,
}

impl DateWriter {
    fn push_line(&mut self, out: &mut String, time: Timestamp) {
        let hour = time.hour();
        if self.hour != Some(hour) {
            self.hour = Some(hour);
            self.prefix = format!("#EXT-X-PROGRAM-DATE-TIME:{hour}:");
        }
        let micros =
            u32::try_from(time.micros() - hour.start().micros()).expect("it lies in its hour");
        out.push_str(&self.prefix);
        push_in_hour(out, micros, if micros % 1_000 == 0 { 3 } else { 6 });
        out.push_str("Z\n");
    }
}

/// Writes EXTINF tags. Most segments are as long as the one before, so its text is kept.
#[derive(Clone, Debug, Default)]
struct DurationWriter {
    duration: Option<f64>,
    /// The tag up to the title.
    tag: String,
}

impl DurationWriter {
    fn push_tag(&mut self, out: &mut String, duration: f64) {
        if self.duration != Some(duration) {
            self.duration = Some(duration);
            self.tag.clear();
            self.tag.push_str("#EXTINF:");
            push_decimal(&mut self.tag, duration);
            self.tag.push(',');
        }
        out.push_str(&self.tag);
    }
}
