//! `kill -9` of a downloader at any moment: what is visible is whole, what could be had is had, and each
//! hole has its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::segment::Completeness;
use common::io::store::notes::Why;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::support::{
    Clockwork, PATIENCE, Pace, Process, Watch, eventually, missing, number_from, recorded,
    recorder_arguments, unfinished,
};

/// For how many seconds the downloader is killed again and again; more by hand.
const SECONDS: &str = "WUBLOADER_TEST_KILL_SECONDS";
const DEFAULT_SECONDS: usize = 40;
/// What the moments are drawn with.
const SEED: &str = "WUBLOADER_TEST_KILL_SEED";
const DEFAULT_SEED: usize = 20_261_120;

/// More than a downloader gathers before it writes, which is 2 MiB.
const SEGMENT_BYTES: usize = 9 << 18;
/// So much that it writes the first of it at once, and then such a rest that there is hardly a moment at
/// which no segment is half written.
const PACE: Pace = Pace { at_once: 17 << 17, rest: Duration::from_millis(800) };
/// How many segments of a second are listed at a time.
const WINDOW: usize = 10;
/// A segment must be stored when its downloader lived on for this many lists after the first one that
/// had it.
const LISTS: usize = 4;
/// What a note may be off.
const TOLERANCE: TimeDelta = TimeDelta::milliseconds(10);

#[tokio::test]
async fn whatever_the_moment_nothing_is_damaged_or_unexplained() {
    let seconds = number_from(SECONDS).unwrap_or(DEFAULT_SECONDS);
    let seed = number_from(SEED).unwrap_or(DEFAULT_SEED);
    println!("{SEED}={seed} {SECONDS}={seconds}");
    let mut killed = Killed::record(seconds).await;
    let moments = Moments::from_seed(seed);
    let end = Instant::now() + Duration::from_secs(u64::try_from(seconds).unwrap());
    for (dead, alive) in moments.take_while(|_| Instant::now() < end) {
        sleep(dead).await;
        killed.lives(alive).await;
    }
    let Outcome { holes, amid } = killed.ends().await;
    assert!(!holes.is_empty(), "it was never dead for longer than the list");
    // not in those lives that end before anything came
    assert!(3 * amid.half_written >= amid.kills, "hardly any was killed amid a segment: {amid:?}");
}

/// What it had already is newer than what it goes without.
#[tokio::test]
async fn killed_when_it_had_the_newest_and_not_yet_the_backlog() {
    let mut killed = Killed::record(4 * WINDOW).await;
    let stored = *killed.stored().last().unwrap();
    killed.origin.reaches(stored + WINDOW - 2).await;
    let backlog = stored + 1..stored + 4;
    killed.origin.withhold(backlog.clone());
    let downloader = killed.start();
    eventually("what comes after it", async || {
        (killed.stored().last() >= Some(&(backlog.end + 2))).then_some(())
    })
    .await;
    killed.kill(downloader).await;
    killed.origin.withhold(0..0);
    killed.origin.reaches(backlog.end + 2 * WINDOW).await;
    let Outcome { holes, .. } = killed.ends().await;
    assert!(backlog.clone().all(|number| holes.contains(&number)), "{backlog:?} in {holes:?}");
}

/// For how long it is dead, and then alive.
struct Moments {
    random: StdRng,
    /// Those that every run has: a death within the list and one beyond it.
    fixed: Vec<(Duration, Duration)>,
}

impl Moments {
    fn from_seed(seed: usize) -> Self {
        let fixed = vec![
            (Duration::from_secs(13), Duration::from_secs(4)),
            (Duration::from_secs(3), Duration::from_secs(4)),
        ];
        Self { random: StdRng::seed_from_u64(seed as u64), fixed }
    }
}

impl Iterator for Moments {
    type Item = (Duration, Duration);

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(fixed) = self.fixed.pop() {
            return Some(fixed);
        }
        // so short a life ends amid the backlog; longer ones, amid a segment or between two
        let (dead, alive) = match self.random.random_range(0..4) {
            0 => (0..1_000, 0..500),
            1 => (0..1_000, 0..5_000),
            2 => (0..8_000, 0..1_500),
            _ => (10_000..14_000, 0..3_000),
        };
        let mut draw = |range| Duration::from_millis(self.random.random_range(range));
        Some((draw(dead), draw(alive)))
    }
}

/// A downloader that is killed again and again.
struct Killed {
    origin: Clockwork,
    base: TempDir,
    watch: Watch,
    /// How many there were so far.
    runs: usize,
    /// The number of the first segment that was recorded.
    first: usize,
    /// What the killed left unfinished, each with the bytes that it has.
    left: BTreeMap<PathBuf, usize>,
    amid: Amid,
}

/// How many kills there were, and how many of them amid what.
#[derive(Debug, Default)]
struct Amid {
    kills: usize,
    /// Some bytes of a segment were written, and not all.
    half_written: usize,
    /// All bytes of a segment were written, and it had no name yet.
    unnamed: usize,
}

/// What there is to say of those that were killed in the end.
struct Outcome {
    /// The numbers of the segments that are missing.
    holes: BTreeSet<usize>,
    amid: Amid,
}

impl Killed {
    /// Begins a broadcast of at least so many seconds, lets a first run record some of it and kills it.
    async fn record(seconds: usize) -> Self {
        let base = tempfile::tempdir().expect("a folder can be made");
        let watch = Watch::start(base.path());
        let patience = usize::try_from(PATIENCE.as_secs()).expect("it is short");
        let origin = Clockwork::start(seconds + 2 * patience, SEGMENT_BYTES, WINDOW, PACE).await;
        let mut killed = Self {
            origin,
            base,
            watch,
            runs: 0,
            first: 0,
            left: BTreeMap::new(),
            amid: Amid::default(),
        };
        let downloader = killed.start();
        let is_there = async || (killed.stored().len() >= 3).then_some(());
        eventually("a recording", is_there).await;
        killed.kill(downloader).await;
        killed.first = *killed.stored().first().expect("there are some");
        killed
    }

