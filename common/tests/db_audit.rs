//! The audit log: what changed, from what to what, by whom; never an image.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use common::test_util::database::{TestDatabase, fresh};
use serde_json::{Value, json};

async fn entries(database: &TestDatabase) -> Vec<(String, String, Value, Value)> {
    let rows = database
        .query(
            "SELECT operation, table_name || ' ' || row_id, old_values, new_values \
             FROM audit_log ORDER BY id",
        )
        .await;
    let json = |text: &Option<String>| serde_json::from_str(text.as_ref().unwrap()).unwrap();
    rows.iter()
        .map(|row| {
            let [operation, row, old, new] = &row[..] else { panic!("{row:?}") };
            (operation.clone().unwrap(), row.clone().unwrap(), json(old), json(new))
        })
        .collect()
}

#[tokio::test]
async fn an_update_leaves_only_what_changed() {
    let database = fresh().await;
    database.ready("test").await;
    database.execute("INSERT INTO events (id, sheet_name) VALUES ('a', 'day 1')").await;
    database.execute("UPDATE events SET notes = 'one', tags = '{x}' WHERE id = 'a'").await;
    database.execute("UPDATE events SET notes = 'one' WHERE id = 'a'").await;
    database.execute("DELETE FROM events WHERE id = 'a'").await;

    let entries = entries(&database).await;
    let operations: Vec<_> = entries.iter().map(|entry| entry.0.as_str()).collect();
    assert_eq!(operations, ["INSERT", "UPDATE", "DELETE"]);
    assert!(entries.iter().all(|entry| entry.1 == "events a"));
    assert_eq!(entries[0].2, json!({}));
    assert_eq!(entries[0].3["sheet_name"], "day 1");
    assert_eq!(entries[1].2, json!({"notes": "", "tags": []}));
    assert_eq!(entries[1].3, json!({"notes": "one", "tags": ["x"]}));
    assert_eq!(entries[2].2["notes"], "one");
    assert_eq!(entries[2].3, json!({}));
}

#[tokio::test]
async fn images_are_told_by_length_and_hash() {
    let database = fresh().await;
    database.ready("test").await;
    database
        .execute(
            "INSERT INTO templates (name, image, crop, location) \
             VALUES ('frame', decode(repeat('ab', 2000000), 'hex'), '{0,0,1,1}', '{0,0,1,1}'); \
             UPDATE templates SET image = 'x' WHERE name = 'frame'; \
             INSERT INTO events (id, sheet_name) VALUES ('a', 'day 1'); \
             UPDATE events SET thumbnail_image = 'x' WHERE id = 'a'; \
             UPDATE events SET notes = 'n' WHERE id = 'a'; \
             UPDATE events SET thumbnail_image = NULL WHERE id = 'a';",
        )
        .await;
    let largest =
        "SELECT max(pg_column_size(old_values) + pg_column_size(new_values)) FROM audit_log";
    let largest: usize = database.value(largest).await.unwrap().parse().unwrap();
    assert!(largest < 10_000, "{largest} bytes");

    let entries = entries(&database).await;
    let x = json!({"bytes": 1, "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"});
    assert_eq!(entries[0].3["image"]["bytes"], 2_000_000);
    assert_eq!(entries[1].3, json!({ "image": x }));
    assert_eq!(entries[3].2, json!({ "thumbnail_image": null }));
    assert_eq!(entries[3].3, json!({ "thumbnail_image": x }));
    assert_eq!(entries[4].3, json!({ "notes": "n" }));
    assert_eq!(entries[5].2, json!({ "thumbnail_image": x }));
}

#[tokio::test]
async fn the_log_names_who_and_which_program() {
    let database = fresh().await;
    database.ready("test").await;
    database
        .execute(
            "SET application_name = 'by hand'; INSERT INTO events (id, sheet_name) VALUES ('a', 'd')",
        )
        .await;
    let who = database
        .query("SELECT database_user = session_user, application_name FROM audit_log")
        .await;
    assert_eq!(who, [[Some("t".to_owned()), Some("by hand".to_owned())]]);
}

/// Who may change events need not be able to write, or even see, the log.
#[tokio::test]
async fn a_user_with_rights_on_events_alone_is_logged() {
    let database = fresh().await;
    database.ready("test").await;
    let role = database.value("SELECT 'writer_' || current_database()").await.unwrap();
    database
        .execute(&format!(
            "CREATE ROLE {role}; GRANT SELECT, INSERT, UPDATE ON events TO {role}; \
             SET ROLE {role}; INSERT INTO events (id, sheet_name) VALUES ('a', 'd'); \
             UPDATE events SET thumbnail_image = 'x'; RESET ROLE; \
             DROP OWNED BY {role}; DROP ROLE {role};"
        ))
        .await;
    assert_eq!(entries(&database).await.len(), 2);
}
