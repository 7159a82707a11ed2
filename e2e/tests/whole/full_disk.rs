//! A disk that is full for a while: what comes waits in memory, and lands when there is room again.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use common::format::segment::Completeness;
use common::io::store::notes::Why;
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use crate::support::{
    Clockwork, Missing, PATIENCE, Pace, Process, Service, SmallDisk, Watch, body, eventually,
    missing, number_from, recorded, recorder_arguments,
};

/// For how many seconds of the broadcast the disk is full; more by hand.
const SECONDS: &str = "WUBLOADER_TEST_FULL_DISK_SECONDS";
const DEFAULT_SECONDS: usize = 20;
/// The downloader's option for how much may wait in memory, with a value that is soon too little.
const MEMORY: (&str, &str) = ("WUBLOADER_MAX_HELD", "4");
/// How many segments fit into that.
const FIT: usize = (4 << 20) / SEGMENT_BYTES;

const SEGMENT_BYTES: usize = 400_000;
/// How many segments are listed at a time: of a disk that is full for longer than twice that, an origin
/// has long forgotten what was published when it began.
const WINDOW: usize = 6;
/// For how many seconds there are segments after that: longer than anyone waits for what is awaited.
const AFTER: usize = 60;
/// How often whatever room appears is filled.
const FILL_EVERY: Duration = Duration::from_millis(20);

#[tokio::test]
async fn nothing_is_lost_that_fits_into_memory() {
    let mut full = FullDisk::record(None).await;
    let waiting = full.stays_full().await;
    full.disk.free();
    full.settles(|full| waiting.difference(&full.stored()).copied().collect()).await;
    let mut missing = full.finish().await;
    // but what the end of the test cut off
    missing.retain(|span| span.why != Why::Stopped);
    assert_eq!(missing, []);
}

#[tokio::test]
async fn the_oldest_are_given_up_beyond_the_bound() {
    let mut full = FullDisk::record(Some(MEMORY)).await;
    let waiting = full.stays_full().await;
    full.disk.free();
    let lost = |full: &FullDisk| waiting.difference(&full.stored()).copied().collect::<Vec<_>>();
    full.settles(|full| {
        let missing = full.missing();
        let is_untold = |number: &usize| !full.is_told(&missing, *number);
        lost(full).into_iter().filter(is_untold).collect()
    })
    .await;
    let lost = lost(&full);
    let kept: Vec<usize> = waiting.intersection(&full.stored()).copied().collect();
    let outcome = format!("{lost:?} were lost and {kept:?} kept in memory for {FIT}");
    assert!(!lost.is_empty() && lost.last() < kept.first(), "{outcome}: the oldest go first");
    assert!((FIT - 2..=FIT + 2).contains(&kept.len()), "{outcome}");
    full.finish().await;
}

/// A downloader that records onto a disk that is full now and then.
#[derive(Debug)]
struct FullDisk {
    disk: SmallDisk,
    origin: Clockwork,
    downloader: Service,
    watch: Watch,
    seconds: usize,
}

impl FullDisk {
    /// Begins to record, with an option in the downloader's environment.
    async fn record(option: Option<(&str, &str)>) -> Self {
        let seconds = number_from(SECONDS).unwrap_or(DEFAULT_SECONDS);
        let count = seconds + AFTER;
        let disk = SmallDisk::mount(2 * count * SEGMENT_BYTES).await;
        let watch = Watch::start(&disk.store_from_outside());
        let origin = Clockwork::start(count, SEGMENT_BYTES, WINDOW, Pace::FAST).await;
        let mut command = disk.command("downloader");
        command.args(recorder_arguments(&origin.url(0), &disk.store()));
        command.args(["--listen", "127.0.0.1:0"]).envs(option);
        let downloader = Service::of(Process::start(command)).await;
        let full = Self { disk, origin, downloader, watch, seconds };
        eventually("a recording", async || (full.stored().len() >= 3).then_some(())).await;
        full
    }

    /// Keeps the disk full; returns the segments that were published meanwhile and are not stored.
    async fn stays_full(&mut self) -> BTreeSet<usize> {
        let began = self.origin.published();
        let published = loop {
            self.disk.fill();
            let published = self.origin.published();
            if published >= began + self.seconds {
                break published;
            }
            assert!(self.downloader.process.lives(), "{:#?}", self.downloader);
            sleep(FILL_EVERY).await;
        };
        let log = self.downloader.process.stderr().with(" ERROR ");
        let is_told = log.iter().any(|line| line.contains("No space left on device"));
        assert!(is_told, "{log:#?}");
        let health = self.health().await;
        assert!(health.starts_with("degraded\ndisk: refusing for "), "{health}");
        // what was stored before can go missing only by a mistake
        let stored = self.stored();
        let first = *stored.first().expect("there are some");
        let waiting: BTreeSet<usize> =
            (first..published).filter(|number| !stored.contains(number)).collect();
        let full = waiting.range(began..).count();
        assert!(full >= self.seconds - 2, "the disk was not full: {stored:?} are stored");
        waiting
    }

    /// What the downloader says of itself.
    async fn health(&self) -> String {
        body(&format!("{}/healthz", self.downloader.url)).await.expect("it can do its work")
    }

    /// The numbers of the segments that are stored whole.
    fn stored(&self) -> BTreeSet<usize> {
        let recorded = recorded(&self.disk.store_from_outside());
        let full = recorded.iter().filter(|file| file.completeness == Completeness::Full);
        full.filter_map(|file| self.origin.number(file.hash)).collect()
    }

    /// Waits until no segment is left of those of which `open` says that they are neither here nor there.
    async fn settles(&self, open: impl Fn(&Self) -> Vec<usize>) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let open = open(self);
            if open.is_empty() {
                return;
            }
            let noted = self.missing();
            assert!(
                Instant::now() < deadline,
                "there is room, but {open:?} are not stored: {noted:#?}"
            );
            sleep(FILL_EVERY).await;
        }
    }

    /// What is noted as missing.
    fn missing(&self) -> Vec<Missing> {
        missing(&self.disk.store_from_outside())
    }

    /// Whether a note says that the disk had no room for the segment of this number.
    fn is_told(&self, missing: &[Missing], number: usize) -> bool {
        let middle = self.origin.start_of(number) + TimeDelta::milliseconds(500);
        let mut told = missing.iter().filter(|span| span.why == Why::DiskFull);
        told.any(|span| (span.start..span.end).contains(&middle))
    }

    /// Ends the recording; returns what is noted as missing. The downloader must have complained of
    /// each thing once, however often it met it.
    async fn finish(mut self) -> Vec<Missing> {
        eventually("nothing said of the disk", async || {
            self.health().await.starts_with("ok\nchan source: ").then_some(())
        })
        .await;
        self.downloader.process.signal(Signal::TERM);
        let status = self.downloader.process.ended(PATIENCE).await;
        assert_eq!(status.code(), Some(0), "{:#?}", self.downloader);
        let count = recorded(&self.disk.store_from_outside()).len();
        let missing = self.missing();
        assert_eq!(self.watch.finish(), count);
        let log = self.downloader.process.stderr().all();
        let log = log.iter().filter(|line| line.contains(" WARN ") || line.contains(" ERROR "));
        let mut said: Vec<&str> = log.filter_map(|line| Some(line.split_once('Z')?.1)).collect();
        let times = said.len();
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), times, "the same is said again and again: {said:#?}");
        missing
    }
}