    fn start(&mut self) -> Process {
        let url = self.origin.url(self.runs);
        self.runs += 1;
        let mut arguments = recorder_arguments(&url, self.base.path());
        arguments.extend(["--listen", "127.0.0.1:0"].map(str::to_owned));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Process::run("downloader", &arguments)
    }

    async fn kill(&mut self, mut downloader: Process) {
        assert!(downloader.lives(), "it ended by itself: {downloader:#?}");
        downloader.signal(Signal::KILL);
        downloader.ended(PATIENCE).await;
        let mut left = unfinished(self.base.path());
        std::mem::swap(&mut self.left, &mut left);
        let new = self.left.iter().filter(|(path, _)| !left.contains_key(*path));
        let sizes: Vec<usize> = new.map(|(_, size)| *size).collect();
        let is_whole = |size: &usize| *size >= SEGMENT_BYTES;
        self.amid.kills += 1;
        self.amid.half_written += usize::from(!sizes.iter().all(is_whole));
        self.amid.unnamed += usize::from(sizes.iter().any(is_whole));
    }

    async fn lives(&mut self, alive: Duration) {
        let downloader = self.start();
        sleep(alive).await;
        self.kill(downloader).await;
    }

    /// Lets a last run come to all that is listed. What is missing then must be no more than what could
    /// not be had, each with its reason.
    async fn ends(mut self) -> Outcome {
        let mut cut = recorded(self.base.path());
        cut.retain(|file| file.completeness != Completeness::Full);
        assert!(cut.is_empty(), "what was being written is there, cut short: {cut:#?}");
        let last = self.lives_until_all_is_stored().await;
        assert_eq!(unfinished(self.base.path()), self.left, "nobody goes on with what was left");
        let stored = self.stored();
        let is_hole = |number: &usize| !stored.contains(number);
        let holes: BTreeSet<usize> = (self.first..last).filter(is_hole).collect();
        println!("{} runs, {} stored, holes {holes:?}", self.runs, stored.len());
        println!("{:?}, which left {} files", self.amid, self.left.len());
        let had: Vec<usize> = holes.intersection(&self.could_be_had()).copied().collect();
        assert!(had.is_empty(), "{had:?} were listed long enough and are not stored");
        let spans = self.spans();
        let untold: Vec<_> =
            holes.iter().filter(|number| !self.is_told(&spans, **number)).collect();
        assert!(untold.is_empty(), "{untold:?} are missing, but noted are only {spans:?}");
        let wrong: Vec<_> = stored.iter().filter(|number| self.is_told(&spans, **number)).collect();
        assert!(wrong.is_empty(), "{wrong:?} are noted as missing and stored");
        let mut others = missing(self.base.path());
        others.retain(|span| span.why != Why::Stopped);
        assert!(others.is_empty(), "nothing is missing for another reason: {others:#?}");
        assert!(self.watch.finish() >= stored.len());
        Outcome { holes, amid: self.amid }
    }

    /// Runs it until it has all that is listed; returns the first number that was not yet published.
    async fn lives_until_all_is_stored(&mut self) -> usize {
        let published = self.origin.published();
        let mut downloader = self.start();
        let run = self.runs - 1;
        let all = async || {
            let stored = self.stored();
            let listed = self.origin.lists(run).first()?.start.max(self.first);
            (listed..published).all(|number| stored.contains(&number)).then_some(())
        };
        eventually("what is listed", all).await;
        downloader.signal(Signal::TERM);
        let status = downloader.ended(PATIENCE).await;
        assert_eq!(status.code(), Some(0), "{downloader:#?}");
        published
    }

    /// The numbers of the segments that are stored whole.
    fn stored(&self) -> BTreeSet<usize> {
        let full = recorded(self.base.path());
        let full = full.iter().filter(|file| file.completeness == Completeness::Full);
        full.map(|file| self.origin.number(file.hash).expect("it was published")).collect()
    }

    /// The segments that some run knew of for long enough.
    fn could_be_had(&self) -> BTreeSet<usize> {
        let of_run = |run| {
            let lists = self.origin.lists(run);
            let early = lists.len().saturating_sub(LISTS);
            lists.into_iter().take(early).flatten()
        };
        (0..self.runs).flat_map(of_run).collect()
    }

    /// The spans of which the notes say that the downloader was not running, in order, those that touch
    /// made one.
    fn spans(&self) -> Vec<(Timestamp, Timestamp)> {
        let missing = missing(self.base.path()).into_iter();
        let stopped = missing.filter(|span| span.why == Why::Stopped);
        let mut spans: Vec<_> = stopped.map(|span| (span.start, span.end)).collect();
        spans.sort();
        spans.dedup_by(|next, span| {
            let touches = next.0 <= span.1 + TOLERANCE;
            if touches {
                span.1 = span.1.max(next.1);
            }
            touches
        });
        spans
    }

    /// Whether one of `spans` is about the whole segment of this number.
    fn is_told(&self, spans: &[(Timestamp, Timestamp)], number: usize) -> bool {
        let (start, end) = (self.origin.start_of(number), self.origin.start_of(number + 1));
        spans.iter().any(|(from, to)| *from - TOLERANCE <= start && end <= *to + TOLERANCE)
    }
}
