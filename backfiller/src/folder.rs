//! What the names of an hour's folder mean, be it ours or another node's.
//!
//! This is where names from outside become values: what has no place in such a folder is counted and
//! goes no further, so that nothing else has to ask whether a name may become part of a path.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use chrono::TimeDelta;
use common::base::hash::ContentHash;
use common::base::time::{Hour, Timestamp};
use common::format::folder::FolderName;
use common::format::segment::{Completeness, EXTENSION, SegmentName, TOMBSTONE_EXTENSION};
use common::plan::listing::{CHAT_EXTENSION, FolderKind, stem, tombstoned_stem};

/// Two starts of the same content that are no further apart are the same start.
pub const SAME_START_WITHIN: TimeDelta = TimeDelta::milliseconds(1);

/// How much of a name that is skipped is kept for the log, in characters.
const EXAMPLE_CHARS: usize = 100;

/// What makes a segment this segment, whatever it is called.
///
/// Ordered so that the starts of one content, of one length and one completeness, stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// How long it lasts, in microseconds.
    pub duration_micros: i64,
    /// How far it can be trusted.
    pub completeness: Completeness,
    /// When it starts.
    pub start: Timestamp,
}

impl Identity {
    /// Everything that is the same segment with `completeness`.
    pub fn same_with(self, completeness: Completeness) -> RangeInclusive<Self> {
        let at = |start| Self { completeness, start, ..self };
        at(self.start - SAME_START_WITHIN)..=at(self.start + SAME_START_WITHIN)
    }
}

/// A segment or a chat batch in an hour's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, which is kept to the letter wherever it is copied: tombstones go by it.
    pub file_name: Box<str>,
    /// What it is. A chat batch has no duration.
    pub identity: Identity,
}

/// Names that were skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: usize,
    /// The beginning of the first one.
    pub example: Option<String>,
}

impl Skipped {
    /// Skips `name`.
    pub fn add(&mut self, name: &str) {
        self.count += 1;
        self.example.get_or_insert_with(|| name.chars().take(EXAMPLE_CHARS).collect());
    }
}

/// The published files of one hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// Segments and chat batches, in no order, also those that a tombstone covers.
    pub files: Vec<Entry>,
    /// The names of tombstones.
    pub tombstones: BTreeSet<Box<str>>,
    /// Names that are neither, nor a temp file's, nor hidden.
    pub skipped: Skipped,
}

impl Folder {
    /// Reads the names in the folder of `hour`.
    pub fn new<S: AsRef<str>>(
        kind: FolderKind,
        hour: Hour,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        let mut folder = Self::default();
        for name in names {
            let name = name.as_ref();
            match Meaning::of(kind, hour, name) {
                Meaning::File(identity) => {
                    folder.files.push(Entry { file_name: name.into(), identity });
                }
                Meaning::Tombstone => {
                    folder.tombstones.insert(name.into());
                }
                Meaning::Nothing => {}
                Meaning::Stranger => folder.skipped.add(name),
            }
        }
        folder
    }

    /// The files that no tombstone of the folder covers.
    pub fn uncovered(self) -> Vec<Entry> {
        let Self { mut files, tombstones, .. } = self;
        files.retain(|entry| !tombstones.contains(tombstone_of(&entry.file_name).as_str()));
        files
    }

    /// Whether one of the tombstones, or of those of `other`, covers `file_name`.
    pub fn is_covered(&self, other: &Self, file_name: &str) -> bool {
        let tombstone = tombstone_of(file_name);
        self.tombstones.contains(tombstone.as_str())
            || other.tombstones.contains(tombstone.as_str())
    }
}

/// The name of the tombstone that covers `file_name`.
fn tombstone_of(file_name: &str) -> String {
    format!("{}{TOMBSTONE_EXTENSION}", stem(file_name))
}

/// What a name says.
enum Meaning {
    File(Identity),
    Tombstone,
    /// Hidden or temp: nobody else's business.
    Nothing,
    Stranger,
}

impl Meaning {
    fn of(kind: FolderKind, hour: Hour, name: &str) -> Self {
        if name.len() > FolderName::MAX_BYTES || name.contains('/') {
            return Self::Stranger;
        }
        if name.starts_with('.') {
            return Self::Nothing;
        }
        let Some(stem) = tombstoned_stem(name) else {
            return Self::of_file(kind, hour, name);
        };
        // a tombstone's name does not say which kind of file it is for
        let candidates = [EXTENSION, CHAT_EXTENSION]
            .map(|extension| Self::of_file(kind, hour, &format!("{stem}{extension}")));
        match candidates {
            [Self::File(_), _] | [_, Self::File(_)] => Self::Tombstone,
            [Self::Nothing, _] => Self::Nothing,
            _ => Self::Stranger,
        }
    }

