//! What a cutter does with an event before anything is published.

use sqlx::Row;

use super::Transition;
use crate::io::db::edit::{self, Edit, edit_is_unchanged};
use crate::io::db::event::Candidate;
use crate::io::db::{Database, DbError};

/// EDITED → CLAIMED: `cutter` takes an event that still asks for what it saw.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn claim(
    database: &Database,
    candidate: &Candidate,
    cutter: &str,
) -> Result<Transition, DbError> {
    const SQL: &str = concat!(
        "UPDATE events SET state = 'CLAIMED', uploader = $19, error = NULL WHERE ",
        edit_is_unchanged!(),
        " AND id = $18 AND state = 'EDITED'"
    );
    let query =
        || edit::bind_unchanged(sqlx::query(SQL), &candidate.edit).bind(&candidate.id).bind(cutter);
    database.execute("claim", query).await.map(Transition::of_rows)
}

/// CLAIMED → EDITED: `cutter` gives an event back, with the reason if it was an error; anybody may
/// try again.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn give_back(
    database: &Database,
    id: &str,
    cutter: &str,
    error: Option<&str>,
) -> Result<Transition, DbError> {
    let query = || {
        sqlx::query(
            "UPDATE events SET state = 'EDITED', uploader = NULL, error = $3 \
             WHERE id = $1 AND state = 'CLAIMED' AND uploader = $2",
        )
        .bind(id)
        .bind(cutter)
        .bind(error)
    };
    database.execute("give back", query).await.map(Transition::of_rows)
}

/// CLAIMED → EDITED for everything that `cutter` holds, which it must not be working on. Returns
/// the events' keys.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn give_back_all(database: &Database, cutter: &str) -> Result<Vec<String>, DbError> {
    let query = || {
        sqlx::query(
            "UPDATE events SET state = 'EDITED', uploader = NULL \
             WHERE state = 'CLAIMED' AND uploader = $1 RETURNING id",
        )
        .bind(cutter)
    };
    let rows = database.fetch_all("give back all", query).await?;
    Ok(rows.iter().map(|row| row.get("id")).collect())
}

/// CLAIMED → UNEDITED: it cannot be done as it was asked for. The row keeps the reason, and where.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn fail(
    database: &Database,
    id: &str,
    cutter: &str,
    error: &str,
) -> Result<Transition, DbError> {
    let query = || {
        sqlx::query(
            "UPDATE events SET state = 'UNEDITED', error = $3 \
             WHERE id = $1 AND state = 'CLAIMED' AND uploader = $2",
        )
        .bind(id)
        .bind(cutter)
        .bind(error)
    };
    database.execute("fail", query).await.map(Transition::of_rows)
}

/// CLAIMED → FINALIZING: all bytes were sent, and what comes next publishes. From now on only the
/// upload location knows, under `video_id`.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn finalize(
    database: &Database,
    id: &str,
    cutter: &str,
    edit: &Edit,
    video_id: &str,
) -> Result<Transition, DbError> {
    const SQL: &str = concat!(
        "UPDATE events SET state = 'FINALIZING', video_id = $20 WHERE ",
        edit_is_unchanged!(),
        " AND id = $18 AND state = 'CLAIMED' AND uploader = $19"
    );
    let query =
        || edit::bind_unchanged(sqlx::query(SQL), edit).bind(id).bind(cutter).bind(video_id);
    database.execute("finalize", query).await.map(Transition::of_rows)
}
