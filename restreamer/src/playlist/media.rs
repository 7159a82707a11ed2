//! Media playlists: the best segments of a span.

use std::io;

use common::base::time::{Hour, Timestamp};
use common::format::hls::{
    MediaHeader, MediaPlaylistWriter, PlaylistType, SegmentEntry, Version, WriteError,
    target_duration,
};
use common::io::store::{Feed, Store};
use common::plan::chosen::{ChosenSegment, chosen_segments};
use common::plan::listing::HourListing;
use common::plan::select::{Selection, best_segments};

use super::span::{Asked, Span};
use crate::error::ApiError;
use crate::uri::escaped;

/// How many hours' listings are held for one playlist: more than two weeks.
const MAX_HOURS: usize = 400;

/// How many segments are written at a time.
const SEGMENTS_PER_PIECE: usize = 500;

/// What a media playlist lists.
#[derive(Debug)]
pub(crate) struct MediaPlaylist {
    segments: Vec<ChosenSegment>,
    end: End,
}

/// What may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// More segments.
    Open,
    /// Nothing at the end, but something might fill a hole.
    Over,
    /// Nothing at all.
    Complete,
}

impl MediaPlaylist {
    /// The playlist of what is stored of `feed` in the span `asked` for. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// When the span cannot be told or is too long, or the disk cannot be read.
    pub(crate) fn read(
        store: &Store,
        feed: &Feed,
        asked: Asked,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let mut hours = store.hours(feed).map_err(ApiError::internal("list hours"))?;
        let span = Span::new(asked, &hours, now)?;
        let Some(range) = span.range else {
            return Ok(Self { segments: Vec::new(), end: End::Open });
        };
        hours.retain(|hour| range.may_lie_in(*hour));
        if hours.len() > MAX_HOURS {
            let problem = format!("more than {MAX_HOURS} recorded hours lie between it and start");
            return Err(ApiError::parameter("end", problem));
        }
        let listings: io::Result<Vec<HourListing>> =
            hours.into_iter().map(|hour| store.hour(feed, hour)).collect();
        let listings = listings.map_err(ApiError::internal("list segments"))?;
        let selection = best_segments(&listings, range);
        Ok(Self { segments: chosen_segments(&selection), end: End::of(&selection, span) })
    }

    /// How many segments it lists.
    pub(crate) fn len(&self) -> usize {
        self.segments.len()
    }

    /// Its text, piece by piece, so that the playlist of a week is not in memory whole.
    pub(crate) fn pieces(
        self,
        feed: &Feed,
    ) -> impl Iterator<Item = Result<String, WriteError>> + use<> {
        let durations = self.segments.iter().map(|segment| segment.duration.seconds());
        let writer = MediaPlaylistWriter::new(&MediaHeader {
            version: Version::Durations,
            target_duration: target_duration(durations),
            // nothing is removed at the front while the start stays the same
            media_sequence: 0,
            discontinuity_sequence: 0,
            playlist_type: (self.end == End::Complete).then_some(PlaylistType::Vod),
        });
        let folder = format!(
            "/segments/{}/{}",
            escaped(feed.channel.as_str()),
            escaped(feed.quality.as_str())
        );
        Pieces { writer, folder, segments: self.segments.into_iter(), end: Some(self.end) }
    }
}

impl End {
    fn of(selection: &Selection<'_>, span: Span) -> Self {
        match (span.is_over && selection.reaches_end(), selection.holes().next()) {
            (false, _) => Self::Open,
            (true, Some(_)) => Self::Over,
            (true, None) => Self::Complete,
        }
    }
}

/// The text of a playlist that is being written.
struct Pieces {
    writer: MediaPlaylistWriter,
    /// The address of the feed's folder.
    folder: String,
    segments: std::vec::IntoIter<ChosenSegment>,
    /// `None` once all is written.
    end: Option<End>,
}

impl Iterator for Pieces {
    type Item = Result<String, WriteError>;

    fn next(&mut self) -> Option<Result<String, WriteError>> {
        let end = self.end?;
        let written = self.write_piece(end);
        if written.is_err() || self.segments.len() == 0 {
            self.end = None;
        }
        Some(written.map(|()| self.writer.take()))
    }
}

impl Pieces {
    fn write_piece(&mut self, end: End) -> Result<(), WriteError> {
        for segment in self.segments.by_ref().take(SEGMENTS_PER_PIECE) {
            let uri = uri(&self.folder, segment.hour(), &segment.file_name);
            self.writer.segment(&SegmentEntry {
                uri: &uri,
                duration: segment.duration.seconds(),
                program_date_time: Some(segment.start),
                discontinuity: segment.after_hole,
                ..SegmentEntry::default()
            })?;
        }
        if self.segments.len() == 0 && end != End::Open {
            self.writer.end_list()?;
        }
        Ok(())
    }
}

fn uri(folder: &str, hour: Hour, file_name: &str) -> String {
    format!("{folder}/{hour}/{}", escaped(file_name))
}
