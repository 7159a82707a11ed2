use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use common::base::time::Timestamp;
use common::io::store::{Access, Feed, Step};
use common::metrics::Metrics;

use super::*;

mod feed;

/// What a disk does with what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Works,
    Refuses,
    Hangs,
}

/// A disk that may hang; it works again once it is dropped.
pub(crate) struct Disk {
    shared: Arc<Shared>,
}

struct Shared {
    mood: Mutex<Mood>,
    changed: Condvar,
    begun: AtomicUsize,
    under_way: AtomicUsize,
}

impl Disk {
    pub(crate) fn new(mood: Mood) -> Self {
        let (begun, under_way) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (mood, changed) = (Mutex::new(mood), Condvar::new());
        Self { shared: Arc::new(Shared { mood, changed, begun, under_way }) }
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.shared.mood() = mood;
        self.shared.changed.notify_all();
    }

    /// How many batches it was given.
    pub(crate) fn begun(&self) -> usize {
        self.shared.begun.load(Ordering::SeqCst)
    }

    /// `store` on this disk.
    pub(crate) fn under(&self, store: Store) -> Store {
        let shared = Arc::clone(&self.shared);
        store.with_faults(move |step| if step == Step::Write { shared.write() } else { Ok(()) })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.set(Mood::Works);
    }
}

impl Shared {
    fn mood(&self) -> MutexGuard<'_, Mood> {
        self.mood.lock().unwrap()
    }

    fn write(&self) -> io::Result<()> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        assert_eq!(self.under_way.fetch_add(1, Ordering::SeqCst), 0, "never two at a time");
        let hangs = |mood: &mut Mood| *mood == Mood::Hangs;
        let mood = *self.changed.wait_while(self.mood(), hangs).unwrap();
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        if mood == Mood::Refuses { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

/// A writer on a disk, and where it writes to.
struct Bench {
    _base: tempfile::TempDir,
    disk: Disk,
    notes: Notes,
    writer: Writer,
}

impl Bench {
    fn new(mood: Mood) -> Self {
        let base = tempfile::tempdir().unwrap();
        let disk = Disk::new(mood);
        let store = disk.under(Store::open(base.path(), Access::Write).unwrap());
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        let notes = Notes::new(store.clone(), "node".parse().unwrap(), feed);
        let writer = Writer::new(store, Holding::new(0, &Metrics::empty()), notes.clone());
        Self { _base: base, disk, notes, writer }
    }

    /// The numbers of the notes that are written, in their order.
    fn written(&self) -> Vec<i64> {
        let notes = self.notes.read(note(0).start().hour()).unwrap();
        notes.iter().map(|note| note.start().micros() % 1_000_000).collect()
    }
}

fn note(number: i64) -> Note {
    let start = Timestamp::from_micros(1_800_000_000_000_000 + number);
    Note::Discontinuity { start, skipped: None, detail: String::new(), learned: start }
}

/// Polls on the real clock.
async fn until(holds: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "not within 30 s");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn notes_are_taken_in_while_the_disk_hangs_and_written_in_order_after_it() {
    let mut bench = Bench::new(Mood::Hangs);
    for number in 0..5 {
        bench.writer.add(vec![note(number)]);
    }
    until(|| bench.disk.begun() == 1).await;
    bench.writer.add(vec![note(5), note(6)]);
    assert_eq!(bench.written(), [0_i64; 0]);
    bench.disk.set(Mood::Works);
    bench.writer.finish().await;
    assert_eq!(bench.written(), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(bench.disk.begun(), 2, "all that waited, at once");
}

#[tokio::test]
async fn what_is_refused_is_tried_again_by_itself() {
    let mut bench = Bench::new(Mood::Refuses);
    bench.writer.add(vec![note(0)]);
    for begun in 1..4 {
        assert!(bench.writer.written().await);
        assert_eq!(bench.disk.begun(), begun);
        tokio::time::pause();
        assert!(
            bench.writer.again.is_some_and(|again| again <= Instant::now() + TRIED_AGAIN_AFTER)
        );
        tokio::time::advance(TRIED_AGAIN_AFTER).await;
        tokio::time::resume();
    }
    bench.disk.set(Mood::Works);
    assert!(bench.writer.written().await);
    assert_eq!(bench.written(), [0]);
    assert!(!bench.writer.written().await, "nothing is left");
}

#[tokio::test]
async fn what_is_refused_goes_before_what_came_after_it() {
    let mut bench = Bench::new(Mood::Hangs);
    bench.writer.add(vec![note(0), note(1)]);
    bench.writer.add(vec![note(2)]);
    bench.disk.set(Mood::Refuses);
    assert!(bench.writer.written().await);
    assert!(bench.writer.writing.is_empty(), "not again and again");
    bench.disk.set(Mood::Works);
    bench.writer.add(Vec::new());
    assert!(bench.writer.written().await);
    assert_eq!(bench.written(), [0, 1, 2]);
}

#[tokio::test]
async fn at_the_end_the_disk_is_tried_once_more() {
    let mut bench = Bench::new(Mood::Refuses);
    bench.writer.add(vec![note(0)]);
    assert!(bench.writer.written().await);
    bench.writer.finish().await;
    assert_eq!((bench.disk.begun(), bench.written()), (2, vec![]));
    bench.disk.set(Mood::Works);
    bench.writer.finish().await;
    assert_eq!(bench.written(), [0]);
    bench.writer.finish().await;
    assert_eq!(bench.disk.begun(), 3, "nothing is left");
}

#[tokio::test]
async fn as_many_as_are_kept_are_the_newest() {
    let mut bench = Bench::new(Mood::Hangs);
    bench.writer.add(vec![note(0)]);
    let most = i64::try_from(MAX_PENDING).unwrap();
    bench.writer.add((1..=most + 2).map(note).collect());
    bench.disk.set(Mood::Works);
    bench.writer.finish().await;
    let expected: Vec<i64> = std::iter::once(0).chain(3..=most + 2).collect();
    assert_eq!(bench.written(), expected);
}
