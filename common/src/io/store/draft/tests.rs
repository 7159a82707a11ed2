use std::sync::{Arc, Mutex};

use super::*;
use crate::io::store::Access;

/// A store on a disk that refuses one step, once the test says so, and the feed to write to.
fn store(refused: Step) -> (tempfile::TempDir, Store, Feed, Arc<Mutex<bool>>) {
    let base = tempfile::tempdir().unwrap();
    let failing = Arc::new(Mutex::new(false));
    let fails = Arc::clone(&failing);
    let store = Store::open(base.path(), Access::Write).unwrap().with_faults(move |step| {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        if step == refused && *fails.lock().unwrap() { Err(full()) } else { Ok(()) }
    });
    let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
    (base, store, feed, failing)
}

fn begin(store: &Store, feed: &Feed) -> io::Result<SegmentDraft> {
    let duration = MediaDuration::from_seconds(2.0).unwrap();
    store.draft_segment(feed, Timestamp::from_micros(1_800_000_000_000_000), duration)
}

fn names(store: &Store, feed: &Feed) -> Vec<String> {
    let hours = store.hours(feed).unwrap();
    hours.into_iter().flat_map(|hour| store.file_names(feed, hour).unwrap()).collect()
}

#[test]
fn pieces_are_written_as_one_however_many_and_empty_they_are() {
    let (_base, store, feed, _) = store(Step::Write);
    let mut draft = begin(&store, &feed).unwrap();
    let pieces: Vec<Vec<u8>> = (0..3 * MAX_PIECES).map(|n| vec![7; n % 3]).collect();
    draft.append(&pieces).unwrap();
    draft.append(&[b""; 3]).unwrap();
    draft.append::<&[u8]>(&[]).unwrap();
    let whole = pieces.concat();
    assert_eq!(draft.recall().unwrap(), whole);
    let published = draft.publish(Completeness::Full).unwrap();
    assert_eq!(published.hash, ContentHash::of(&whole));
    assert_eq!(std::fs::read(published.path).unwrap(), whole);
}

#[test]
fn what_was_written_before_the_disk_was_full_can_be_recalled() {
    let (_base, store, feed, failing) = store(Step::Write);
    let mut draft = begin(&store, &feed).unwrap();
    draft.append(&[b"some", b"more"]).unwrap();
    *failing.lock().unwrap() = true;
    let error = draft.append(&[b"half of this"]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(draft.size(), 8, "what was refused does not count");
    assert_eq!(draft.recall().unwrap(), b"somemore");
    drop(draft);
    assert_eq!(names(&store, &feed), <[String; 0]>::default());
}

#[test]
fn nothing_of_what_was_refused_counts_however_many_pieces_it_has() {
    let base = tempfile::tempdir().unwrap();
    let writes = Mutex::new(0);
    let store = Store::open(base.path(), Access::Write).unwrap().with_faults(move |step| {
        *writes.lock().unwrap() += u8::from(step == Step::Write);
        // the second call of the second append
        if *writes.lock().unwrap() < 3 { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    });
    let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
    let mut draft = begin(&store, &feed).unwrap();
    draft.append(&[b"some"]).unwrap();
    draft.append(&vec![b"more"; MAX_PIECES + 1]).unwrap_err();
    assert_eq!((draft.size(), draft.recall().unwrap()), (4, b"some".to_vec()));
}

#[test]
fn a_file_that_the_disk_did_not_keep_is_not_recalled() {
    let (_base, store, feed, _) = store(Step::Write);
    let mut draft = begin(&store, &feed).unwrap();
    draft.append(&[b"some"]).unwrap();
    std::fs::write(&draft.draft.path, b"else").unwrap();
    assert_eq!(draft.recall().unwrap_err().kind(), io::ErrorKind::InvalidData);
    std::fs::write(&draft.draft.path, b"").unwrap();
    assert_eq!(draft.recall().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn whichever_step_is_refused_the_bytes_are_there_and_can_be_published_later() {
    for refused in [Step::Flush, Step::Rename, Step::FlushFolder] {
        let (_base, store, feed, failing) = store(refused);
        let mut draft = begin(&store, &feed).unwrap();
        draft.append(&[b"video"]).unwrap();
        *failing.lock().unwrap() = true;
        let refused = draft.publish(Completeness::Full).unwrap_err();
        assert_eq!(refused.error.kind(), io::ErrorKind::StorageFull);
        let bytes = refused.draft.recall().unwrap();
        assert_eq!(bytes, b"video");
        drop(refused);

        *failing.lock().unwrap() = false;
        let mut again = begin(&store, &feed).unwrap();
        again.append(&[bytes]).unwrap();
        let published = again.publish(Completeness::Full).unwrap();
        assert_eq!(std::fs::read(published.path).unwrap(), b"video");
        assert_eq!(names(&store, &feed).len(), 1);
    }
}

/// The steps that were taken, each with the names that could be seen before it.
type Steps = Arc<Mutex<Vec<(Step, Vec<String>)>>>;

/// A store whose steps are told, and the feed to write to.
fn watched() -> (tempfile::TempDir, Store, Feed, Steps) {
    let base = tempfile::tempdir().unwrap();
    let store = Store::open(base.path(), Access::Write).unwrap();
    let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
    let steps = Steps::default();
    let (seen, of, told) = (store.clone(), feed.clone(), Arc::clone(&steps));
    let store = store.with_faults(move |step| {
        told.lock().unwrap().push((step, names(&seen, &of)));
        Ok(())
    });
    (base, store, feed, steps)
}

#[test]
fn a_name_is_given_after_one_flush_and_flushed_once() {
    let (_base, store, feed, steps) = watched();
    // the second time the name is there already, which may not be on the disk yet
    for last_is_new in [true, false] {
        let mut draft = begin(&store, &feed).unwrap();
        draft.append(&[b"some", b"more"]).unwrap();
        let published = draft.publish(Completeness::Full).unwrap();
        assert_eq!(published.already_there, !last_is_new);
        let mut steps = std::mem::take(&mut *steps.lock().unwrap());
        // the second copy, whose name is one of those that are left
        let removed = steps.extract_if(.., |(step, _)| *step == Step::Remove).count();
        assert_eq!(removed == 0, last_is_new);
        let taken: Vec<Step> = steps.iter().map(|(step, _)| *step).collect();
        let all = [Step::Create, Step::Write, Step::Flush, Step::Rename, Step::FlushFolder];
        assert_eq!(taken, all);
        let has_name = |names: &[String]| names.iter().any(|name| name.contains("-full-"));
        let named: Vec<bool> = steps.iter().map(|(_, names)| has_name(names)).collect();
        let before = !last_is_new;
        assert_eq!(named, [before, before, before, before, true], "{steps:?}");
    }
}

#[test]
fn a_file_that_cannot_be_made_is_an_error_and_leaves_nothing() {
    let (_base, store, feed, failing) = store(Step::Create);
    *failing.lock().unwrap() = true;
    assert_eq!(begin(&store, &feed).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(names(&store, &feed), <[String; 0]>::default());
}

#[test]
fn the_room_that_is_left_is_told() {
    let (base, store, ..) = store(Step::Create);
    assert!(store.free_bytes().unwrap() > 0);
    drop(base);
    assert!(store.free_bytes().is_err(), "an unmounted disk has no room");
}
