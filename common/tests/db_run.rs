//! How the database is asked: SERIALIZABLE, again on conflict, within a deadline, whatever happens
//! to it meanwhile.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use common::io::db::{Database, DbError};
use common::metrics::Metrics;
use common::service::CancellationToken;
use common::test_util::database::{TestDatabase, fresh};
use common::test_util::database_proxy::DatabaseProxy;
use sqlx::Row;
use tokio::sync::Barrier;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

async fn counter(database: &TestDatabase) {
    database.execute("CREATE TABLE counter AS SELECT 0 AS n").await;
}

/// Adds one in two statements, which loses additions unless the two are one transaction.
async fn add_one(database: &Database) -> Result<i32, DbError> {
    database
        .run_tx("add one", |session| {
            Box::pin(async move {
                let row = sqlx::query("SELECT n FROM counter").fetch_one(&mut *session).await?;
                let next: i32 = row.try_get::<i32, _>("n")? + 1;
                sqlx::query("UPDATE counter SET n = $1").bind(next).execute(session).await?;
                Ok(next)
            })
        })
        .await
}

/// Adds one; on its first try, only once `both_have_read` says that it is time.
async fn add_after(database: &Database, both_have_read: &Arc<Barrier>) -> Result<(), DbError> {
    let is_first = AtomicBool::new(true);
    database
        .run_tx("add one by turns", |session| {
            let turn = is_first.swap(false, Ordering::Relaxed).then(|| Arc::clone(both_have_read));
            Box::pin(async move {
                let row = sqlx::query("SELECT n FROM counter").fetch_one(&mut *session).await?;
                let next: i32 = row.try_get::<i32, _>("n")? + 1;
                if let Some(turn) = turn {
                    turn.wait().await;
                }
                sqlx::query("UPDATE counter SET n = $1").bind(next).execute(session).await?;
                Ok(())
            })
        })
        .await
}

/// Fails with an SQLSTATE, and counts the tries.
async fn raise(database: &Database, code: &'static str, tries: &AtomicU32) -> Result<(), DbError> {
    database
        .run("raise", |session| {
            tries.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                let raise = format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$");
                sqlx::raw_sql(sqlx::AssertSqlSafe(raise)).execute(session).await.map(drop)
            })
        })
        .await
}

async fn setting(database: &Database, name: &'static str) -> String {
    let show = database.run("show", |session| {
        Box::pin(async move {
            let query = sqlx::query("SELECT current_setting($1)").bind(name);
            query.fetch_one(session).await?.try_get(0)
        })
    });
    show.await.unwrap()
}

