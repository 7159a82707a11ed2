//! Applies the schema at start, whoever else does so at the same time.

use sqlx::{Connection, PgConnection, Row};

use super::error::Kind;
use super::{Database, DbError};

/// The files of `schema/`, in order.
const FILES: [&str; 5] = [
    include_str!("../../../../schema/01_types.sql"),
    include_str!("../../../../schema/02_events.sql"),
    include_str!("../../../../schema/03_transitions.sql"),
    include_str!("../../../../schema/04_surroundings.sql"),
    include_str!("../../../../schema/05_audit.sql"),
];
/// Asks which columns are missing.
const FITS: &str = include_str!("../../../../schema/fits.sql");

/// One starter at a time; the number is arbitrary but must never change ("wubl" in ASCII).
///
/// The limits are wider than a session's, because others may be at it first.
const LOCK: &str = "
    SET LOCAL lock_timeout = '40s';
    SET LOCAL statement_timeout = '40s';
    SET LOCAL client_min_messages = warning;
    SELECT pg_advisory_xact_lock(2004181612)";

/// Applies the schema, or makes sure that it fits when this user may not change it.
///
/// # Errors
///
/// [`DbError::SchemaDoesNotFit`], or why the database was not reached.
pub(super) async fn apply(database: &Database) -> Result<(), DbError> {
    let refused = match database.run("apply schema", |session| Box::pin(apply_all(session))).await {
        Err(DbError::Refused { source, .. } | DbError::Unavailable { source, .. })
            if Kind::is_missing_right(&source) =>
        {
            source
        }
        other => return other,
    };
    let missing = database.run("check schema", |session| Box::pin(missing(session))).await?;
    if !missing.is_empty() {
        return Err(DbError::SchemaDoesNotFit { missing });
    }
    tracing::warn!(
        "may not change the database's schema, which fits and is used as it is: {refused}"
    );
    Ok(())
}

async fn apply_all(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    // Not SERIALIZABLE: its one snapshot would be taken before the lock is had, and what another
    // starter made meanwhile would not be seen.
    let mut transaction = session.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    sqlx::raw_sql(LOCK).execute(&mut *transaction).await?;
    for file in FILES {
        sqlx::raw_sql(file).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

async fn missing(session: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query(FITS).fetch_all(session).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
