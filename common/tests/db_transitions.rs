//! Each transition on real rows: what it needs, what it leaves behind, and who wins a race.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use common::base::time::Timestamp;
use common::io::db::edit::{Edit, Thumbnail};
use common::io::db::event::{self, Candidate, Cutter, Event, NewEvent};
use common::io::db::transition::{self, Metadata, Published, Submission};
use common::io::db::{
    BoxCoords, Database, EventState, ThumbnailMode, Transition, VideoRange, VideoTransition,
};
use common::test_util::database::{TestDatabase, fresh};

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000 + micros)
}

/// An edit that uses every column.
fn rich_edit() -> Edit {
    Edit {
        upload_location: "local".to_owned(),
        uploader_whitelist: Some(vec!["a".to_owned(), "b".to_owned()]),
        allow_holes: true,
        public: false,
        video_ranges: vec![
            VideoRange { start: at(1), end: at(2) },
            VideoRange { start: at(3), end: at(4) },
            VideoRange { start: at(5), end: at(6) },
        ],
        video_transitions: vec![
            None,
            Some(VideoTransition { kind: "fade".to_owned(), duration: 0.1 }),
        ],
        video_title: "It's \"a\" title \u{1F600}".to_owned(),
        video_description: "Two\nlines".to_owned(),
        video_tags: vec![String::new(), "a,b".to_owned()],
        video_channel: "chan".to_owned(),
        video_quality: "source".to_owned(),
        thumbnail: Thumbnail {
            mode: ThumbnailMode::Template,
            time: Some(at(1)),
            template: Some("frame".to_owned()),
            crop: Some(BoxCoords(vec![0, 1, 2, 3])),
            location: Some(BoxCoords(vec![-1, 0, 1, 2])),
            image_sha256: None,
        },
    }
}

fn plain_edit() -> Edit {
    Edit {
        uploader_whitelist: None,
        video_ranges: vec![VideoRange { start: at(1), end: at(2) }],
        video_transitions: vec![],
        thumbnail: Thumbnail::NONE,
        ..rich_edit()
    }
}

async fn insert_edited(database: &Database, id: &str, edit: &Edit, image: Option<&[u8]>) {
    let new = NewEvent {
        id: id.to_owned(),
        sheet_name: "day 1".to_owned(),
        event_start: Some(at(0)),
        event_end: None,
        category: String::new(),
        description: "What happened".to_owned(),
    };
    event::insert(database, &new).await.unwrap();
    let submission = Submission { edit, thumbnail_image: image, editor: "me", at: at(7) };
    assert_eq!(transition::submit(database, id, &submission).await.unwrap(), Transition::Done);
}

async fn get(database: &Database, id: &str) -> Event {
    event::get(database, id).await.unwrap().unwrap()
}

async fn candidates(database: &Database, name: &str, explicit_only: bool) -> Vec<Candidate> {
    let locations = ["local".to_owned()];
    let cutter = Cutter { name, locations: &locations, explicit_only };
    event::candidates(database, cutter).await.unwrap().0
}

/// An event that `a` has claimed.
async fn claimed(database: &Database) -> Candidate {
    insert_edited(database, "e", &plain_edit(), None).await;
    let candidate = candidates(database, "a", false).await.remove(0);
    assert_eq!(transition::claim(database, &candidate, "a").await.unwrap(), Transition::Done);
    candidate
}

fn published() -> Published {
    Published {
        video_id: "v1".to_owned(),
        link: "https://video.example/v1".to_owned(),
        at: at(9),
        thumbnail_sha256: Some(vec![1, 2, 3]),
    }
}

async fn start() -> (TestDatabase, Database) {
    let test = fresh().await;
    let database = test.ready("test").await;
    (test, database)
}

