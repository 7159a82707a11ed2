//! What the upload location's answer does to an event: from FINALIZING on, the truth lies there.

use super::Transition;
use crate::base::time::Timestamp;
use crate::io::db::{Database, DbError, EventState};

/// A video that is out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// What the upload location calls it.
    pub video_id: String,
    /// Where it is.
    pub link: String,
    /// When it was published.
    pub at: Timestamp,
    /// SHA-256 of the thumbnail that was sent with it.
    pub thumbnail_sha256: Option<Vec<u8>>,
}

/// FINALIZING → EDITED: it surely was not published, and anybody may try again.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn not_published(
    database: &Database,
    id: &str,
    cutter: &str,
    video_id: Option<&str>,
    error: Option<&str>,
) -> Result<Transition, DbError> {
    let query = || {
        sqlx::query(
            "UPDATE events SET state = 'EDITED', uploader = NULL, video_id = NULL, error = $4 \
             WHERE id = $1 AND state = 'FINALIZING' AND uploader = $2 \
             AND video_id IS NOT DISTINCT FROM $3",
        )
        .bind(id)
        .bind(cutter)
        .bind(video_id)
        .bind(error)
    };
    database.execute("not published", query).await.map(Transition::of_rows)
}

/// FINALIZING → TRANSCODING: it was published, and the upload location still processes it.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn transcoding(
    database: &Database,
    id: &str,
    cutter: &str,
    published: &Published,
) -> Result<Transition, DbError> {
    let query = || {
        sqlx::query(
            "UPDATE events SET state = 'TRANSCODING', error = NULL, video_link = $4, \
             upload_time = $5, thumbnail_last_written = $6 \
             WHERE id = $1 AND state = 'FINALIZING' AND uploader = $2 AND video_id = $3",
        )
        .bind(id)
        .bind(cutter)
        .bind(&published.video_id)
        .bind(&published.link)
        .bind(published.at)
        .bind(&published.thumbnail_sha256)
    };
    database.execute("transcoding", query).await.map(Transition::of_rows)
}

/// FINALIZING or TRANSCODING → DONE: it is published and ready.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn done(
    database: &Database,
    id: &str,
    cutter: &str,
    from: EventState,
    published: &Published,
) -> Result<Transition, DbError> {
    let query = || {
        sqlx::query(
            "UPDATE events SET state = 'DONE', error = NULL, video_link = $5, upload_time = $6, \
             thumbnail_last_written = $7 \
             WHERE id = $1 AND state = $2 AND uploader = $3 AND video_id = $4",
        )
        .bind(id)
        .bind(from)
        .bind(cutter)
        .bind(&published.video_id)
        .bind(&published.link)
        .bind(published.at)
        .bind(&published.thumbnail_sha256)
    };
    database.execute("done", query).await.map(Transition::of_rows)
}

/// MODIFIED → DONE: the change of `last_modified` was carried out, or dropped when no thumbnail is
/// named. A row that was changed again meanwhile stays MODIFIED.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn modification_done(
    database: &Database,
    id: &str,
    last_modified: Timestamp,
    thumbnail_sha256: Option<&[u8]>,
) -> Result<Transition, DbError> {
    let query = || {
        sqlx::query(
            "UPDATE events SET state = 'DONE', error = NULL, \
             thumbnail_last_written = coalesce($3, thumbnail_last_written) \
             WHERE id = $1 AND state = 'MODIFIED' AND last_modified = $2",
        )
        .bind(id)
        .bind(last_modified)
        .bind(thumbnail_sha256)
    };
    database.execute("modification done", query).await.map(Transition::of_rows)
}
