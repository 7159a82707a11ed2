//! The text of a media playlist, hour by hour, so that that of a week is never in memory whole.

use common::base::time::Hour;
use common::format::hls::{
    ByteRange, Map, MediaHeader, MediaPlaylistWriter, PlaylistType, SegmentEntry, Version,
    WriteError,
};
use common::format::media::Container;
use common::format::mpegts::PACKET_BYTES;
use common::plan::listing::{Format, HeadsView, KnownHead, Segment};
use common::plan::select::Part;

use super::marks::{Marks, breaks};
use super::media::{End, MediaPlaylist};
use crate::uri::escaped;

/// Where a transport stream should tell what is in it: its first two packets (RFC 8216 §3.2). Taken where
/// nothing else is known.
const TS_TABLES_BYTES: u64 = 2 * PACKET_BYTES as u64;

/// How long an initialization section is named alike, in microseconds: it is named anew at each
/// multiple within the hour, so that little before a segment decides what it is named by.
const TURN_MICROS: u32 = 120_000_000;

/// Which of those times it is.
pub(super) type Turn = (Hour, u32);

/// The initialization section in force, and of which format and time.
type InForce = (Format, Turn, Map);

/// The text of a playlist that is being written; ends after the first error.
pub(crate) struct Text {
    playlist: MediaPlaylist,
    writer: MediaPlaylistWriter,
    /// The address of the feed's folder.
    folder: String,
    /// How many segments at the front are still to be skipped.
    skip: usize,
    next_part: usize,
    /// The format of the segment written last.
    format: Option<Format>,
    map: Option<InForce>,
    is_done: bool,
}

impl Text {
    /// The text of `playlist`, leaving out the first `skip` segments, which its reader knows.
    ///
    /// # Errors
    ///
    /// When more is skipped than a playlist may; that is a mistake here.
    pub(crate) fn new(playlist: MediaPlaylist, skip: usize) -> Result<Self, WriteError> {
        let version = match (playlist.grows, playlist.contents.has_maps) {
            (true, _) => Version::Deltas,
            (false, true) => Version::Maps,
            (false, false) => Version::Durations,
        };
        let mut writer = MediaPlaylistWriter::new(&MediaHeader {
            version,
            target_duration: playlist.target_duration,
            media_sequence: playlist.media_sequence,
            discontinuity_sequence: playlist.discontinuity_sequence,
            playlist_type: (playlist.end == End::Complete).then_some(PlaylistType::Vod),
            independent_segments: playlist.contents.is_independent,
            can_skip_until: playlist.can_skip_until(),
        });
        if skip > 0 {
            writer.skip(skip)?;
        }
        let (channel, quality) = (playlist.feed.channel.as_str(), playlist.feed.quality.as_str());
        let folder = format!("/segments/{}/{}", escaped(channel), escaped(quality));
        let (format, map) = (None, None);
        Ok(Self { playlist, writer, folder, skip, next_part: 0, format, map, is_done: false })
    }

    fn write_part(&mut self, part: &Part, previous: Option<Segment<'_>>) -> Result<(), WriteError> {
        let mut previous = previous;
        let heads = part.listing().heads().view();
        if self.skip >= part.len() && !self.playlist.contents.has_maps {
            // nothing is said of it, and nothing of it stays in force
            self.skip -= part.len();
            self.format = Some(head_of(&heads, part.last()).format);
            return Ok(());
        }
        let mut uri = format!("{}/{}/", self.folder, part.listing().hour());
        let folder = uri.len();
        for segment in part.segments() {
            let head = head_of(&heads, segment);
            let is_skipped = self.skip > 0;
            let gap = self.playlist.is_gap(segment.start());
            if !is_skipped {
                uri.truncate(folder);
                push_name(&mut uri, segment);
            }
            // what is skipped may leave an initialization section in force; what is stored no longer can
            // neither need nor hold one
            if !gap && (!is_skipped || self.playlist.contents.has_maps) {
                self.map = map(self.map.take(), segment, head, |format| {
                    let named =
                        format.map_or(segment, |format| anchor(part, segment, format, &heads));
                    format!("{}{}", &uri[..folder], escaped_name(named))
                });
            }
            if is_skipped {
                self.skip -= 1;
            } else {
                self.writer.segment(&SegmentEntry {
                    uri: &uri,
                    duration: segment.duration().seconds(),
                    program_date_time: Some(segment.start()),
                    discontinuity: self.is_marked(previous, segment, head.format),
                    byte_range: media_bytes(head),
                    map: self.map.as_ref().map(|(_, _, map)| map),
                    gap,
                    ..SegmentEntry::default()
                })?;
            }
            self.format = Some(head.format);
            previous = Some(segment);
        }
        Ok(())
    }

