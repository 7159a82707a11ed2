//! Stores that differ in each of the ways in which they can.

use std::fs;

use common::base::time::Timestamp;
use common::format::segment::MediaDuration;

use super::*;

/// An origin's segments and two stores that hold them.
struct Case {
    folder: tempfile::TempDir,
    expected: Expected,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let published: Vec<Published> = (0..5).map(|n| publish(folder.path(), n)).collect();
        let names = names_of(&published).unwrap();
        let case = Self {
            folder,
            expected: Expected {
                channel: "demo".to_owned(),
                qualities: [("source".to_owned(), names)].into(),
            },
        };
        for store in ["a", "b"] {
            for n in 0..5 {
                case.put(store, n, &n.to_string());
            }
        }
        case
    }

    fn path(&self, store: &str, n: usize) -> std::path::PathBuf {
        let name = &self.expected.qualities["source"][n];
        self.folder.path().join(store).join("demo/source").join(name)
    }

    fn put(&self, store: &str, n: usize, bytes: &str) {
        let path = self.path(store, n);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn take(&self, store: &str, n: usize) {
        fs::remove_file(self.path(store, n)).unwrap();
    }

    /// What is wrong, or how many bytes were compared.
    fn outcome(&self) -> Result<u64, String> {
        let (a, b) = (self.folder.path().join("a"), self.folder.path().join("b"));
        let found = names(&a, &b, Some(&self.expected));
        found.and_then(|found| bytes(&a, &b, &found)).map_err(|error| format!("{error:#}"))
    }

    fn complaint(&self) -> String {
        self.outcome().unwrap_err()
    }
}

fn publish(folder: &Path, n: u64) -> Published {
    let path = folder.join(n.to_string());
    fs::write(&path, n.to_string()).unwrap();
    let seconds = 3598 + 2 * i64::try_from(n).unwrap();
    Published {
        number: n,
        path,
        start: Timestamp::from_micros(seconds * 1_000_000),
        duration: MediaDuration::from_seconds(2.0).unwrap(),
    }
}

#[test]
fn equal_stores_are_equal() {
    assert_eq!(Case::new().outcome(), Ok(5));
}

#[test]
fn what_was_before_the_first_recorded_segment_need_not_be_there() {
    let case = Case::new();
    for store in ["a", "b"] {
        case.take(store, 0);
    }
    assert_eq!(case.outcome(), Ok(4));
}

#[test]
fn a_segment_that_one_lacks_is_found() {
    let case = Case::new();
    case.take("b", 4);
    assert!(case.complaint().starts_with("node b lacks 1 files"), "{}", case.complaint());
}

#[test]
fn a_segment_that_both_lack_is_found() {
    for n in [2, 4] {
        let case = Case::new();
        case.take("a", n);
        case.take("b", n);
        assert!(case.complaint().contains("both nodes lack it"), "{}", case.complaint());
    }
}

#[test]
fn a_segment_that_was_never_served_is_found() {
    let mut case = Case::new();
    case.expected.qualities.get_mut("source").unwrap().pop();
    assert!(case.complaint().contains("never served"), "{}", case.complaint());
}

#[test]
fn other_bytes_under_the_same_name_are_found() {
    let case = Case::new();
    case.put("a", 3, "x");
    assert!(case.complaint().contains("differs between the nodes"), "{}", case.complaint());
    case.put("b", 3, "x");
    assert!(case.complaint().contains("not those of its name"), "{}", case.complaint());
    case.put("b", 3, "xy");
    assert!(case.complaint().contains("1) bytes on node a"), "{}", case.complaint());
}

#[test]
fn files_that_a_killed_writer_left_do_not_count() {
    let case = Case::new();
    let folder = case.folder.path().join("a/demo/source/1970-01-01T00");
    fs::write(folder.join("00:00.000000-2.0-temp-1234.ts"), "half").unwrap();
    fs::write(folder.join(".hidden"), "").unwrap();
    assert_eq!(case.outcome(), Ok(5));
}
