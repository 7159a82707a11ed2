//! The nodes that replicate from one another.

use sqlx::FromRow;

use super::ask::read_all;
use super::{Database, DbError};

/// A node to copy from.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Node {
    /// What it is called.
    pub name: String,
    /// The address of its restreamer, as it was written down: not checked.
    pub url: String,
}

/// Returns the nodes that others copy from, by name.
///
/// # Errors
///
/// As [`DbError`] says.
pub async fn backfill_sources(database: &Database) -> Result<Vec<Node>, DbError> {
    let query = || sqlx::query("SELECT name, url FROM nodes WHERE backfill_from ORDER BY name");
    let rows = database.fetch_all("list nodes", query).await?;
    read_all("list nodes", &rows)
}
