//! Databases for tests: real ones, fresh for each test.
//!
//! All test processes of a run share one cluster when `WUBLOADER_TEST_CLUSTER` names it, as
//! `cargo xtask test` sees to. Without it a process starts its own, which lives as long as any of
//! its databases.

use std::env;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use private_postgres::{Cluster, Options};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, ValueRef};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::io::db::{Database, Dsn};
use crate::metrics::Metrics;

/// Names the maintenance database of the cluster that all tests of a run share.
pub const CLUSTER: &str = "WUBLOADER_TEST_CLUSTER";

static OWN_CLUSTER: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());

/// A database of one test's own, dropped with this.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: Url,
    maintenance: Url,
    /// Keeps the cluster running when it is this process's own.
    _cluster: Option<Arc<Cluster>>,
}

/// Makes an empty database.
pub async fn fresh() -> TestDatabase {
    let (cluster, maintenance) = cluster();
    let name = format!("test_{}", Uuid::new_v4().simple());
    // not template1, which cannot be copied while anyone is connected to it
    statement(&maintenance, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
    let mut url = maintenance.clone();
    url.set_path(&name);
    TestDatabase { name, url, maintenance, _cluster: cluster }
}

impl TestDatabase {
    /// Returns its address.
    pub fn dsn(&self) -> Dsn {
        self.url.as_str().parse().expect("the cluster gives good addresses")
    }

    /// Returns its address as a URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns it as services use it, without having applied the schema.
    pub fn connect(&self, application_name: &str) -> Database {
        Database::new(&self.dsn(), application_name, &Metrics::empty())
    }

    /// Returns it as services use it, with the schema.
    pub async fn ready(&self, application_name: &str) -> Database {
        let database = self.connect(application_name);
        database.ready(&CancellationToken::new()).await.expect("the schema can be applied");
        database
    }

    /// Runs statements in a session of their own.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn try_execute(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut session = PgConnection::connect(self.url.as_str()).await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut session).await?;
        session.close().await
    }

    /// Runs statements in a session of their own.
    pub async fn execute(&self, sql: &str) {
        statement(&self.url, sql).await;
    }

    /// Runs a query in a session of its own; every value is its text, or none for NULL.
    pub async fn query(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let mut session = PgConnection::connect(self.url.as_str()).await.expect("the cluster runs");
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut session).await;
        let rows = rows.unwrap_or_else(|error| panic!("{error} in {sql}"));
        let text = |row: &sqlx::postgres::PgRow, column| {
            let value = row.try_get_raw(column).expect("the column is there");
            (!value.is_null()).then(|| value.as_str().expect("it is UTF-8").to_owned())
        };
        rows.iter().map(|row| (0..row.len()).map(|column| text(row, column)).collect()).collect()
    }

    /// Runs a query in a session of its own and returns its only value.
    pub async fn value(&self, sql: &str) -> Option<String> {
        let rows = self.query(sql).await;
        assert!(rows.len() == 1 && rows[0].len() == 1, "{rows:?} from {sql}");
        rows[0][0].clone()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (maintenance, name) = (self.maintenance.clone(), self.name.clone());
        // A runtime cannot be entered from within another; a thread has none.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be built").block_on(async {
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                // The cluster may be gone, and the database with it.
                if let Ok(mut session) = PgConnection::connect(maintenance.as_str()).await {
                    let _ = sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut session).await;
                }
            });
        });
        let _ = dropping.join();
    }
}

async fn statement(url: &Url, sql: &str) {
    let mut session = PgConnection::connect(url.as_str()).await.expect("the cluster runs");
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut session).await;
    done.unwrap_or_else(|error| panic!("{error} in {sql}"));
}

fn cluster() -> (Option<Arc<Cluster>>, Url) {
    let parse = |url: &str| url.parse().expect("a cluster's address is a URL");
    if let Ok(shared) = env::var(CLUSTER) {
        return (None, parse(&shared));
    }
    let mut own = OWN_CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = own.upgrade().unwrap_or_else(|| {
        let started = Cluster::start(&Options::default());
        Arc::new(started.unwrap_or_else(|error| panic!("{error}")))
    });
    *own = Arc::downgrade(&cluster);
    let url = parse(&cluster.url("postgres"));
    (Some(cluster), url)
}