    fn is_marked(&self, previous: Option<Segment<'_>>, next: Segment<'_>, format: Format) -> bool {
        match &self.playlist.marks {
            Marks::Announced(marks) => marks.binary_search(&next.start()).is_ok(),
            Marks::AsFound(noted) => breaks(previous, next, noted, self.format, format),
        }
    }
}

impl Iterator for Text {
    type Item = Result<String, WriteError>;

    fn next(&mut self) -> Option<Result<String, WriteError>> {
        if self.is_done {
            return None;
        }
        let parts = &self.playlist.parts;
        let part = parts.get(self.next_part).cloned();
        let before = self.next_part.checked_sub(1).map(|before| parts[before].clone());
        let mut written =
            part.map_or(Ok(()), |part| self.write_part(&part, before.as_ref().map(Part::last)));
        self.next_part += 1;
        if self.next_part >= self.playlist.parts.len() {
            self.is_done = true;
            if written.is_ok() && self.playlist.end != End::Open {
                written = self.writer.end_list();
            }
        }
        self.is_done |= written.is_err();
        Some(written.map(|()| self.writer.take()))
    }
}

/// The initialization section in force for `segment` after `before` was.
///
/// It is named in the first segment of its turn since when it is the same, so that it stays the same while
/// segments are taken away or skipped at the front, and a player loads it once; `address` is that one's, or
/// that of `segment` where no format tells what is the same. What cannot be read changes nothing. An
/// initialization section cannot be taken back (RFC 8216 §4.3.2.5), so that what follows fragmented MP4
/// must have one of its own: in a transport stream that is its tables.
fn map(
    before: Option<InForce>,
    segment: Segment<'_>,
    head: KnownHead,
    address: impl FnOnce(Option<Format>) -> String,
) -> Option<InForce> {
    let byte_range = match head.format.container {
        Container::Fmp4 { init_bytes: 0 } | Container::Unknown => return before,
        Container::Fmp4 { init_bytes } => first_bytes(init_bytes.into()),
        Container::MpegTs { tables } if before.is_some() && tables.bytes > 0 => {
            ByteRange { length: tables.bytes.into(), offset: Some(tables.start.into()) }
        }
        Container::MpegTs { .. } => {
            before.as_ref()?;
            first_bytes(TS_TABLES_BYTES)
        }
    };
    let turn = turn(segment);
    let is_told = head.format.fingerprint.is_some();
    match before {
        Some((format, since, map)) if is_told && format == head.format && since == turn => {
            Some((format, since, map))
        }
        _ => {
            let uri = address(is_told.then_some(head.format));
            Some((head.format, turn, Map { uri, byte_range: Some(byte_range), key: None }))
        }
    }
}

fn head_of(heads: &HeadsView<'_>, segment: Segment<'_>) -> KnownHead {
    heads.get(segment.index()).unwrap_or(KnownHead::UNKNOWN)
}

fn first_bytes(length: u64) -> ByteRange {
    ByteRange { length, offset: Some(0) }
}

/// The part of a file that is media, where that is not all of it.
fn media_bytes(head: KnownHead) -> Option<ByteRange> {
    match head.format.container {
        Container::Fmp4 { init_bytes } if init_bytes > 0 => Some(ByteRange {
            length: u64::from(head.size.saturating_sub(init_bytes)),
            offset: Some(u64::from(init_bytes)),
        }),
        _ => None,
    }
}

pub(super) fn turn(segment: Segment<'_>) -> Turn {
    (segment.hour(), segment.start_in_hour_micros() / TURN_MICROS)
}

/// The first segment of the turn of `segment` since when every one is of `format`, as far as is known.
fn anchor<'a>(
    part: &'a Part,
    segment: Segment<'a>,
    format: Format,
    heads: &HeadsView<'_>,
) -> Segment<'a> {
    let before = part.listing().line_before(segment);
    let is_same = |before: &Segment<'_>| {
        let head = heads.get(before.index());
        turn(*before) == turn(segment) && head.is_some_and(|head| head.format == format)
    };
    before.take_while(is_same).last().unwrap_or(segment)
}

fn push_name(uri: &mut String, segment: Segment<'_>) {
    match segment.odd_name() {
        Some(name) => uri.extend(escaped(name)),
        // of letters, digits and marks that need no escape
        None => segment.push_file_name(uri),
    }
}

fn escaped_name(segment: Segment<'_>) -> String {
    let mut name = String::new();
    push_name(&mut name, segment);
    name
}

#[cfg(test)]
pub(super) mod tests;
