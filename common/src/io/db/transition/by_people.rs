//! What editors and operators do with an event.

use super::Transition;
use crate::base::time::Timestamp;
use crate::io::db::edit::{self, Edit};
use crate::io::db::{Database, DbError};

/// What an editor submits.
#[derive(Clone, Debug)]
pub struct Submission<'a> {
    /// What the video shall be. The hash in its thumbnail is not used: the image itself is.
    pub edit: &'a Edit,
    /// The thumbnail's image.
    pub thumbnail_image: Option<&'a [u8]>,
    /// Who edited it.
    pub editor: &'a str,
    /// When.
    pub at: Timestamp,
}

/// What may change about a published video.
#[derive(Clone, Debug)]
pub struct Metadata<'a> {
    /// The title.
    pub title: &'a str,
    /// The description.
    pub description: &'a str,
    /// The tags.
    pub tags: &'a [String],
    /// Whether the video is listed.
    pub public: bool,
}

/// UNEDITED → EDITED: an editor says what the video shall be.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn submit(
    database: &Database,
    id: &str,
    submission: &Submission<'_>,
) -> Result<Transition, DbError> {
    const SQL: &str = "UPDATE events SET state = 'EDITED', uploader = NULL, error = NULL, \
        upload_location = $1, uploader_whitelist = $2, allow_holes = $3, public = $4, \
        video_ranges = $5, video_transitions = $6, video_title = $7, video_description = $8, \
        video_tags = $9, video_channel = $10, video_quality = $11, thumbnail_mode = $12, \
        thumbnail_time = $13, thumbnail_template = $14, thumbnail_crop = $15, \
        thumbnail_location = $16, thumbnail_image = $18, editor = $19, edit_time = $20 \
        WHERE id = $17 AND state = 'UNEDITED'";
    let query = || {
        edit::bind(sqlx::query(SQL), submission.edit)
            .bind(id)
            .bind(submission.thumbnail_image)
            .bind(submission.editor)
            .bind(submission.at)
    };
    database.execute("submit", query).await.map(Transition::of_rows)
}

/// EDITED or CLAIMED → UNEDITED: an operator takes it back before anything was published.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn cancel(database: &Database, id: &str) -> Result<Transition, DbError> {
    let query = || {
        sqlx::query(
            "UPDATE events SET state = 'UNEDITED', uploader = NULL, error = NULL \
             WHERE id = $1 AND state IN ('EDITED', 'CLAIMED')",
        )
        .bind(id)
    };
    database.execute("cancel", query).await.map(Transition::of_rows)
}

/// DONE → MODIFIED: what was published shall change.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn modify(
    database: &Database,
    id: &str,
    metadata: &Metadata<'_>,
    at: Timestamp,
) -> Result<Transition, DbError> {
    let query = || {
        sqlx::query(
            "UPDATE events SET state = 'MODIFIED', last_modified = $6, video_title = $2, \
             video_description = $3, video_tags = $4, public = $5 \
             WHERE id = $1 AND state = 'DONE'",
        )
        .bind(id)
        .bind(metadata.title)
        .bind(metadata.description)
        .bind(metadata.tags)
        .bind(metadata.public)
        .bind(at)
    };
    database.execute("modify", query).await.map(Transition::of_rows)
}
