//! The types of the schema, and how instants travel.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};
use thiserror::Error;

use crate::base::time::{TimeRange, Timestamp};

/// How far an event is on its way to a published video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Type)]
#[sqlx(type_name = "event_state", rename_all = "UPPERCASE")]
pub enum EventState {
    /// Nobody has said yet what the video shall be.
    Unedited,
    /// Ready to be taken by a cutter.
    Edited,
    /// A cutter holds it and cuts; nothing is published.
    Claimed,
    /// All bytes were sent; only the upload location knows whether it is published.
    Finalizing,
    /// Published; the upload location still processes it.
    Transcoding,
    /// Published and ready.
    Done,
    /// Published, and what was published shall change.
    Modified,
}

impl EventState {
    /// Every state, in the order in which an event usually goes through them.
    pub const ALL: [Self; 7] = [
        Self::Unedited,
        Self::Edited,
        Self::Claimed,
        Self::Finalizing,
        Self::Transcoding,
        Self::Done,
        Self::Modified,
    ];

    /// Returns the states that may follow. The database refuses every other one; a test compares
    /// the two.
    pub const fn successors(self) -> &'static [Self] {
        match self {
            Self::Unedited => &[Self::Edited],
            Self::Edited => &[Self::Unedited, Self::Claimed],
            Self::Claimed => &[Self::Unedited, Self::Edited, Self::Finalizing],
            Self::Finalizing => &[Self::Unedited, Self::Edited, Self::Transcoding, Self::Done],
            Self::Transcoding | Self::Modified => &[Self::Done],
            Self::Done => &[Self::Modified],
        }
    }

    /// Returns the name that the database has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unedited => "UNEDITED",
            Self::Edited => "EDITED",
            Self::Claimed => "CLAIMED",
            Self::Finalizing => "FINALIZING",
            Self::Transcoding => "TRANSCODING",
            Self::Done => "DONE",
            Self::Modified => "MODIFIED",
        }
    }
}

/// Where a thumbnail comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Type)]
#[sqlx(type_name = "thumbnail_mode", rename_all = "UPPERCASE")]
pub enum ThumbnailMode {
    /// There is none.
    None,
    /// A frame of the video.
    Bare,
    /// A frame of the video, put into a template.
    Template,
    /// An image that a person made.
    Custom,
}

/// A stretch of a channel as an editor marked it; it may be empty or backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Type)]
#[sqlx(type_name = "video_range")]
pub struct VideoRange {
    /// The first instant to show.
    pub start: Timestamp,
    /// The first instant not to show.
    pub end: Timestamp,
}

impl VideoRange {
    /// Returns the span; `None` when it is empty or backwards.
    pub fn span(self) -> Option<TimeRange> {
        TimeRange::new(self.start, self.end)
    }
}

/// How one range passes into the next.
#[derive(Clone, Debug, PartialEq, Type)]
#[sqlx(type_name = "video_transition")]
pub struct VideoTransition {
    /// The kind, by ffmpeg's name.
    pub kind: String,
    /// How long it takes, in seconds.
    pub duration: f64,
}

/// A box in pixels: left, top, right, bottom.
#[derive(Clone, Debug, PartialEq, Eq, Type)]
#[sqlx(transparent, no_pg_array)]
pub struct BoxCoords(pub Vec<i32>);

/// A `timestamp` that is no instant between the years 0 and 9999.
#[derive(Debug, Error)]
#[error("a timestamp is infinite or beyond the years 0 to 9999")]
struct NoInstant;

/// 2000-01-01, from which PostgreSQL counts, in microseconds after the Unix epoch.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

// By hand, not through chrono: an infinite timestamp must be an error of its row, and chrono's
// decoder panics on it.

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamp")
    }
}

impl PgHasArrayType for Timestamp {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_timestamp")
    }
}

impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.micros() - POSTGRES_EPOCH, buffer)
    }
}

impl Decode<'_, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() == PgValueFormat::Text {
            return Err("timestamps are only asked for in binary form".into());
        }
        let since_2000: i64 = Decode::<Postgres>::decode(value)?;
        let micros = since_2000.checked_add(POSTGRES_EPOCH).ok_or(NoInstant)?;
        let instant = Self::from_micros(micros);
        // the nearest instant is not what the row says
        if instant.micros() == micros { Ok(instant) } else { Err(NoInstant.into()) }
    }
}
