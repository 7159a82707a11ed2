//! What the database itself refuses, whoever asks: illegal transitions, and rows that lack what
//! their state needs.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use common::io::db::EventState;
use common::test_util::database::{TestDatabase, fresh};
use sqlx::postgres::PgDatabaseError;

/// A row that has everything, and so may be in any state.
fn whole_row(state: EventState) -> String {
    format!(
        "INSERT INTO events (id, sheet_name, event_start, event_end, upload_location, video_ranges,
            video_transitions, video_title, video_description, video_tags, video_channel,
            thumbnail_mode, thumbnail_time, thumbnail_template, thumbnail_image,
            thumbnail_last_written, state, uploader, video_id, video_link, editor, edit_time,
            upload_time, last_modified)
        VALUES ('e', 'day 1', '2026-11-20 10:00', ROW (true, '2026-11-20 10:00'), 'local',
            ARRAY[('2026-11-20 10:00', '2026-11-20 10:01'), ('2026-11-20 10:02', '2026-11-20 10:03')]::video_range[],
            ARRAY[NULL]::video_transition[], 'title', 'description', '{{}}', 'chan',
            'TEMPLATE', '2026-11-20 10:00', 'frame', '\\xff', '\\xff', '{}', 'cutter', 'id', 'link', 'me', now(),
            now(), now())",
        state.name()
    )
}

/// Puts a whole row in `state` there and updates it; returns the constraint that refused.
async fn update(database: &TestDatabase, state: EventState, set: &str) -> Option<String> {
    database.execute(&format!("DELETE FROM events; {}", whole_row(state))).await;
    let updated = database.try_execute(&format!("UPDATE events SET {set}")).await;
    updated.err().map(|error| constraint_of(&error))
}

fn constraint_of(error: &sqlx::Error) -> String {
    let refusal = error.as_database_error().unwrap_or_else(|| panic!("{error}"));
    assert_eq!(refusal.code().as_deref(), Some("23514"), "{error}");
    let refusal: &PgDatabaseError = refusal.downcast_ref();
    refusal.constraint().unwrap().to_owned()
}

#[tokio::test]
async fn every_pair_of_states_is_allowed_or_refused_as_the_table_says() {
    let database = fresh().await;
    database.ready("test").await;
    for from in EventState::ALL {
        for to in EventState::ALL {
            let refused = update(&database, from, &format!("state = '{}'", to.name())).await;
            let legal = from == to || from.successors().contains(&to);
            let expected = (!legal).then(|| "events_transition".to_owned());
            assert_eq!(refused, expected, "{} to {}", from.name(), to.name());
        }
    }
}

/// The table of the contract, written out once more and independently of the code.
#[test]
fn there_are_thirteen_legal_transitions() {
    let pairs = EventState::ALL.iter().flat_map(|from| {
        from.successors().iter().map(move |to| format!("{} {}", from.name(), to.name()))
    });
    let mut pairs: Vec<String> = pairs.collect();
    pairs.sort();
    assert_eq!(
        pairs,
        [
            "CLAIMED EDITED",
            "CLAIMED FINALIZING",
            "CLAIMED UNEDITED",
            "DONE MODIFIED",
            "EDITED CLAIMED",
            "EDITED UNEDITED",
            "FINALIZING DONE",
            "FINALIZING EDITED",
            "FINALIZING TRANSCODING",
            "FINALIZING UNEDITED",
            "MODIFIED DONE",
            "TRANSCODING DONE",
            "UNEDITED EDITED",
        ]
    );
}

#[tokio::test]
async fn a_refused_transition_is_named() {
    let database = fresh().await;
    database.ready("test").await;
    database.execute(&whole_row(EventState::Unedited)).await;
    let error = database.try_execute("UPDATE events SET state = 'CLAIMED'").await.unwrap_err();
    assert!(error.to_string().contains("event e cannot go from UNEDITED to CLAIMED"), "{error}");
}

#[tokio::test]
async fn only_what_is_linked_by_hand_skips_the_cutters() {
    let database = fresh().await;
    database.ready("test").await;
    let link = "state = 'DONE', video_ranges = NULL, video_transitions = NULL, video_title = NULL, \
        video_description = NULL, video_tags = NULL, video_channel = NULL, thumbnail_time = NULL, \
        thumbnail_template = NULL, thumbnail_image = NULL, thumbnail_last_written = NULL";
    for location in ["manual", "youtube-manual"] {
        let set = format!("{link}, upload_location = '{location}'");
        assert_eq!(update(&database, EventState::Unedited, &set).await, None);
        assert!(update(&database, EventState::Edited, &set).await.is_some());
    }
    assert!(update(&database, EventState::Unedited, link).await.is_some());
}

