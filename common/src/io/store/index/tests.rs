use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::base::hash::ContentHash;

#[derive(Debug, Default)]
struct Heard(RefCell<Vec<String>>);

impl Told for Heard {
    fn stranger(&self, _folder: &Path, name: &str) {
        self.0.borrow_mut().push(name.to_owned());
    }

    fn unreadable(&self, folder: &Path, _error: &io::Error) {
        self.0.borrow_mut().push(folder.display().to_string());
    }
}

struct Bench {
    base: tempfile::TempDir,
    index: Index,
    heard: Heard,
}

fn feed() -> Feed {
    Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() }
}

fn hour(number: u32) -> Hour {
    format!("2026-11-20T{number:02}").parse().unwrap()
}

fn name(second: u32) -> String {
    format!("00:{second:02}.000000-2.0-full-{}.ts", ContentHash::of(&second.to_be_bytes()))
}

impl Bench {
    fn new(max_bytes: usize) -> Self {
        let base = tempfile::tempdir().unwrap();
        Self { base, index: Index::new(max_bytes), heard: Heard::default() }
    }

    fn folder(&self, number: u32) -> PathBuf {
        self.base.path().join(number.to_string())
    }

    /// Puts a segment into the hour `number`.
    fn put(&self, number: u32, second: u32) {
        std::fs::create_dir_all(self.folder(number)).unwrap();
        std::fs::write(self.folder(number).join(name(second)), b"").unwrap();
    }

    fn read(&self, number: u32) -> Arc<HourListing> {
        self.index.hour(&feed(), hour(number), &self.folder(number), &self.heard).unwrap()
    }

    /// Dates the folder back, so that it counts as unchanged for long.
    fn settle(&self, number: u32) {
        let long_ago =
            std::time::UNIX_EPOCH + std::time::Duration::from_nanos(1_700_000_000_000_000_001);
        std::fs::File::open(self.folder(number)).unwrap().set_modified(long_ago).unwrap();
    }

    fn bytes(&self) -> usize {
        self.index.hours().bytes
    }
}

#[test]
fn a_folder_that_did_not_change_is_read_once() {
    let bench = Bench::new(MEMORY_BYTES);
    bench.put(10, 0);
    std::fs::write(bench.folder(10).join("stranger.ts"), b"").unwrap();
    bench.settle(10);
    let first = bench.read(10);
    assert!(Arc::ptr_eq(&first, &bench.read(10)));
    assert_eq!(*bench.heard.0.borrow(), ["stranger.ts"], "which is told of when it is read");
    bench.put(10, 2);
    assert_eq!((first.len(), bench.read(10).len()), (1, 2));
}

#[test]
fn every_change_is_seen_however_quick() {
    let bench = Bench::new(MEMORY_BYTES);
    for second in 0..60 {
        bench.put(10, second);
        assert_eq!(bench.read(10).len(), second as usize + 1, "one more");
    }
    for second in 0..60 {
        std::fs::remove_file(bench.folder(10).join(name(second))).unwrap();
        assert_eq!(bench.read(10).len(), 59 - second as usize, "one fewer");
    }
}

#[test]
fn what_a_listing_does_not_tell_leaves_it_as_it_is() {
    let bench = Bench::new(MEMORY_BYTES);
    bench.put(10, 0);
    let first = bench.read(10);
    std::fs::write(bench.folder(10).join("00:02.000000-2.0-temp-x.ts"), b"").unwrap();
    assert!(Arc::ptr_eq(&first, &bench.read(10)));
}

#[test]
fn a_folder_that_vanished_is_empty_and_forgotten() {
    let bench = Bench::new(MEMORY_BYTES);
    bench.put(10, 0);
    assert_eq!(bench.read(10).len(), 1);
    std::fs::remove_dir_all(bench.folder(10)).unwrap();
    assert_eq!(bench.read(10).len(), 0);
    assert_eq!(bench.bytes(), 0);
    assert!(bench.index.hours().feeds.is_empty());
}

