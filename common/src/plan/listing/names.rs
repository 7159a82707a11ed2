//! Which names of an hour's folder are for other nodes to see.

use std::collections::HashSet;

use crate::format::segment::{EXTENSION, TOMBSTONE_EXTENSION};

/// The end of the file names of chat batches.
pub const CHAT_EXTENSION: &str = ".json";

/// Which kind of files a folder of hours holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderKind {
    /// Segments, as in every quality but `chat`.
    Video,
    /// Segments and chat batches, as in the folder `chat`.
    Chat,
}

impl FolderKind {
    /// The kind of a quality's folder.
    pub fn of(quality: &str) -> Self {
        if quality == "chat" { Self::Chat } else { Self::Video }
    }
}

/// The names of an hour's folder that other nodes may see, sorted: segments (of any kind and form)
/// and chat batches that no tombstone covers, and with `tombstones` the tombstones too, those of
/// hidden names among them as existing nodes do.
pub fn visible_names(names: &[String], kind: FolderKind, tombstones: bool) -> Vec<&str> {
    let is_payload = |name: &str| {
        name.ends_with(EXTENSION) || (kind == FolderKind::Chat && name.ends_with(CHAT_EXTENSION))
    };
    let covered: HashSet<&str> = names.iter().filter_map(|name| tombstoned_stem(name)).collect();
    let mut visible: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| {
            let is_tombstone = tombstones && tombstoned_stem(name).is_some();
            let is_seen = is_payload(name) && !name.starts_with('.');
            is_tombstone || (is_seen && !covered.contains(stem(name)))
        })
        .collect();
    visible.sort_unstable();
    visible
}

/// What the names begin with that the tombstone `name` covers; `None` when it is no tombstone.
pub fn tombstoned_stem(name: &str) -> Option<&str> {
    name.strip_suffix(TOMBSTONE_EXTENSION).filter(|stem| !stem.is_empty())
}

/// A name without its extension: what its tombstone's name begins with.
pub fn stem(name: &str) -> &str {
    name.rfind('.').map_or(name, |point| &name[..point])
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../../testdata/vectors/listings.json");

    fn names(value: &serde_json::Value) -> Vec<String> {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn the_vectors_hold() {
        let cases: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
        assert!(cases.len() > 100, "the vectors are there");
        for case in &cases {
            let found: Option<Vec<String>> = serde_json::from_value(case["names"].clone()).unwrap();
            let found = found.unwrap_or_default();
            for (chat, kind) in [(false, FolderKind::Video), (true, FolderKind::Chat)] {
                for tombstones in [false, true] {
                    let expected = names(&case[format!("tombstones={tombstones},chat={chat}")]);
                    let actual = visible_names(&found, kind, tombstones);
                    assert_eq!(actual, expected, "case {} {kind:?} {tombstones}", case["id"]);
                }
            }
        }
    }
}