    fn of_file(kind: FolderKind, hour: Hour, name: &str) -> Self {
        let segment = match name.strip_suffix(CHAT_EXTENSION) {
            Some(stem) if kind == FolderKind::Chat => segment_like(stem),
            _ => Some(name.to_owned()),
        };
        let segment = segment.and_then(|name| name.parse::<SegmentName>().ok());
        let Some(segment) = segment else {
            return Self::Stranger;
        };
        let Some((completeness, hash)) = segment.published() else {
            return Self::Nothing;
        };
        Self::File(Identity {
            hash,
            duration_micros: segment.duration().micros(),
            completeness,
            start: segment.start(hour),
        })
    }
}

/// A chat batch is `MM:SS-HASH.json`. Put like this, its start and hash are read by the one reader
/// of both.
fn segment_like(chat_stem: &str) -> Option<String> {
    let (start, hash) = chat_stem.split_once('-')?;
    Some(format!("{start}-0-{}-{hash}{EXTENSION}", Completeness::Full.token()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(content: &str) -> ContentHash {
        ContentHash::of(content.as_bytes())
    }

    fn read<S: AsRef<str>>(kind: FolderKind, names: &[S]) -> Folder {
        Folder::new(kind, "2026-11-20T10".parse().unwrap(), names)
    }

    #[test]
    fn names_become_files_and_tombstones() {
        let segment = format!("02:03.5-2-suspect-{}.ts", hash("a"));
        let tombstone = format!("02:05-2-full-{}.tombstone", hash("b"));
        let folder = read(FolderKind::Video, &[&segment, &tombstone]);
        let expected = Identity {
            hash: hash("a"),
            duration_micros: 2_000_000,
            completeness: Completeness::Suspect,
            start: Timestamp::parse_http("2026-11-20T10:02:03.5").unwrap(),
        };
        assert_eq!(folder.files, [Entry { file_name: (&*segment).into(), identity: expected }]);
        assert_eq!(folder.tombstones, BTreeSet::from([(&*tombstone).into()]));
        assert_eq!(folder.skipped.count, 0);
    }

    #[test]
    fn temp_and_hidden_files_are_nobodys_business() {
        let names = [
            "00:00-2-temp-6c0a.ts".to_owned(),
            "00:00-2-temp-6c0a.tombstone".to_owned(),
            format!(".00:00-2-full-{}.ts", hash("a")),
        ];
        assert_eq!(read(FolderKind::Video, &names), Folder::default());
    }

    #[test]
    fn what_leads_elsewhere_or_means_nothing_is_skipped() {
        let good = format!("00:00-2-full-{}", hash("a"));
        let names = [
            format!("../../{good}.ts"),
            format!("/tmp/{good}.ts"),
            format!("../../{good}.tombstone"),
            "../../x.tombstone".to_owned(),
            "/etc/x.tombstone".to_owned(),
            "00:00-2-temp-/../../x.ts".to_owned(),
            "..".to_owned(),
            String::new(),
            ".tombstone".to_owned(),
            "x.tombstone".to_owned(),
            format!("{good}.ts.tombstone"),
            format!("{good}\0.ts"),
            format!("{good}.ts\n"),
            format!("00:00-2.{}-full-{}.ts", "0".repeat(300), hash("a")),
            "00:00-inf-full-x.ts".to_owned(),
            format!("00:00-{}.json", hash("a")),
            "README".to_owned(),
        ];
        for name in &names {
            let folder = read(FolderKind::Video, std::slice::from_ref(name));
            assert!(folder.files.is_empty() && folder.tombstones.is_empty(), "{name:?}");
        }
        let folder = read(FolderKind::Video, &names);
        // ".." and ".tombstone" are hidden names like any other
        assert_eq!(folder.skipped.count, names.len() - 2);
        assert_eq!(folder.skipped.example.as_deref(), Some(&*names[0]));
    }

    #[test]
    fn chat_batches_are_files_of_the_chat_alone() {
        let names = [format!("09:30-{}.json", hash("a")), format!("09:30-{}.tombstone", hash("b"))];
        let folder = read(FolderKind::Chat, &names);
        assert_eq!((folder.files.len(), folder.tombstones.len()), (1, 1));
        assert_eq!(folder.files[0].identity.hash, hash("a"));
        assert_eq!(read(FolderKind::Video, &names).skipped.count, 2);
        let bad = ["09:30-x.json", "x.json", "../09:30.json", "09:30.json"];
        assert_eq!(read(FolderKind::Chat, &bad).skipped.count, bad.len());
    }

    #[test]
    fn a_tombstone_covers_the_name_it_is_made_of() {
        let name = format!("00:00-2-full-{}", hash("a"));
        let holder = read(FolderKind::Video, &[format!("{name}.tombstone")]);
        let other = Folder::default();
        assert!(holder.is_covered(&other, &format!("{name}.ts")));
        assert!(other.is_covered(&holder, &format!("{name}.ts")));
        assert!(!other.is_covered(&holder, &format!("00:00.0-2-full-{}.ts", hash("a"))));
    }
}
