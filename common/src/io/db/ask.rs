//! Short forms of [`Database::run`] for a single statement.
//!
//! A statement is given as a function that makes it, since it may be run more than once.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{FromRow, Postgres};

use super::{Database, DbError};

/// A statement with its parameters, which are encoded already.
pub(super) type Statement = Query<'static, Postgres, PgArguments>;

impl Database {
    /// Runs a statement and returns how many rows it changed.
    pub(super) async fn execute(
        &self,
        name: &'static str,
        statement: impl Fn() -> Statement,
    ) -> Result<u64, DbError> {
        self.run(name, |session| {
            let statement = statement();
            Box::pin(async move { Ok(statement.execute(session).await?.rows_affected()) })
        })
        .await
    }

    /// Runs a statement and returns its rows.
    pub(super) async fn fetch_all(
        &self,
        name: &'static str,
        statement: impl Fn() -> Statement,
    ) -> Result<Vec<PgRow>, DbError> {
        self.run(name, |session| {
            let statement = statement();
            Box::pin(async move { statement.fetch_all(session).await })
        })
        .await
    }

    /// Runs a statement and reads its only row.
    pub(super) async fn fetch_optional<T: for<'r> FromRow<'r, PgRow>>(
        &self,
        name: &'static str,
        statement: impl Fn() -> Statement,
    ) -> Result<Option<T>, DbError> {
        let row = self
            .run(name, |session| {
                let statement = statement();
                Box::pin(async move { statement.fetch_optional(session).await })
            })
            .await?;
        row.map(|row| T::from_row(&row)).transpose().map_err(|error| DbError::new(name, error))
    }
}

/// Reads rows none of which may be unreadable.
pub(super) fn read_all<T: for<'r> FromRow<'r, PgRow>>(
    name: &'static str,
    rows: &[PgRow],
) -> Result<Vec<T>, DbError> {
    let read: Result<_, sqlx::Error> = rows.iter().map(T::from_row).collect();
    read.map_err(|error| DbError::new(name, error))
}
