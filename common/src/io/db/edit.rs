//! What an editor asks for: the edit inputs of an event, read, written and compared as one.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};

use super::ask::Statement;
use super::types::{BoxCoords, ThumbnailMode, VideoRange, VideoTransition};
use crate::base::time::Timestamp;

/// What the video of an event shall be.
///
/// Two that are equal ask for the same video, byte for byte: that is how a cutter finds out whether
/// an event was edited again since it looked.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// Where to publish.
    pub upload_location: String,
    /// The only cutters that may take it; `None`: any.
    pub uploader_whitelist: Option<Vec<String>>,
    /// Whether to cut although video is missing inside a range.
    pub allow_holes: bool,
    /// Whether the video is listed.
    pub public: bool,
    /// What the video shows; at least one.
    pub video_ranges: Vec<VideoRange>,
    /// How each range passes into the next, one fewer than ranges; `None` is a hard cut.
    pub video_transitions: Vec<Option<VideoTransition>>,
    /// The title.
    pub video_title: String,
    /// The description.
    pub video_description: String,
    /// The tags.
    pub video_tags: Vec<String>,
    /// The channel that the ranges are of.
    pub video_channel: String,
    /// The quality that the ranges are cut from.
    pub video_quality: String,
    /// The thumbnail.
    pub thumbnail: Thumbnail,
}

/// What the thumbnail of a video shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Where it comes from.
    pub mode: ThumbnailMode,
    /// The moment whose frame is shown.
    pub time: Option<Timestamp>,
    /// The template that the frame is put into.
    pub template: Option<String>,
    /// The part of the frame to show.
    pub crop: Option<BoxCoords>,
    /// Where in the template to show it.
    pub location: Option<BoxCoords>,
    /// SHA-256 of the image; the image itself stays in the database until it is needed.
    pub image_sha256: Option<Vec<u8>>,
}

impl Thumbnail {
    /// No thumbnail.
    pub const NONE: Self = Self {
        mode: ThumbnailMode::None,
        time: None,
        template: None,
        crop: None,
        location: None,
        image_sha256: None,
    };
}

/// The columns of an [`Edit`], to select.
macro_rules! edit_columns {
    () => {
        "upload_location, uploader_whitelist, allow_holes, public, video_ranges, \
         video_transitions, video_title, video_description, video_tags, video_channel, \
         video_quality, thumbnail_mode, thumbnail_time, thumbnail_template, thumbnail_crop, \
         thumbnail_location, sha256(thumbnail_image) AS thumbnail_sha256"
    };
}
pub(super) use edit_columns;

/// A condition that holds while a row asks for the [`Edit`] bound by [`bind_unchanged`] to `$1` to `$17`.
macro_rules! edit_is_unchanged {
    () => {
        "upload_location = $1 \
         AND uploader_whitelist IS NOT DISTINCT FROM $2::text[] \
         AND allow_holes = $3 \
         AND public = $4 \
         AND video_ranges = $5::video_range[] \
         AND video_transitions = $6::video_transition[] \
         AND video_title = $7 \
         AND video_description = $8 \
         AND video_tags = $9::text[] \
         AND video_channel = $10 \
         AND video_quality = $11 \
         AND thumbnail_mode = $12::thumbnail_mode \
         AND thumbnail_time IS NOT DISTINCT FROM $13::timestamp \
         AND thumbnail_template IS NOT DISTINCT FROM $14::text \
         AND thumbnail_crop IS NOT DISTINCT FROM $15::integer[] \
         AND thumbnail_location IS NOT DISTINCT FROM $16::integer[] \
         AND sha256(thumbnail_image) IS NOT DISTINCT FROM $17::bytea"
    };
}
pub(super) use edit_is_unchanged;

/// Binds what [`edit_is_unchanged`] compares, to `$1` to `$17`.
pub(super) fn bind_unchanged(statement: Statement, edit: &Edit) -> Statement {
    bind(statement, edit).bind(&edit.thumbnail.image_sha256)
}

/// Binds all of an edit but the image's hash, to `$1` to `$16`.
pub(super) fn bind(statement: Statement, edit: &Edit) -> Statement {
    statement
        .bind(&edit.upload_location)
        .bind(&edit.uploader_whitelist)
        .bind(edit.allow_holes)
        .bind(edit.public)
        .bind(&edit.video_ranges)
        .bind(&edit.video_transitions)
        .bind(&edit.video_title)
        .bind(&edit.video_description)
        .bind(&edit.video_tags)
        .bind(&edit.video_channel)
        .bind(&edit.video_quality)
        .bind(edit.thumbnail.mode)
        .bind(edit.thumbnail.time)
        .bind(&edit.thumbnail.template)
        .bind(&edit.thumbnail.crop)
        .bind(&edit.thumbnail.location)
}

impl FromRow<'_, PgRow> for Edit {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            upload_location: row.try_get("upload_location")?,
            uploader_whitelist: row.try_get("uploader_whitelist")?,
            allow_holes: row.try_get("allow_holes")?,
            public: row.try_get("public")?,
            video_ranges: row.try_get("video_ranges")?,
            video_transitions: row.try_get("video_transitions")?,
            video_title: row.try_get("video_title")?,
            video_description: row.try_get("video_description")?,
            video_tags: row.try_get("video_tags")?,
            video_channel: row.try_get("video_channel")?,
            video_quality: row.try_get("video_quality")?,
            thumbnail: Thumbnail {
                mode: row.try_get("thumbnail_mode")?,
                time: row.try_get("thumbnail_time")?,
                template: row.try_get("thumbnail_template")?,
                crop: row.try_get("thumbnail_crop")?,
                location: row.try_get("thumbnail_location")?,
                image_sha256: row.try_get("thumbnail_sha256")?,
            },
        })
    }
}