#[tokio::test]
async fn sessions_are_serializable_named_and_limited() {
    let test = fresh().await;
    let database = test.connect("a name");
    assert_eq!(setting(&database, "transaction_isolation").await, "serializable");
    assert_eq!(setting(&database, "application_name").await, "a name");
    assert_eq!(setting(&database, "statement_timeout").await, "30s");
    assert_eq!(setting(&database, "lock_timeout").await, "10s");
    assert_eq!(setting(&database, "idle_in_transaction_session_timeout").await, "1min");
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_conflict_are_run_again_until_each_has_counted() {
    let test = fresh().await;
    counter(&test).await;
    let metrics = Metrics::empty();
    let database = Database::new(&test.dsn(), "test", &metrics);
    let both_have_read = Arc::new(Barrier::new(2));
    let (one, other) =
        tokio::join!(add_after(&database, &both_have_read), add_after(&database, &both_have_read));
    assert_eq!((one.unwrap(), other.unwrap()), ((), ()), "the second try of one meets nobody");
    let adders = (0..4).map(|_| async {
        for _ in 0..20 {
            // more than ten conflicts in a row are an error like any other: try again
            while let Err(error) = add_one(&database).await {
                assert!(matches!(error, DbError::Conflicted { .. }), "{error:?}");
            }
        }
    });
    futures_util::future::join_all(adders).await;
    assert_eq!(test.value("SELECT n FROM counter").await.as_deref(), Some("82"));
    let rendered = metrics.render();
    assert!(
        rendered.contains(
            "database_conflicts_total{kind=\"serialization\",name=\"add one by turns\"} 1"
        ),
        "{rendered}"
    );
    assert!(
        rendered.contains("database_transactions_total{name=\"add one\",outcome=\"done\"} 80"),
        "{rendered}"
    );
}

#[tokio::test]
async fn conflicts_are_tried_ten_times_and_refusals_once() {
    let test = fresh().await;
    let database = test.connect("test");
    for (code, expected) in [("40001", 10), ("40P01", 10), ("23514", 1), ("57014", 1)] {
        let tries = AtomicU32::new(0);
        let error = raise(&database, code, &tries).await.unwrap_err();
        assert_eq!(tries.into_inner(), expected, "{code}");
        assert_eq!(matches!(error, DbError::Conflicted { tries: 10, .. }), expected == 10);
        assert_eq!(matches!(error, DbError::Refused { .. }), code == "23514");
        assert_eq!(error.outcome_is_unknown(), code == "57014");
    }
}

#[tokio::test]
async fn an_error_rolls_the_transaction_back() {
    let test = fresh().await;
    counter(&test).await;
    let database = test.connect("test");
    let failed = database.run_tx("fail", |session| {
        Box::pin(async move {
            sqlx::query("UPDATE counter SET n = 7").execute(&mut *session).await?;
            sqlx::query("SELECT 1 / 0").execute(session).await.map(drop)
        })
    });
    assert!(matches!(failed.await, Err(DbError::Refused { .. })));
    assert_eq!(test.value("SELECT n FROM counter").await.as_deref(), Some("0"));
    assert_eq!(add_one(&database).await.unwrap(), 1);
}

#[tokio::test]
async fn what_does_not_answer_is_given_up() {
    let test = fresh().await;
    let database = test.connect("test");
    let hung = database.run("hang", |session| {
        Box::pin(async move {
            tokio::time::pause(); // from here on, waiting takes no time
            sqlx::query("SELECT pg_sleep(600)").execute(session).await.map(drop)
        })
    });
    let error = hung.await.unwrap_err();
    assert!(matches!(error, DbError::TimedOut { seconds: 45, .. }), "{error:?}");
    assert!(error.is_transient() && error.outcome_is_unknown());
    tokio::time::resume();
    assert_eq!(setting(&database, "application_name").await, "test");
}

#[tokio::test]
async fn an_outage_is_an_error_for_its_time_and_no_longer() {
    let test = fresh().await;
    counter(&test).await;
    let mut way = DatabaseProxy::cut_off(&test);
    way.mend();
    let database = Database::new(&way.dsn(), "test", &Metrics::empty());
    for expected in 1..4 {
        assert_eq!(add_one(&database).await.unwrap(), expected);
        way.cut().await;
        let error = add_one(&database).await.unwrap_err();
        assert!(matches!(error, DbError::Unavailable { .. }), "{error:?}");
        way.mend();
    }
}

/// Another version of a service may change the schema at any time.
#[tokio::test]
async fn a_table_that_changes_under_a_session_is_read_anew() {
    let test = fresh().await;
    test.execute("CREATE TABLE t AS SELECT 1 AS n").await;
    let database = test.connect("test");
    let read = async || {
        let rows = database.run("read", |session| {
            Box::pin(async move { sqlx::query("SELECT * FROM t").fetch_all(session).await })
        });
        rows.await.unwrap()[0].len()
    };
    assert_eq!(read().await, 1);
    test.execute("ALTER TABLE t ADD COLUMN m integer").await;
    assert_eq!(read().await, 2);
}

#[tokio::test]
async fn a_session_that_is_ended_by_an_operator_is_replaced() {
    let test = fresh().await;
    counter(&test).await;
    let database = test.connect("victim");
    assert_eq!(add_one(&database).await.unwrap(), 1);
    let end =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'";
    test.execute(end).await;
    assert_eq!(add_one(&database).await.unwrap(), 2);
}

#[tokio::test]
async fn a_database_that_is_down_at_start_is_waited_for() {
    let test = fresh().await;
    let mut way = DatabaseProxy::cut_off(&test);
    let database = Database::new(&way.dsn(), "test", &Metrics::empty());
    let stop = CancellationToken::new();
    let waiting = database.ready(&stop);
    tokio::pin!(waiting);
    assert!(timeout(Duration::from_millis(300), &mut waiting).await.is_err());
    way.mend();
    timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert_eq!(test.value("SELECT count(*) FROM events").await.as_deref(), Some("0"));
}

#[tokio::test]
async fn waiting_for_a_database_ends_when_the_service_stops() {
    let test = fresh().await;
    let way = DatabaseProxy::cut_off(&test);
    let database = Database::new(&way.dsn(), "test", &Metrics::empty());
    let stop = CancellationToken::new();
    let waiting = database.ready(&stop);
    tokio::pin!(waiting);
    assert!(timeout(Duration::from_millis(300), &mut waiting).await.is_err());
    stop.cancel();
    timeout(PATIENCE, waiting).await.unwrap().unwrap();
}
