//! Applying the schema: to nothing, to itself, by many at once, over a neighbour's database, and
//! without the right to.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use common::io::db::{Database, DbError, Dsn, event, nodes};
use common::metrics::Metrics;
use common::service::CancellationToken;
use common::test_util::database::{TestDatabase, fresh};

const PEER: &str = include_str!("../testdata/db/peer_schema.sql");
/// Starters at once, and how often.
const STARTERS: usize = 8;
const ROUNDS: usize = 25;

/// Everything that a schema consists of, a line each.
const CATALOG: &str = "
    SELECT format('column %s.%s %s %s %s',
        attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
        pg_get_expr(adbin, adrelid))
    FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'c')
        AND NOT attisdropped AND attnum > 0
    UNION ALL
    SELECT format('constraint %s %s %s %s %s',
        conrelid::regclass, contypid::regtype, conname, convalidated, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('index %s', pg_get_indexdef(indexrelid))
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('trigger %s', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT format('function %s', pg_get_functiondef(oid))
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('label %s %s %s', enumtypid::regtype, enumsortorder, enumlabel) FROM pg_enum
    UNION ALL
    SELECT format('comment %s %s',
        pg_describe_object(classoid, objoid, objsubid), description)
    FROM pg_description
    WHERE pg_describe_object(classoid, objoid, objsubid) ~ 'events|templates|audit|box_coords'
    ORDER BY 1";

async fn catalog(database: &TestDatabase) -> Vec<String> {
    let rows = database.query(CATALOG).await;
    rows.into_iter().flatten().flatten().collect()
}

async fn start(database: &Database) -> Result<(), DbError> {
    database.ready(&CancellationToken::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_starters_at_once_on_an_empty_database() {
    let database = fresh().await;
    let mut expected = None;
    for round in 0..ROUNDS {
        database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public;").await;
        let starters: Vec<Database> =
            (0..STARTERS).map(|n| database.connect(&format!("starter {n}"))).collect();
        let results = futures_util::future::join_all(starters.iter().map(start)).await;
        for result in results {
            result.unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        }
        let made = catalog(&database).await;
        assert_eq!(expected.get_or_insert_with(|| made.clone()), &made);
    }
}

#[tokio::test]
async fn applying_again_changes_nothing() {
    let database = fresh().await;
    let connected = database.ready("first").await;
    let before = catalog(&database).await;
    assert!(before.iter().any(|line| line.starts_with("trigger ")), "{before:#?}");
    start(&connected).await.unwrap();
    assert_eq!(catalog(&database).await, before);
}

#[tokio::test]
async fn what_was_lost_is_added_again() {
    let database = fresh().await;
    let connected = database.ready("first").await;
    let before = catalog(&database).await;
    database
        .execute(
            "DROP TRIGGER events_transition ON events; DROP TABLE audit_log; DROP TABLE nodes; \
             ALTER TABLE events DROP CONSTRAINT events_editor; DROP INDEX events_state;",
        )
        .await;
    start(&connected).await.unwrap();
    assert_eq!(catalog(&database).await, before);
}

#[tokio::test]
async fn every_column_has_a_comment() {
    let database = fresh().await;
    database.ready("first").await;
    let silent = database
        .query(
            "SELECT attrelid::regclass || '.' || attname FROM pg_attribute \
             JOIN pg_class ON pg_class.oid = attrelid \
             WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 \
             AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL",
        )
        .await;
    assert!(silent.is_empty(), "{silent:?}");
}

#[tokio::test]
async fn goes_over_a_database_of_the_python_implementation() {
    let database = fresh().await;
    database.execute(PEER).await;
    let before = catalog(&database).await;
    let connected = database.ready("first").await;

    let ours = fresh().await;
    ours.ready("first").await;
    let after = catalog(&database).await;
    let kept = |line: &&String| !line.starts_with("comment ");
    let lost: Vec<_> = before.iter().filter(kept).filter(|line| !after.contains(line)).collect();
    assert!(lost.is_empty(), "of the neighbour's: {lost:#?}");
    // Its domain and its index serve as well as ours.
    let as_good = ["constraint - box_coords", "index CREATE INDEX events_state "];
    let ours = catalog(&ours).await;
    let missing: Vec<_> = ours
        .iter()
        .filter(|line| !after.contains(line))
        .filter(|line| !as_good.iter().any(|start| line.starts_with(start)))
        .collect();
    assert!(missing.is_empty(), "of ours: {missing:#?}");

    let locations = ["youtube".to_owned()];
    let cutter = event::Cutter { name: "a", locations: &locations, explicit_only: false };
    let (candidates, unreadable) = event::candidates(&connected, cutter).await.unwrap();
    assert_eq!(candidates.len(), 1);
    assert!(unreadable.is_empty(), "{unreadable:?}");
    assert_eq!(nodes::backfill_sources(&connected).await.unwrap()[0].url, "http://one.example");
}

#[tokio::test]
async fn statements_of_the_python_implementation_keep_working() {
    let database = fresh().await;
    database.execute(PEER).await;
    database.ready("first").await;
    let set = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE;";
    for statement in [
        "INSERT INTO events (id, sheet_name) VALUES ('new', 'day 2') ON CONFLICT DO NOTHING",
        "UPDATE events SET state = 'CLAIMED', uploader = 'py' WHERE id = 'edited' AND state = 'EDITED'",
        "UPDATE events SET state = 'FINALIZING' WHERE id = 'edited' AND state = 'CLAIMED' AND uploader = 'py'",
        "UPDATE events SET state = 'TRANSCODING', video_id = 'x', video_link = 'y', upload_time = now() \
         WHERE id = 'edited' AND state = 'FINALIZING' AND uploader = 'py'",
        "UPDATE events SET state = 'DONE' WHERE id = 'edited' AND state = 'TRANSCODING'",
        "UPDATE events SET state = 'DONE', upload_location = 'manual', thumbnail_mode = 'NONE', \
         video_link = 'z', upload_time = now(), editor = 'me' WHERE id = 'unedited' AND state = 'UNEDITED'",
    ] {
        database.execute(&format!("{set} {statement}")).await;
    }
    let logged = database.value("SELECT count(*) FROM audit.logged_actions").await;
    // three rows were there, one came, and five times one was updated
    assert_eq!(logged.as_deref(), Some("9"));
    let ours = database.value("SELECT count(*) FROM audit_log").await;
    assert_eq!(ours.as_deref(), Some("6"));
}

/// A rule of ours that rows of another implementation break must not keep us from starting.
#[tokio::test]
async fn old_rows_may_break_a_rule_that_new_rows_must_keep() {
    let database = fresh().await;
    database.execute(PEER).await;
    database
        .execute(
            "DO $$ DECLARE name text; BEGIN FOR name IN \
             SELECT conname FROM pg_constraint WHERE conrelid = 'events'::regclass AND contype = 'c' \
             LOOP EXECUTE 'ALTER TABLE events DROP CONSTRAINT ' || name; END LOOP; END $$; \
             UPDATE events SET editor = NULL WHERE id = 'edited'",
        )
        .await;
    let connected = database.ready("first").await;
    let invalid = "SELECT string_agg(conname, ' ') FROM pg_constraint WHERE NOT convalidated";
    assert_eq!(database.value(invalid).await.as_deref(), Some("events_editor"));
    let refused = database.try_execute("UPDATE events SET notes = 'x' WHERE id = 'edited'").await;
    assert!(refused.unwrap_err().to_string().contains("events_editor"));
    start(&connected).await.unwrap();
}

async fn without_rights(database: &TestDatabase) -> Database {
    let role = database.value("SELECT 'reader_' || current_database()").await.unwrap();
    database
        .execute(&format!(
            "CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};"
        ))
        .await;
    let mut url = database.url().clone();
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .into_owned()
        .map(|(key, value)| if key == "user" { (key, role.clone()) } else { (key, value) })
        .collect();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    let dsn: Dsn = url.as_str().parse().unwrap();
    Database::new(&dsn, "reader", &Metrics::empty())
}

async fn drop_role(database: &TestDatabase) {
    let role = database.value("SELECT 'reader_' || current_database()").await.unwrap();
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role};")).await;
}

#[tokio::test]
async fn a_user_without_rights_goes_on_when_the_schema_fits() {
    let database = fresh().await;
    database.ready("owner").await;
    let reader = without_rights(&database).await;
    start(&reader).await.unwrap();
    assert!(nodes::backfill_sources(&reader).await.unwrap().is_empty());
    reader.close().await;
    drop_role(&database).await;
}

#[tokio::test]
async fn a_user_without_rights_names_what_is_missing() {
    let database = fresh().await;
    database.ready("owner").await;
    database
        .execute("ALTER TABLE nodes DROP COLUMN url; ALTER TABLE events ALTER notes TYPE varchar")
        .await;
    let reader = without_rights(&database).await;
    let error = start(&reader).await.unwrap_err();
    assert!(!error.is_transient());
    let DbError::SchemaDoesNotFit { missing } = error else { panic!("{error:?}") };
    assert_eq!(missing, ["events.notes (text)", "nodes.url (text)"]);
    reader.close().await;
    drop_role(&database).await;
}

#[tokio::test]
async fn a_database_that_takes_no_changes_is_used_as_it_is() {
    let database = fresh().await;
    database.ready("owner").await;
    let mut url = database.url().clone();
    url.query_pairs_mut().append_pair("options", "-c default_transaction_read_only=on");
    let dsn: Dsn = url.as_str().parse().unwrap();
    let standby = Database::new(&dsn, "reader", &Metrics::empty());
    start(&standby).await.unwrap();
}
