use common::base::hash::ContentHash;
use common::plan::listing::FolderKind;

use super::*;

fn hour() -> Hour {
    "2026-11-20T10".parse().unwrap()
}

fn folder<S: AsRef<str>>(names: &[S]) -> Folder {
    let folder = Folder::new(FolderKind::Video, hour(), names);
    assert_eq!(folder.skipped.count, 0, "{:?}", folder.skipped);
    folder
}

fn named(start: &str, kind: &str, content: &str) -> String {
    format!("{start}-2.0-{kind}-{}.ts", ContentHash::of(content.as_bytes()))
}

fn tombstone(name: &str) -> String {
    name.replace(".ts", ".tombstone")
}

fn diff(ours: &[String], remote: &[String]) -> Lacking {
    lacking(&folder(ours), &[], &folder(remote), Timestamp::MAX)
}

fn names(lacking: &Lacking) -> Vec<&str> {
    lacking.files.iter().map(|entry| &*entry.file_name).collect()
}

#[test]
fn what_is_here_is_not_copied_and_the_rest_is() {
    let [a, b, c] = ["a", "b", "c"].map(|content| named("00:00.000000", "full", content));
    let lacking = diff(&[a.clone(), b.clone()], &[a, c.clone()]);
    assert_eq!(names(&lacking), [c]);
    assert_eq!((lacking.recent, lacking.small_differences), (0, 0));
}

#[test]
fn a_tombstone_on_either_side_covers() {
    let a = named("00:00.000000", "full", "a");
    let here = diff(&[tombstone(&a)], std::slice::from_ref(&a));
    assert_eq!(here, Lacking::default());
    let there = diff(&[], &[a.clone(), tombstone(&a)]);
    assert!(there.files.is_empty());
    assert_eq!(there.tombstones, [tombstone(&a).into_boxed_str()]);
    let of_ours = diff(std::slice::from_ref(&a), &[tombstone(&a)]);
    assert_eq!(of_ours.tombstones.len(), 1, "ours is to be covered too");
}

#[test]
fn the_same_content_within_a_millisecond_is_the_same() {
    let here = [named("00:02.000000", "full", "a")];
    for (start, is_same) in
        [("00:02.001", true), ("00:01.999", true), ("00:02.001001", false), ("00:01.998999", false)]
    {
        let lacking = diff(&here, &[named(start, "full", "a")]);
        assert_eq!(lacking.files.is_empty(), is_same, "{start}");
        assert_eq!(lacking.small_differences, usize::from(is_same), "{start}");
    }
    assert_eq!(diff(&here, &[named("00:02.001", "full", "b")]).files.len(), 1, "other bytes");
    let longer = named("00:02.001", "full", "a").replace("-2.0-", "-3.0-");
    assert_eq!(diff(&here, &[longer]).files.len(), 1, "it is said to last longer");
}

#[test]
fn a_better_copy_of_the_same_content_is_copied_and_a_worse_one_is_not() {
    let [full, suspect] = ["full", "suspect"].map(|kind| named("00:02.000000", kind, "a"));
    let suspect_beside = named("00:02.000500", "suspect", "a");
    assert_eq!(names(&diff(std::slice::from_ref(&suspect), std::slice::from_ref(&full))), [&*full]);
    let worse = diff(std::slice::from_ref(&full), std::slice::from_ref(&suspect_beside));
    assert_eq!((worse.files.len(), worse.small_differences), (0, 1));
    assert_eq!(names(&diff(&[], &[suspect_beside, full.clone()])), [full], "the best of several");
}

#[test]
fn a_covered_copy_does_not_count_as_held() {
    let ours = named("00:02.000000", "full", "a");
    let theirs = named("00:02.000500", "full", "a");
    let lacking = diff(&[ours.clone(), tombstone(&ours)], std::slice::from_ref(&theirs));
    assert_eq!(names(&lacking), [theirs], "a tombstone covers a name, not the content");
}

#[test]
fn what_began_recently_is_left_alone() {
    let remote = folder(&[named("00:02.0", "full", "a"), named("00:04.0", "full", "b")]);
    let newest = hour().start() + chrono::TimeDelta::seconds(2);
    let lacking = lacking(&Folder::default(), &[], &remote, newest);
    assert_eq!(names(&lacking), [named("00:02.0", "full", "a")]);
    assert_eq!(lacking.recent, 1);
}

#[test]
fn the_hour_next_door_is_looked_into_at_the_edge() {
    let remote = folder(&[named("00:00.000500", "full", "a")]);
    let before = hour().previous().unwrap();
    assert_eq!(reaches(&remote, hour()).collect::<Vec<_>>(), [before]);
    let beside = Folder::new(FolderKind::Video, before, [named("59:59.999900", "full", "a")]).files;
    let lacking = lacking(&Folder::default(), &beside, &remote, Timestamp::MAX);
    assert_eq!((lacking.files.len(), lacking.small_differences), (0, 1));

    let last = folder(&[named("59:59.999000", "full", "a")]);
    assert_eq!(reaches(&last, hour()).collect::<Vec<_>>(), [hour().next().unwrap()]);
    let inside = folder(&[named("00:00.001", "full", "a"), named("59:59.998999", "full", "b")]);
    assert_eq!(reaches(&inside, hour()).count(), 0);
}
