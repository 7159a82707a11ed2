use chrono::TimeDelta;

use super::*;
use crate::base::hash::ContentHash;
use crate::base::time::{Clock, SystemClock};
use crate::format::segment::{Completeness, MediaDuration};

fn store() -> (tempfile::TempDir, Store, Feed) {
    let base = tempfile::tempdir().unwrap();
    let store = Store::open(base.path(), Access::Write).unwrap();
    let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
    (base, store, feed)
}

fn two_seconds() -> MediaDuration {
    MediaDuration::from_seconds(2.0).unwrap()
}

fn ten() -> Hour {
    "2026-11-20T10".parse().unwrap()
}

#[tokio::test]
async fn a_published_segment_is_whole_and_alone() {
    let (_base, store, feed) = store();
    let mut segment = store.begin_segment(&feed, ten().start(), two_seconds()).await.unwrap();
    segment.write(b"vid").await.unwrap();
    segment.write(b"eo").await.unwrap();
    let published = segment.publish(Completeness::Full).await.unwrap();

    assert_eq!(published.hash, ContentHash::of(b"video"));
    assert_eq!((published.size, published.already_there), (5, false));
    assert_eq!(std::fs::read(&published.path).unwrap(), b"video");
    let expected = format!("00:00.000000-2.0-full-{}.ts", published.hash);
    assert_eq!(store.file_names(&feed, ten()).unwrap(), [expected]);
}

#[tokio::test]
async fn the_same_bytes_are_published_once() {
    let (_base, store, feed) = store();
    for already_there in [false, true] {
        let mut segment = store.begin_segment(&feed, ten().start(), two_seconds()).await.unwrap();
        segment.write(b"video").await.unwrap();
        let published = segment.publish(Completeness::Full).await.unwrap();
        assert_eq!(published.already_there, already_there);
    }
    assert_eq!(store.file_names(&feed, ten()).unwrap().len(), 1);
}

#[tokio::test]
async fn a_dropped_segment_leaves_nothing() {
    let (_base, store, feed) = store();
    let mut segment = store.begin_segment(&feed, ten().start(), two_seconds()).await.unwrap();
    segment.write(b"video").await.unwrap();
    assert_eq!(store.file_names(&feed, ten()).unwrap().len(), 1, "a temp file while it is written");
    assert_eq!(store.hour(&feed, ten()).unwrap().len(), 0, "which is never selected");
    drop(segment);
    assert_eq!(store.file_names(&feed, ten()).unwrap(), <[String; 0]>::default());
}

#[tokio::test]
async fn only_old_temp_files_are_swept() {
    let (_base, store, feed) = store();
    let mut segment = store.begin_segment(&feed, ten().start(), two_seconds()).await.unwrap();
    segment.write(b"video").await.unwrap();
    segment.publish(Completeness::Full).await.unwrap();
    let left_behind = store.begin_segment(&feed, ten().start(), two_seconds()).await.unwrap();

    let now = SystemClock.now();
    assert_eq!(store.sweep_temp_files(&feed, now + TimeDelta::hours(23)).unwrap(), 0);
    assert_eq!(store.sweep_temp_files(&feed, now + TimeDelta::hours(25)).unwrap(), 1);
    assert_eq!(store.file_names(&feed, ten()).unwrap().len(), 1);
    drop(left_behind);
}

#[test]
fn folders_that_cannot_be_channels_or_hours_are_left_out() {
    let (base, store, feed) = store();
    for folder in [
        ".hidden",
        "chan/.hidden",
        "chan/source/notanhour",
        "chan/source/2026-11-20T10",
        "chan/source/.tmp",
    ] {
        std::fs::create_dir_all(base.path().join(folder)).unwrap();
    }
    std::fs::write(base.path().join("file"), b"").unwrap();
    assert_eq!(store.channels().unwrap(), std::slice::from_ref(&feed.channel));
    assert_eq!(store.qualities(&feed.channel).unwrap(), std::slice::from_ref(&feed.quality));
    assert_eq!(store.hours(&feed).unwrap(), [ten()]);
    let nobody = Feed { channel: "nobody".parse().unwrap(), ..feed };
    assert_eq!(store.hours(&nobody).unwrap(), []);
    assert_eq!(store.hour(&nobody, ten()).unwrap().len(), 0);
}