#[test]
fn a_folder_that_cannot_be_read_stands_as_it_was_known() {
    let bench = Bench::new(MEMORY_BYTES);
    bench.put(10, 0);
    assert_eq!(bench.read(10).len(), 1);
    // a link in circles cannot be read by anybody, not even by root
    let folder = bench.folder(10);
    std::fs::remove_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(&folder, &folder).unwrap();
    assert_eq!(bench.read(10).len(), 1);
    std::os::unix::fs::symlink(&folder, bench.folder(11)).unwrap();
    assert_eq!(bench.read(11).len(), 0, "never known");
    assert_eq!(bench.heard.0.borrow().len(), 2);
    std::fs::remove_file(&folder).unwrap();
    bench.put(10, 4);
    assert_eq!(bench.read(10).segments().next().unwrap().file_name(), name(4), "read again");
}

#[test]
fn another_folder_of_the_same_date_is_read() {
    let bench = Bench::new(MEMORY_BYTES);
    bench.put(10, 0);
    bench.settle(10);
    assert_eq!(bench.read(10).len(), 1);
    std::fs::rename(bench.folder(10), bench.folder(11)).unwrap();
    bench.put(10, 0);
    bench.put(10, 2);
    bench.settle(10);
    assert_eq!(bench.read(10).len(), 2);
}

#[test]
fn what_is_known_of_a_segment_stays_known() {
    use crate::format::media::{Container, Head, Tables};
    let bench = Bench::new(MEMORY_BYTES);
    bench.put(10, 2);
    let first = bench.read(10);
    let head = Head {
        container: Container::MpegTs { tables: Tables::default() },
        independent: true,
        format: Some(7),
        decode_time: None,
    };
    first.heads().put(0, &head, 188);
    bench.put(10, 0);
    let second = bench.read(10);
    assert_eq!(second.heads().view().get(0), None);
    assert_eq!(second.heads().view().get(1), first.heads().view().get(0));
    assert_eq!(bench.bytes(), second.memory_bytes() + ENTRY_BYTES, "the first no longer weighs");
}

#[test]
fn the_coldest_hours_are_dropped() {
    let bench = Bench::new(0);
    bench.put(10, 0);
    assert_eq!(bench.read(10).len(), 1, "served though it is not kept");
    let each = bench.read(10).memory_bytes() + ENTRY_BYTES;
    assert_eq!(bench.bytes(), 0);

    let bench = Bench::new(2 * each);
    for number in [10, 11, 12] {
        bench.put(number, 0);
        bench.settle(number);
    }
    let (ten, eleven) = (bench.read(10), bench.read(11));
    assert!(Arc::ptr_eq(&ten, &bench.read(10)));
    bench.read(12);
    assert_eq!(bench.bytes(), 2 * each);
    assert!(Arc::ptr_eq(&ten, &bench.read(10)), "used last before the third came");
    assert!(!Arc::ptr_eq(&eleven, &bench.read(11)), "the coldest was dropped");
}

#[test]
fn one_reader_reads_while_others_wait() {
    struct Counting(AtomicUsize);
    impl Told for Counting {
        fn stranger(&self, _: &Path, _: &str) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn unreadable(&self, _: &Path, _: &io::Error) {}
    }
    const READERS: usize = 8;
    let bench = Bench::new(MEMORY_BYTES);
    bench.put(10, 0);
    std::fs::write(bench.folder(10).join("stranger.ts"), b"").unwrap();
    bench.settle(10);
    let (told, barrier) = (Counting(AtomicUsize::new(0)), Barrier::new(READERS));
    let (index, folder) = (&bench.index, bench.folder(10));
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                barrier.wait();
                assert_eq!(index.hour(&feed(), hour(10), &folder, &told).unwrap().len(), 1);
            });
        }
    });
    assert_eq!(told.0.into_inner(), 1, "it was read once");
}
