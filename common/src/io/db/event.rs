//! Events as rows: looking at them, putting new ones in. Changing their state is
//! [`super::transition`]'s.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};

use super::edit::{Edit, edit_columns};
use super::types::EventState;
use super::{Database, DbError};
use crate::base::time::Timestamp;

/// Candidates that are looked at in one go; the next look draws others.
const CANDIDATES: i64 = 64;

/// How an event stands.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Event {
    /// The key.
    pub id: String,
    /// How far it is.
    pub state: EventState,
    /// The cutter that holds it, or where an unrecoverable error happened.
    pub uploader: Option<String>,
    /// Why it does not go on, for people.
    pub error: Option<String>,
    /// What the upload location calls the video.
    pub video_id: Option<String>,
    /// Where the published video is.
    pub video_link: Option<String>,
    /// When it was published.
    pub upload_time: Option<Timestamp>,
    /// When the published video was last changed.
    pub last_modified: Option<Timestamp>,
    /// SHA-256 of the thumbnail that was last sent.
    pub thumbnail_last_written: Option<Vec<u8>>,
}

/// An event that a cutter might take.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The key.
    pub id: String,
    /// Why it did not go on so far, for people.
    pub error: Option<String>,
    /// What is asked for.
    pub edit: Edit,
}

/// An event in FINALIZING whose outcome is to be found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Unresolved {
    /// The key.
    pub id: String,
    /// Why it did not go on so far, for people.
    pub error: Option<String>,
    /// What the upload location calls the video.
    pub video_id: Option<String>,
    /// What was asked for.
    pub edit: Edit,
}

/// A row that does not say what a row of its state must say.
#[derive(Debug)]
pub struct Unreadable {
    /// The key.
    pub id: String,
    /// Why it did not go on so far, for people.
    pub error: Option<String>,
    /// What could not be read.
    pub problem: String,
}

/// What a cutter can take.
#[derive(Clone, Copy, Debug)]
pub struct Cutter<'a> {
    /// Its name.
    pub name: &'a str,
    /// The upload locations that it has.
    pub locations: &'a [String],
    /// Whether it takes only what names it in its whitelist.
    pub explicit_only: bool,
}

/// An event as it is noted down.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The key.
    pub id: String,
    /// The worksheet or day that it belongs to.
    pub sheet_name: String,
    /// When it began.
    pub event_start: Option<Timestamp>,
    /// When it ended.
    pub event_end: Option<Timestamp>,
    /// What kind of thing it was.
    pub category: String,
    /// What happened.
    pub description: String,
}

/// Puts a new event in; one that is there already stays as it is.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn insert(database: &Database, event: &NewEvent) -> Result<(), DbError> {
    let query = || {
        sqlx::query(
            "INSERT INTO events (id, sheet_name, event_start, event_end, category, description) \
             VALUES ($1, $2, $3, ROW (false, $4::timestamp), $5, $6) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&event.id)
        .bind(&event.sheet_name)
        .bind(event.event_start)
        .bind(event.event_end)
        .bind(&event.category)
        .bind(&event.description)
    };
    database.execute("insert event", query).await.map(drop)
}

/// Returns how an event stands; `None` when there is no such event.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn get(database: &Database, id: &str) -> Result<Option<Event>, DbError> {
    let query = || {
        sqlx::query(
            "SELECT id, state, uploader, error, video_id, video_link, upload_time, \
             last_modified, thumbnail_last_written FROM events WHERE id = $1",
        )
        .bind(id)
    };
    database.fetch_optional("get event", query).await
}

/// Returns what an event asks for; `None` when there is no such event, or it was never edited.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn get_edit(database: &Database, id: &str) -> Result<Option<Edit>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        edit_columns!(),
        " FROM events WHERE id = $1 AND video_ranges IS NOT NULL"
    );
    database.fetch_optional("get edit", || sqlx::query(SQL).bind(id)).await
}

/// Returns events that `cutter` might take, in random order, so that several cutters seldom want
/// the same one. Rows that cannot be read are returned apart: they must not hide the others.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn candidates(
    database: &Database,
    cutter: Cutter<'_>,
) -> Result<(Vec<Candidate>, Vec<Unreadable>), DbError> {
    const SQL: &str = concat!(
        "SELECT id, error, ",
        edit_columns!(),
        " FROM events WHERE state = 'EDITED' AND upload_location = ANY ($1) \
         AND ($2 = ANY (uploader_whitelist) OR (uploader_whitelist IS NULL AND NOT $3)) \
         ORDER BY random() LIMIT $4"
    );
    let query = || {
        sqlx::query(SQL)
            .bind(cutter.locations)
            .bind(cutter.name)
            .bind(cutter.explicit_only)
            .bind(CANDIDATES)
    };
    let rows = database.fetch_all("find candidates", query).await?;
    Ok(read_each(&rows, |row, id, error| Ok(Candidate { id, error, edit: Edit::from_row(row)? })))
}

/// Returns the events in FINALIZING that `cutter` holds, and apart from them those that cannot be
/// read.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn unresolved(
    database: &Database,
    cutter: &str,
) -> Result<(Vec<Unresolved>, Vec<Unreadable>), DbError> {
    const SQL: &str = concat!(
        "SELECT id, error, video_id, ",
        edit_columns!(),
        " FROM events WHERE state = 'FINALIZING' AND uploader = $1 ORDER BY id"
    );
    let query = || sqlx::query(SQL).bind(cutter);
    let rows = database.fetch_all("find unresolved events", query).await?;
    Ok(read_each(&rows, |row, id, error| {
        let video_id = row.try_get("video_id")?;
        Ok(Unresolved { id, error, video_id, edit: Edit::from_row(row)? })
    }))
}

/// Returns the image of an event's thumbnail.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn thumbnail_image(database: &Database, id: &str) -> Result<Option<Vec<u8>>, DbError> {
    let query = || sqlx::query("SELECT thumbnail_image FROM events WHERE id = $1").bind(id);
    let image: Option<(Option<Vec<u8>>,)> = database.fetch_optional("get thumbnail", query).await?;
    Ok(image.and_then(|(image,)| image))
}

/// Says on an event in `state` why it does not go on, unless it was changed meanwhile.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn explain(
    database: &Database,
    id: &str,
    state: EventState,
    before: Option<&str>,
    after: &str,
) -> Result<(), DbError> {
    let query = || {
        sqlx::query(
            "UPDATE events SET error = $4 \
             WHERE id = $1 AND state = $2 AND error IS NOT DISTINCT FROM $3",
        )
        .bind(id)
        .bind(state)
        .bind(before)
        .bind(after)
    };
    database.execute("explain event", query).await.map(drop)
}

/// Reads every row for itself.
fn read_each<T>(
    rows: &[PgRow],
    read: impl Fn(&PgRow, String, Option<String>) -> Result<T, sqlx::Error>,
) -> (Vec<T>, Vec<Unreadable>) {
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    for row in rows {
        let id: String = row.get("id");
        let error: Option<String> = row.get("error");
        match read(row, id.clone(), error.clone()) {
            Ok(value) => readable.push(value),
            Err(problem) => {
                unreadable.push(Unreadable { id, error, problem: problem.to_string() });
            }
        }
    }
    (readable, unreadable)
}
