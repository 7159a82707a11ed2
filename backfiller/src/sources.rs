//! Where the list of nodes comes from: addresses on the command line, a file, a database.
//!
//! Replication needs no more than a list. Whatever fails to give one, the last one known from there
//! stays in use.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use common::io::db::{Database, DbError, nodes};
use common::metrics::Metrics as Registry;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::node::Node;

/// The longest file of nodes, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What can list nodes.
#[derive(Debug)]
pub(crate) enum Source {
    File(PathBuf),
    Database {
        database: Box<Database>,
        /// How long it may take to answer before the list known so far is used.
        timeout: Duration,
        /// Whether the schema was applied, or found to be what this user may not change.
        prepared: OnceCell<()>,
    },
}

/// All that list nodes.
#[derive(Debug)]
pub(crate) struct Sources(pub(crate) Vec<Source>);

impl Sources {
    /// To be called once per process, within a runtime.
    pub(crate) fn new(config: &Config, registry: &Registry) -> Self {
        let file = config.node_file.clone().map(Source::File);
        let database = config.node_database.as_ref().map(|dsn| {
            let database = Database::new(dsn, "backfiller", registry);
            let timeout = config.limits.database_timeout;
            Source::Database { database: Box::new(database), timeout, prepared: OnceCell::new() }
        });
        Self(file.into_iter().chain(database).collect())
    }
}

impl Source {
    /// The nodes that are listed now. A line or row that names none is skipped with an error in the
    /// log; how many were is returned too.
    pub(crate) async fn list(&self) -> anyhow::Result<(Vec<Node>, usize)> {
        match self {
            Self::File(path) => {
                let text = read(path).await;
                let text =
                    text.with_context(|| format!("read the node file {}", path.display()))?;
                Ok(parse(&text))
            }
            Self::Database { database, timeout, prepared } => {
                let rows = tokio::time::timeout(*timeout, rows(database, prepared)).await;
                let rows = rows.context("ask the database for the nodes: no answer")?;
                Ok(from_rows(rows.context("ask the database for the nodes")?))
            }
        }
    }
}

async fn read(path: &Path) -> anyhow::Result<String> {
    let size = tokio::fs::metadata(path).await?.len();
    anyhow::ensure!(size <= MAX_FILE_BYTES, "it has more than {MAX_FILE_BYTES} bytes");
    Ok(tokio::fs::read_to_string(path).await?)
}

/// Reads a line for each node: `URL` or `NAME URL`; empty lines and those that begin with # are none.
fn parse(text: &str) -> (Vec<Node>, usize) {
    let (mut nodes, mut bad) = (Vec::new(), 0);
    for (line, number) in text.lines().zip(1..) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let node = match words.as_slice() {
            [] => continue,
            [first, ..] if first.starts_with('#') => continue,
            [address] => Node::at(address),
            [name, address] => Node::named(name, address),
            _ => {
                tracing::error!(
                    line = number,
                    "a line of the node file is neither URL nor NAME URL"
                );
                bad += 1;
                continue;
            }
        };
        match node {
            Ok(node) => nodes.push(node),
            Err(error) => {
                tracing::error!(line = number, "a line of the node file is skipped: {error}");
                bad += 1;
            }
        }
    }
    (nodes, bad)
}

async fn rows(database: &Database, prepared: &OnceCell<()>) -> Result<Vec<nodes::Node>, DbError> {
    // whichever service comes first makes the tables
    prepared.get_or_init(|| prepare(database)).await;
    nodes::backfill_sources(database).await
}

fn from_rows(rows: Vec<nodes::Node>) -> (Vec<Node>, usize) {
    let (mut nodes, mut bad) = (Vec::new(), 0);
    for row in rows {
        match Node::named(&row.name, &row.url) {
            Ok(node) => nodes.push(node),
            Err(error) => {
                tracing::error!(name = ?row.name, "a node of the database is skipped: {error}");
                bad += 1;
            }
        }
    }
    (nodes, bad)
}

/// Waits for the database and applies the schema. One that does not fit may still list nodes.
async fn prepare(database: &Database) {
    if let Err(error) = database.ready(&CancellationToken::new()).await {
        tracing::warn!("the database's schema is not applied: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_does_not_spoil_the_others() {
        let text = "# the nodes\n\n  http://a:8000\nb\thttps://host-b/wub  \nnonsense\na b c\n";
        let (nodes, bad) = parse(text);
        let names: Vec<&str> = nodes.iter().map(Node::name).collect();
        assert_eq!((names, bad), (vec!["a:8000", "b"], 2));
        assert_eq!(nodes[1].url().as_str(), "https://host-b/wub");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_an_error_that_names_it() {
        let error = Source::File("/does/not/exist".into()).list().await.unwrap_err();
        assert!(format!("{error:#}").starts_with("read the node file /does/not/exist: No such"));
    }
}
