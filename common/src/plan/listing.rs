//! What the file names of one hour's folder mean.

use std::collections::HashSet;

use chrono::TimeDelta;

use crate::base::hash::ContentHash;
use crate::base::time::{Hour, Timestamp};
use crate::format::segment::{Completeness, EXTENSION, SegmentName, TOMBSTONE_EXTENSION};

/// The end of the file names of chat batches.
pub const CHAT_EXTENSION: &str = ".json";

/// A published segment that lies in the store and that no tombstone covers.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSegment {
    /// Its file name as it is on disk, which need not be the canonical one.
    pub file_name: Box<str>,
    /// What the file name says.
    pub name: SegmentName,
    /// When it starts.
    pub start: Timestamp,
    /// How far it can be trusted.
    pub completeness: Completeness,
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// Its size in bytes, known where it decides between segments of one start; otherwise zero.
    pub size: u64,
}

impl StoredSegment {
    /// How long it lasts, in whole microseconds.
    pub fn duration(&self) -> TimeDelta {
        self.name.duration().delta()
    }

    /// The first instant after it.
    pub fn end(&self) -> Timestamp {
        self.start + self.duration()
    }
}

/// The published segments of one hour, by start time and then by file name.
#[derive(Clone, Debug, PartialEq)]
pub struct HourListing {
    /// The hour whose folder this is.
    pub hour: Hour,
    /// The segments that count: neither temp nor tombstoned.
    pub segments: Vec<StoredSegment>,
    /// Names that end like a segment's but are none, for a warning.
    pub strangers: Vec<String>,
}

impl HourListing {
    /// Reads the names found in the folder of `hour`.
    ///
    /// `size_of` is asked only where the size decides, since asking costs a system call a file;
    /// where it answers `None` the file is gone and does not count.
    pub fn new<S: AsRef<str>>(
        hour: Hour,
        names: impl IntoIterator<Item = S>,
        mut size_of: impl FnMut(&str) -> Option<u64>,
    ) -> Self {
        let mut listing = Self { hour, segments: Vec::new(), strangers: Vec::new() };
        let mut tombstoned = HashSet::new();
        for name in names {
            let name = name.as_ref();
            if let Some(stem) = tombstoned_stem(name) {
                tombstoned.insert(stem.to_owned());
            } else if name.ends_with(EXTENSION) && !name.starts_with('.') {
                listing.take_in(name);
            }
        }
        if !tombstoned.is_empty() {
            listing.segments.retain(|segment| !tombstoned.contains(stem(&segment.file_name)));
        }
        listing.segments.sort_unstable_by(|a, b| {
            a.start.cmp(&b.start).then_with(|| a.file_name.cmp(&b.file_name))
        });
        listing.weigh_rivals(&mut size_of);
        listing
    }

    fn take_in(&mut self, file_name: &str) {
        let Ok(name) = file_name.parse::<SegmentName>() else {
            self.strangers.push(file_name.to_owned());
            return;
        };
        let Some((completeness, hash)) = name.published() else {
            return;
        };
        self.segments.push(StoredSegment {
            file_name: file_name.into(),
            start: name.start(self.hour),
            completeness,
            hash,
            name,
            size: 0,
        });
    }

    /// Fills in the sizes of segments that share their start, and drops those that are gone.
    fn weigh_rivals(&mut self, size_of: &mut impl FnMut(&str) -> Option<u64>) {
        let mut gone = Vec::new();
        for rivals in self.segments.chunk_by_mut(|a, b| a.start == b.start) {
            if let [_] = rivals {
                continue;
            }
            for rival in rivals {
                match size_of(&rival.file_name) {
                    Some(size) => rival.size = size,
                    None => gone.push(rival.file_name.clone()),
                }
            }
        }
        if !gone.is_empty() {
            self.segments.retain(|segment| !gone.contains(&segment.file_name));
        }
    }
}

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

    const VECTORS: &str = include_str!("../../testdata/vectors/listings.json");

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

    #[test]
    fn a_tombstone_hides_only_the_segment_of_its_name() {
        let hour: Hour = "2026-11-20T10".parse().unwrap();
        let hash = ContentHash::of(b"");
        let kept = format!("00:00.000000-2.0-full-{hash}.ts");
        let hidden = format!("00:02.000000-2.0-full-{hash}");
        let files = [
            kept.clone(),
            format!("{hidden}.ts"),
            format!("{hidden}.tombstone"),
            format!("{kept}.tombstone"),
            "stranger.ts".to_owned(),
            "00:04.000000-2.0-temp-x.ts".to_owned(),
            format!(".{kept}"),
        ];
        let listing = HourListing::new(hour, &files, |_| panic!("no size decides here"));
        let visible: Vec<&str> = listing.segments.iter().map(|s| &*s.file_name).collect();
        assert_eq!(visible, [kept]);
        assert_eq!(listing.strangers, ["stranger.ts"]);
    }

    #[test]
    fn a_rival_that_vanished_does_not_count() {
        let hour: Hour = "2026-11-20T10".parse().unwrap();
        let files = [b"a", b"b"]
            .map(|bytes| format!("00:00.000000-2.0-full-{}.ts", ContentHash::of(bytes)));
        let listing = HourListing::new(hour, &files, |name| (name == files[1]).then_some(7));
        assert_eq!(listing.segments.len(), 1);
        assert_eq!((&*listing.segments[0].file_name, listing.segments[0].size), (&*files[1], 7));
    }
}