#[tokio::test]
async fn each_state_needs_what_the_table_says() {
    use EventState::{Claimed, Done, Edited, Finalizing, Modified, Transcoding};
    let but_unedited = &[Edited, Claimed, Finalizing, Transcoding, Done, Modified][..];
    let while_cut = &[Edited, Claimed, Finalizing, Transcoding, Modified][..];
    let held = &[Claimed, Finalizing, Transcoding][..];
    let published = &[Done, Modified][..];
    let database = fresh().await;
    database.ready("test").await;
    for (constraint, set, refused_in) in [
        ("events_upload_location", "upload_location = NULL", but_unedited),
        ("events_video_ranges", "video_ranges = NULL, video_transitions = NULL", while_cut),
        ("events_video_title", "video_title = NULL", while_cut),
        ("events_video_description", "video_description = NULL", while_cut),
        ("events_video_tags", "video_tags = NULL", while_cut),
        ("events_video_channel", "video_channel = NULL", while_cut),
        ("events_thumbnail_time", "thumbnail_time = NULL", but_unedited),
        ("events_thumbnail_time", "thumbnail_time = NULL, thumbnail_mode = 'BARE'", but_unedited),
        ("events_thumbnail_template", "thumbnail_template = NULL", but_unedited),
        (
            "events_thumbnail_image",
            "thumbnail_image = NULL, thumbnail_mode = 'CUSTOM'",
            but_unedited,
        ),
        ("events_thumbnail_last_written", "thumbnail_last_written = NULL", &[Done]),
        ("events_uploader", "uploader = NULL", held),
        ("events_editor", "editor = NULL", but_unedited),
        ("events_video_link", "video_link = NULL", published),
        ("events_upload_time", "upload_time = NULL", published),
        ("events_last_modified", "last_modified = NULL", &[Modified]),
        // needed by another mode only
        ("", "thumbnail_template = NULL, thumbnail_mode = 'BARE'", &[]),
        ("", "thumbnail_image = NULL", &[]),
        ("", "thumbnail_time = NULL, thumbnail_template = NULL, thumbnail_mode = 'CUSTOM'", &[]),
        (
            "",
            "thumbnail_time = NULL, thumbnail_template = NULL, thumbnail_image = NULL, \
             thumbnail_last_written = NULL, thumbnail_mode = 'NONE'",
            &[],
        ),
        // needed in no state
        ("", "video_id = NULL, error = NULL, edit_time = NULL, uploader_whitelist = NULL", &[]),
    ] {
        for state in EventState::ALL {
            let expected = refused_in.contains(&state).then(|| constraint.to_owned());
            let refused = update(&database, state, set).await;
            assert_eq!(refused, expected, "{set} in {}", state.name());
        }
    }
}

#[tokio::test]
async fn values_that_contradict_one_another_are_refused() {
    let database = fresh().await;
    database.ready("test").await;
    for (constraint, set) in [
        ("events_event_end", "event_end = NULL"),
        ("events_event_end", "event_end = ROW (NULL, NULL)"),
        ("events_event_end", "event_end = ROW (true, NULL)"),
        ("events_event_end", "event_end = ROW (true, '2026-11-20 10:01')"),
        ("events_event_end", "event_start = NULL"),
        ("events_video_transitions", "video_transitions = '{}'"),
        ("events_video_transitions", "video_transitions = ARRAY[NULL, NULL]::video_transition[]"),
        ("events_video_transitions", "video_ranges = '{}', video_transitions = '{}'"),
        ("events_video_transitions", "video_transitions = NULL"),
        ("events_video_transitions", "video_ranges = NULL"),
    ] {
        let refused = update(&database, EventState::Unedited, set).await;
        assert_eq!(refused.as_deref(), Some(constraint), "{set}");
    }
    for set in [
        "event_end = ROW (false, NULL)",
        "event_end = ROW (false, '2026-11-20 09:00')",
        "event_start = NULL, event_end = ROW (true, NULL)",
        "video_ranges = NULL, video_transitions = NULL",
    ] {
        assert_eq!(update(&database, EventState::Unedited, set).await, None, "{set}");
    }
}

#[tokio::test]
async fn boxes_have_four_numbers_and_addresses_are_lower_case() {
    let database = fresh().await;
    database.ready("test").await;
    database.execute(&whole_row(EventState::Unedited)).await;
    for value in ["'{1,2,3}'", "'{1,2,3,4,5}'", "'{{1,2},{3,4}}'", "'{1,2,3,NULL}'", "'{}'"] {
        let statement = format!("UPDATE events SET thumbnail_crop = {value}");
        let refused = database.try_execute(&statement).await.unwrap_err();
        assert_eq!(constraint_of(&refused), "box_coords_check", "{value}");
    }
    database.execute("UPDATE events SET thumbnail_crop = '{1,2,3,4}'").await;
    database.execute("UPDATE events SET thumbnail_crop = NULL").await;
    let shouted = "INSERT INTO roles (email, name) VALUES ('Me@x.example', 'me')";
    let refused = database.try_execute(shouted).await.unwrap_err();
    assert_eq!(constraint_of(&refused), "roles_email_lower_case");
}