#[test]
fn a_base_folder_that_cannot_be_used_says_what_to_do() {
    let base = tempfile::tempdir().unwrap();
    let missing = Store::open(base.path().join("missing"), Access::Read).unwrap_err();
    assert!(
        missing
            .to_string()
            .ends_with("it does not exist; create it, or give another with --base-dir"),
        "{missing}"
    );
    let file = base.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let no_folder = Store::open(file, Access::Read).unwrap_err();
    assert!(
        no_folder.to_string().ends_with("it is no folder; give a folder with --base-dir"),
        "{no_folder}"
    );
}

#[tokio::test]
async fn a_base_folder_that_was_replaced_is_neither_read_nor_written() {
    let (base, store, feed) = store();
    let mut segment = store.begin_segment(&feed, ten().start(), two_seconds()).await.unwrap();
    segment.write(b"video").await.unwrap();
    segment.publish(Completeness::Full).await.unwrap();

    // what unmounting a disk looks like: an empty folder instead
    let kept = base.path().with_extension("unmounted");
    std::fs::rename(base.path(), &kept).unwrap();
    let refusals = [
        store.channels().unwrap_err(),
        store.hours(&feed).unwrap_err(),
        store.begin_segment(&feed, ten().start(), two_seconds()).await.unwrap_err(),
    ];
    assert!(refusals.iter().all(|error| error.to_string().contains("is gone")), "{refusals:?}");
    assert!(!base.path().exists(), "nothing is made in its place");

    std::fs::create_dir(base.path()).unwrap();
    let refusals = [
        store.channels().unwrap_err(),
        store.hours(&feed).unwrap_err(),
        store.begin_segment(&feed, ten().start(), two_seconds()).await.unwrap_err(),
    ];
    assert!(refusals.iter().all(|error| error.to_string().contains("another one")), "{refusals:?}");
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0, "nothing is written there");

    std::fs::remove_dir(base.path()).unwrap();
    std::fs::rename(&kept, base.path()).unwrap();
    assert_eq!(store.hours(&feed).unwrap(), [ten()], "mounted again, all is well");
}

#[test]
fn folders_are_made_below_the_base_only() {
    let (base, store, feed) = store();
    let hour = store.hour_path(&feed, ten());
    store.create_folder(&hour).unwrap();
    store.create_folder(&hour).unwrap();
    assert!(hour.is_dir());
    std::fs::remove_dir(&hour).unwrap();
    store.create_folder(&hour).unwrap();
    assert!(hour.is_dir(), "though it was known to be there before");
    let outside = base.path().with_extension("outside");
    assert!(store.create_folder(&outside).is_err() && !outside.exists());
}

#[tokio::test]
async fn work_that_nobody_waits_for_ends() {
    let (_base, store, feed) = store();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (ended, has_ended) = tokio::sync::oneshot::channel();
    let work = store.while_awaited(move |store| {
        begun.send(()).unwrap();
        // for ever, unless it is told to end
        while store.hour(&feed, ten()).is_ok() {}
        let told = [
            store.file_names(&feed, ten()).is_err(),
            store.hours_of(&feed, &[]).is_ok(),
            store.check_awaited().is_err(),
        ];
        ended.send(told).unwrap();
    });
    tokio::select! {
        () = work => panic!("it ended while it was awaited"),
        begun = has_begun => begun.unwrap(),
    }
    assert_eq!(has_ended.await.unwrap(), [true; 3]);
    assert!(store.check_awaited().is_ok(), "other work is awaited");
}

#[tokio::test]
async fn heads_that_nobody_waits_for_are_not_read() {
    let (_base, store, feed) = store();
    let mut segment = store.begin_segment(&feed, ten().start(), two_seconds()).await.unwrap();
    segment.write(b"video").await.unwrap();
    segment.publish(Completeness::Full).await.unwrap();
    let listing = store.hour(&feed, ten()).unwrap();
    let waiting = Waiting::default();
    let given_up = Store { awaited: waiting.awaited(), ..store.clone() };
    drop(waiting);
    assert!(given_up.read_heads(&feed, &listing, &[0]).is_err());
    assert_eq!(listing.heads().view().get(0), None, "and nothing wrong is remembered");
    assert!(store.read_heads(&feed, &listing, &[0]).is_ok());
    assert!(listing.heads().view().get(0).is_some());
}