#[tokio::test]
async fn an_edit_is_read_as_it_was_written() {
    let (test, database) = start().await;
    let mut edit = rich_edit();
    insert_edited(&database, "e", &edit, Some(b"image")).await;
    edit.thumbnail.image_sha256 =
        event::get_edit(&database, "e").await.unwrap().unwrap().thumbnail.image_sha256;
    assert_eq!(edit.thumbnail.image_sha256.as_ref().unwrap().len(), 32);
    assert_eq!(candidates(&database, "a", false).await[0].edit, edit);
    assert_eq!(event::thumbnail_image(&database, "e").await.unwrap().unwrap(), b"image");
    let range = test.value("SELECT video_ranges[1] FROM events").await.unwrap();
    assert_eq!(range, r#"("2026-11-18 11:06:40.000001","2026-11-18 11:06:40.000002")"#);
    let stored = test.value("SELECT editor || ' ' || edit_time FROM events").await.unwrap();
    assert_eq!(stored, "me 2026-11-18 11:06:40.000007");
}

#[tokio::test]
async fn a_cutter_sees_what_it_may_take_and_nothing_else() {
    let (test, database) = start().await;
    insert_edited(&database, "open", &plain_edit(), None).await;
    insert_edited(&database, "listed", &rich_edit(), None).await;
    let elsewhere = Edit { upload_location: "elsewhere".to_owned(), ..plain_edit() };
    insert_edited(&database, "elsewhere", &elsewhere, None).await;
    insert_edited(&database, "taken", &plain_edit(), None).await;
    test.execute("UPDATE events SET state = 'CLAIMED', uploader = 'x' WHERE id = 'taken'").await;
    let seen = async |name: &str, explicit_only: bool| {
        let seen = candidates(&database, name, explicit_only).await;
        let mut ids: Vec<String> = seen.into_iter().map(|candidate| candidate.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(seen("a", false).await, ["listed", "open"]);
    assert_eq!(seen("c", false).await, ["open"]);
    assert_eq!(seen("a", true).await, ["listed"]);
    assert!(seen("c", true).await.is_empty());
}

#[tokio::test]
async fn a_row_that_cannot_be_read_does_not_hide_the_others() {
    let (test, database) = start().await;
    for id in ["good", "endless", "half"] {
        insert_edited(&database, id, &plain_edit(), None).await;
    }
    test.execute(
        "UPDATE events SET video_ranges = ARRAY[('2026-11-20', 'infinity')]::video_range[] WHERE id = 'endless'; \
         UPDATE events SET video_ranges = ARRAY[('2026-11-20', NULL)]::video_range[] WHERE id = 'half'",
    )
    .await;
    let locations = ["local".to_owned()];
    let cutter = Cutter { name: "a", locations: &locations, explicit_only: false };
    let (readable, mut unreadable) = event::candidates(&database, cutter).await.unwrap();
    assert_eq!(readable.len(), 1);
    assert_eq!(readable[0].id, "good");
    unreadable.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(unreadable.len(), 2);
    assert!(unreadable[0].problem.contains("infinite"), "{unreadable:?}");
}

/// Changes each input in turn between the look and the claim.
#[tokio::test]
async fn a_claim_is_lost_when_any_input_changed() {
    let (test, database) = start().await;
    for set in [
        "upload_location = 'other'",
        "uploader_whitelist = NULL",
        "uploader_whitelist = '{a}'",
        "allow_holes = false",
        "public = true",
        "video_ranges[2] = ('2026-11-20', '2026-11-21')",
        "video_transitions[2] = NULL",
        "video_transitions[2] = ('fade', 0.2)",
        "video_transitions[1] = ('fade', 0.2)",
        "video_title = 'x'",
        "video_description = 'x'",
        "video_tags = '{}'",
        "video_channel = 'x'",
        "video_quality = 'x'",
        "thumbnail_mode = 'BARE'",
        "thumbnail_time = now()",
        "thumbnail_template = 'x'",
        "thumbnail_image = NULL",
        "thumbnail_image = 'other'",
        "thumbnail_crop = NULL",
        "thumbnail_crop = '{4,3,2,1}'",
        "thumbnail_location = NULL",
        "state = 'UNEDITED'",
    ] {
        test.execute("DELETE FROM events").await;
        insert_edited(&database, "e", &rich_edit(), Some(b"image")).await;
        let candidate = candidates(&database, "a", false).await.remove(0);
        test.execute(&format!("UPDATE events SET {set}")).await;
        let claim = transition::claim(&database, &candidate, "a").await.unwrap();
        assert_eq!(claim, Transition::Lost, "{set}");
    }
    test.execute("DELETE FROM events").await;
    insert_edited(&database, "e", &rich_edit(), Some(b"image")).await;
    let candidate = candidates(&database, "a", false).await.remove(0);
    test.execute("UPDATE events SET notes = 'x', error = 'x'").await;
    let claim = transition::claim(&database, &candidate, "a").await.unwrap();
    assert_eq!(claim, Transition::Done);
    let event = get(&database, "e").await;
    assert_eq!(
        (event.state, event.uploader.as_deref(), event.error),
        (EventState::Claimed, Some("a"), None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_claim_at_once_one_wins() {
    let test = fresh().await;
    let (a, b) = (test.ready("a").await, test.connect("b"));
    for round in 0..50 {
        test.execute("DELETE FROM events").await;
        insert_edited(&a, "e", &plain_edit(), None).await;
        let candidate = candidates(&a, "a", false).await.remove(0);
        let (by_a, by_b) = tokio::join!(
            transition::claim(&a, &candidate, "a"),
            transition::claim(&b, &candidate, "b"),
        );
        let (by_a, by_b) = (by_a.unwrap(), by_b.unwrap());
        assert_ne!(by_a, by_b, "round {round}");
        let winner = if by_a == Transition::Done { "a" } else { "b" };
        assert_eq!(get(&a, "e").await.uploader.as_deref(), Some(winner));
    }
}

#[tokio::test]
async fn only_the_holder_moves_a_claimed_event() {
    let (_test, database) = start().await;
    let Candidate { edit, .. } = claimed(&database).await;
    let lost = Transition::Lost;
    assert_eq!(transition::give_back(&database, "e", "b", None).await.unwrap(), lost);
    assert_eq!(transition::fail(&database, "e", "b", "x").await.unwrap(), lost);
    assert_eq!(transition::finalize(&database, "e", "b", &edit, "v").await.unwrap(), lost);
    assert!(transition::give_back_all(&database, "b").await.unwrap().is_empty());
    assert_eq!(get(&database, "e").await.state, EventState::Claimed);
}

#[tokio::test]
async fn a_claim_is_given_back_with_its_reason() {
    let (_test, database) = start().await;
    claimed(&database).await;
    let given = transition::give_back(&database, "e", "a", Some("disk full")).await.unwrap();
    assert_eq!(given, Transition::Done);
    let event = get(&database, "e").await;
    assert_eq!((event.state, event.uploader), (EventState::Edited, None));
    assert_eq!(event.error.as_deref(), Some("disk full"));
    assert_eq!(transition::give_back(&database, "e", "a", None).await.unwrap(), Transition::Lost);
}

#[tokio::test]
async fn all_claims_of_a_cutter_are_given_back_and_no_others() {
    let (test, database) = start().await;
    for (id, uploader) in [("1", "a"), ("2", "a"), ("3", "b"), ("4", "a")] {
        insert_edited(&database, id, &plain_edit(), None).await;
        let set = format!("state = 'CLAIMED', uploader = '{uploader}'");
        test.execute(&format!("UPDATE events SET {set} WHERE id = '{id}'")).await;
    }
    test.execute("UPDATE events SET state = 'FINALIZING' WHERE id = '4'").await;
    let mut given = transition::give_back_all(&database, "a").await.unwrap();
    given.sort();
    assert_eq!(given, ["1", "2"]);
    assert_eq!(get(&database, "3").await.state, EventState::Claimed);
    assert_eq!(get(&database, "4").await.state, EventState::Finalizing);
}

#[tokio::test]
async fn what_cannot_be_done_goes_back_to_people_with_reason_and_place() {
    let (_test, database) = start().await;
    claimed(&database).await;
    assert_eq!(transition::fail(&database, "e", "a", "no").await.unwrap(), Transition::Done);
    let event = get(&database, "e").await;
    assert_eq!(event.state, EventState::Unedited);
    assert_eq!((event.uploader.as_deref(), event.error.as_deref()), (Some("a"), Some("no")));
}

#[tokio::test]
async fn finalizing_is_lost_when_the_event_was_edited_meanwhile() {
    let (test, database) = start().await;
    let Candidate { edit, .. } = claimed(&database).await;
    test.execute("UPDATE events SET video_title = 'Another title'").await;
    let finalized = transition::finalize(&database, "e", "a", &edit, "v1").await.unwrap();
    assert_eq!(finalized, Transition::Lost);
}

#[tokio::test]
async fn an_event_goes_all_the_way_and_is_modified_afterwards() {
    let (_test, database) = start().await;
    let Candidate { edit, .. } = claimed(&database).await;
    let state = async || get(&database, "e").await.state;
    assert_eq!(
        transition::finalize(&database, "e", "a", &edit, "v1").await.unwrap(),
        Transition::Done
    );
    assert_eq!(transition::cancel(&database, "e").await.unwrap(), Transition::Lost);
    assert_eq!(state().await, EventState::Finalizing);
    let (unresolved, _) = event::unresolved(&database, "a").await.unwrap();
    assert_eq!(unresolved[0].video_id.as_deref(), Some("v1"));
    assert!(event::unresolved(&database, "b").await.unwrap().0.is_empty());

    let published = published();
    assert_eq!(
        transition::transcoding(&database, "e", "a", &published).await.unwrap(),
        Transition::Done
    );
    let from = EventState::Transcoding;
    assert_eq!(
        transition::done(&database, "e", "a", from, &published).await.unwrap(),
        Transition::Done
    );
    let event = get(&database, "e").await;
    assert_eq!(event.state, EventState::Done);
    assert_eq!(event.video_link.as_deref(), Some("https://video.example/v1"));
    assert_eq!(event.upload_time, Some(at(9)));
    assert_eq!(event.thumbnail_last_written, Some(vec![1, 2, 3]));

    let change = Metadata { title: "t", description: "d", tags: &[], public: true };
    assert_eq!(
        transition::modify(&database, "e", &change, at(10)).await.unwrap(),
        Transition::Done
    );
    assert_eq!(
        transition::modification_done(&database, "e", at(9), None).await.unwrap(),
        Transition::Lost
    );
    let hash = Some(&[4_u8][..]);
    assert_eq!(
        transition::modification_done(&database, "e", at(10), hash).await.unwrap(),
        Transition::Done
    );
    assert_eq!(get(&database, "e").await.thumbnail_last_written, Some(vec![4]));
}

#[tokio::test]
async fn an_event_in_finalizing_ends_either_way() {
    let (_test, database) = start().await;
    let Candidate { edit, .. } = claimed(&database).await;
    assert_eq!(
        transition::finalize(&database, "e", "a", &edit, "v1").await.unwrap(),
        Transition::Done
    );
    let other = transition::not_published(&database, "e", "a", Some("v2"), None).await.unwrap();
    assert_eq!(other, Transition::Lost);
    let back =
        transition::not_published(&database, "e", "a", Some("v1"), Some("why")).await.unwrap();
    assert_eq!(back, Transition::Done);
    let event = get(&database, "e").await;
    assert_eq!((event.state, event.uploader, event.video_id), (EventState::Edited, None, None));

    let candidate = candidates(&database, "a", false).await.remove(0);
    assert_eq!(candidate.error.as_deref(), Some("why"));
    assert_eq!(transition::claim(&database, &candidate, "a").await.unwrap(), Transition::Done);
    assert_eq!(
        transition::finalize(&database, "e", "a", &edit, "v1").await.unwrap(),
        Transition::Done
    );
    let from = EventState::Finalizing;
    assert_eq!(
        transition::done(&database, "e", "b", from, &published()).await.unwrap(),
        Transition::Lost
    );
    assert_eq!(
        transition::done(&database, "e", "a", from, &published()).await.unwrap(),
        Transition::Done
    );
}

#[tokio::test]
async fn an_operator_cancels_what_is_not_yet_sent() {
    let (_test, database) = start().await;
    claimed(&database).await;
    assert_eq!(transition::cancel(&database, "e").await.unwrap(), Transition::Done);
    assert_eq!(transition::cancel(&database, "e").await.unwrap(), Transition::Lost);
    let event = get(&database, "e").await;
    assert_eq!((event.state, event.uploader), (EventState::Unedited, None));
}

#[tokio::test]
async fn a_reason_is_written_unless_someone_else_wrote_one() {
    let (_test, database) = start().await;
    insert_edited(&database, "e", &plain_edit(), None).await;
    event::explain(&database, "e", EventState::Edited, None, "holes").await.unwrap();
    event::explain(&database, "e", EventState::Edited, None, "late").await.unwrap();
    assert_eq!(get(&database, "e").await.error.as_deref(), Some("holes"));
    event::explain(&database, "e", EventState::Edited, Some("holes"), "fewer holes").await.unwrap();
    assert_eq!(get(&database, "e").await.error.as_deref(), Some("fewer holes"));
}

#[tokio::test]
async fn an_event_that_is_there_already_stays_as_it_is() {
    let (_test, database) = start().await;
    claimed(&database).await;
    let again = NewEvent {
        id: "e".to_owned(),
        sheet_name: "other".to_owned(),
        event_start: None,
        event_end: Some(at(1)),
        category: String::new(),
        description: String::new(),
    };
    event::insert(&database, &again).await.unwrap();
    assert_eq!(get(&database, "e").await.state, EventState::Claimed);
    assert_eq!(event::get(&database, "none").await.unwrap(), None);
    assert_eq!(event::get_edit(&database, "none").await.unwrap(), None);
}
