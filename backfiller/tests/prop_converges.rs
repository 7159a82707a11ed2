//! Nodes that keep copying what they lack end up with the same, whatever they began with.
//!
//! Each node is a set of names. A step lets one node copy what [`lacking`] says from another. After
//! enough steps nothing is lacking anywhere, and then:
//!
//! - every tombstone of any node is on every node;
//! - whatever no tombstone covers is on every node, under its own name or as the same content, at
//!   least as complete, up to 1 ms away;
//! - nobody copied what a tombstone covers that was known then, or the same content twice.
//!
//! Not modelled: transfers that fail, which copy nothing and are tried again.

#![cfg(test)]

use std::collections::BTreeSet;

use backfiller::diff::{Lacking, lacking};
use backfiller::folder::{Entry, Folder};
use common::base::hash::ContentHash;
use common::base::time::{Hour, Timestamp};
use common::plan::listing::FolderKind;
use proptest::prelude::*;
use proptest::sample::select;

type Names = BTreeSet<String>;

fn hour() -> Hour {
    "2026-11-20T10".parse().unwrap()
}

fn folder(names: &Names) -> Folder {
    Folder::new(FolderKind::Video, hour(), names)
}

/// Names that are often the same, or nearly so: few contents, starts around the 1 ms bound.
fn any_name() -> impl Strategy<Value = String> {
    let starts = select(vec![0_u32, 400, 1000, 1001, 2000, 2400, 500_000]);
    let durations = select(vec!["2.0", "2.5"]);
    let kinds = select(vec!["full", "suspect", "partial"]);
    let endings = prop_oneof![6 => Just("ts"), 1 => Just("tombstone")];
    (starts, durations, kinds, 0..3_u8, endings).prop_map(
        |(start, duration, kind, content, ending)| {
            let hash = ContentHash::of(&[content]);
            format!("10:00.{start:06}-{duration}-{kind}-{hash}.{ending}")
        },
    )
}

fn any_nodes() -> impl Strategy<Value = Vec<Names>> {
    prop::collection::vec(prop::collection::btree_set(any_name(), 0..12), 2..5)
}

fn is_same(one: &Entry, other: &Entry) -> bool {
    let (one, other) = (one.identity, other.identity);
    (one.hash, one.duration_micros) == (other.hash, other.duration_micros)
        && (one.start.micros() - other.start.micros()).abs() <= 1000
}

/// Lets `nodes[to]` copy from `nodes[from]`; returns whether it had to.
fn copy(nodes: &mut [Names], to: usize, from: usize) -> bool {
    let (ours, remote) = (folder(&nodes[to]), folder(&nodes[from]));
    let Lacking { tombstones, files, recent, .. } = lacking(&ours, &[], &remote, Timestamp::MAX);
    assert_eq!(recent, 0);
    for (at, file) in files.iter().enumerate() {
        assert!(!ours.is_covered(&remote, &file.file_name), "a tombstone covers it");
        let held = ours.files.iter().filter(|held| !ours.is_covered(&remote, &held.file_name));
        for held in held.chain(&files[..at]) {
            let is_better = file.identity.completeness < held.identity.completeness;
            assert!(is_better || !is_same(held, file), "{file:?} is here as {held:?}");
        }
    }
    let copied = tombstones.into_iter().chain(files.into_iter().map(|file| file.file_name));
    let before = nodes[to].len();
    nodes[to].extend(copied.map(String::from));
    nodes[to].len() > before
}

fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |to| (0..count).map(move |from| (to, from)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn all_nodes_end_with_all_there_is(
        began in any_nodes(),
        steps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..20),
    ) {
        let mut nodes = began.clone();
        let count = nodes.len();
        for (to, from) in steps {
            copy(&mut nodes, to.index(count), from.index(count));
        }
        let mut rounds = 0;
        while pairs(count).fold(false, |copied, (to, from)| copy(&mut nodes, to, from) || copied) {
            rounds += 1;
            prop_assert!(rounds <= 10, "it does not come to an end");
        }
        let all: Names = began.iter().flatten().cloned().collect();
        let all = folder(&all);
        for names in &nodes {
            let here = folder(names);
            prop_assert_eq!(&here.tombstones, &all.tombstones);
            let held = here.clone().uncovered();
            for file in all.clone().uncovered() {
                let is_held = held.iter().any(|held| {
                    is_same(held, &file) && held.identity.completeness <= file.identity.completeness
                });
                prop_assert!(is_held, "{:?} is not in {:?}", file, names);
            }
        }
    }

    #[test]
    fn a_node_lacks_nothing_of_its_own(names in prop::collection::btree_set(any_name(), 0..12)) {
        let lacking = lacking(&folder(&names), &[], &folder(&names), Timestamp::MAX);
        prop_assert_eq!(lacking, Lacking::default());
    }

    #[test]
    fn what_is_lacking_does_not_depend_on_the_order_of_names(
        ours in prop::collection::vec(any_name(), 0..12),
        remote in prop::collection::vec(any_name(), 0..12),
    ) {
        let read = |names: &[String]| Folder::new(FolderKind::Video, hour(), names);
        let reversed = |names: &[String]| read(&names.iter().rev().cloned().collect::<Vec<_>>());
        let one = lacking(&read(&ours), &[], &read(&remote), Timestamp::MAX);
        let other = lacking(&reversed(&ours), &[], &reversed(&remote), Timestamp::MAX);
        prop_assert_eq!(one, other);
    }
}
