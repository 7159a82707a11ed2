//! One downloader that records everything an origin publishes, for a while.

use std::collections::BTreeMap;
use std::time::Duration;

use common::base::time::{Clock, SystemClock, Timestamp};
use common::io::store::{Access, Feed, Store};
use e2e::origin::{
    Case, Channel, Footage, Held, ListFault, ListTrouble, Origin, Script, Told, violations,
};
use rustix::process::Signal;

use crate::support::{PATIENCE, Process, Service, body};

/// This node's name in the notes.
const NODE: &str = "node";
/// What a downloader may take in bytes, whatever comes: itself, with the connections that it keeps and what
/// its fetches have gathered.
const MEMORY: u64 = 48 << 20;
/// What it may take for each channel: its segments are a few kB here, so that this is what it remembers.
const MEMORY_OF_CHANNEL: u64 = 512 << 10;
/// What it may take for each list that is too large, of those that come at a time: as much as is read of one,
/// and half of it again while that grows. How many it reads at a time it does not bound.
const MEMORY_OF_HUGE_LIST: u64 = (16 << 20) + (8 << 20);
/// For how many milliseconds a list that was asked for late may still come.
const HUGE_LIST_LASTS: i64 = 1000;

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What is wrong with each channel.
    pub(super) violations: BTreeMap<String, Vec<String>>,
    /// The most memory that the downloader ever had, in bytes.
    pub(super) peak_memory: u64,
    /// The most that it may have.
    pub(super) memory_bound: u64,
    /// Segments of channels that are well that were asked for too late.
    pub(super) late: Vec<String>,
    /// What the downloader's log says of bugs.
    pub(super) complaints: Vec<String>,
}

/// Lets a downloader record `scripts` for `seconds`; those channels with which nothing goes wrong must each have
/// their segments asked for within `latest` milliseconds of when they were published.
pub(super) async fn run(
    scripts: BTreeMap<String, Script>,
    seconds: u64,
    (well, latest): (&[&str], i64),
) -> Outcome {
    let base = tempfile::tempdir().unwrap();
    let memory_bound = memory_bound(scripts.values());
    let origin = Origin::start(scripts, i64::try_from(seconds).unwrap() + 60).await;
    let mut arguments = origin.arguments();
    arguments
        .extend(["--name", NODE, "--base-dir", base.path().to_str().unwrap()].map(str::to_owned));
    arguments.extend(["--listen", "127.0.0.1:0"].map(str::to_owned));
    if origin.channels().iter().any(|channel| channel.script.shape.second_quality) {
        arguments.extend(["--qualities", "source,64p"].map(str::to_owned));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // what became of each attempt is told where something is wrong
    let process = Process::run_logging("downloader", &arguments, "info,downloader=debug");
    let mut service = Service::of(process).await;
    origin.until(seconds).await;
    assert!(service.process.lives(), "it ended: {:#?}", service.process.stderr().all());
    let peak_memory = service.process.peak_memory().expect("it lives");
    let told = Telling::heard(&service).await;
    let stopped = origin.now();
    service.process.signal(Signal::TERM);
    let status = service.process.ended(PATIENCE + Duration::from_secs(30)).await;
    assert!(status.success(), "{status}: {:#?}", service.process.stderr().all());
    let store = Store::open(base.path(), Access::Read).unwrap();
    let log = service.process.stderr().all();
    let ended = Ended { origin: &origin, store, told, footage: Footage::get().await, log, stopped };
    let channels = origin.channels();
    let well = channels.iter().filter(|channel| well.contains(&channel.name.as_str()));
    // what the origin does to a channel lasts less than the minute after which somebody has to act
    let is_bug = |line: &&String| line.contains("panicked") || line.contains(" ERROR ");
    Outcome {
        violations: channels.iter().map(|of| (of.name.clone(), ended.problems(of))).collect(),
        peak_memory,
        memory_bound,
        late: well.flat_map(|channel| late(channel, stopped, latest)).collect(),
        complaints: ended.log.iter().filter(is_bug).take(20).cloned().collect(),
    }
}

/// A run that has ended.
struct Ended<'a> {
    origin: &'a Origin,
    store: Store,
    told: Telling,
    footage: &'a Footage,
    log: Vec<String>,
    stopped: i64,
}

impl Ended<'_> {
    /// What is wrong with a channel, and what it takes to find out why.
    fn problems(&self, channel: &Channel) -> Vec<String> {
        let (name, quality) = channel.feed();
        let feed = Feed { channel: name.parse().unwrap(), quality: quality.parse().unwrap() };
        let mut problems = violations(&Case {
            name: &channel.name,
            script: &channel.script,
            stream: &channel.stream,
            record: &channel.record(),
            held: &Held::read(&self.store, NODE, &feed).unwrap(),
            told: Some(&self.told.of(channel)),
            footage: self.footage,
            epoch: self.origin.epoch(),
            stopped: self.stopped,
        });
        if !problems.is_empty() {
            problems.push(format!("the origin began at {}", self.origin.epoch()));
            problems.push(format!("the script: {:?}", channel.script));
            problems.push(format!("the lists: {}", channel.record().story_of_lists()));
            let named = [format!("channel={name} "), format!("quality={quality}")];
            let said = self.log.iter().filter(|line| named.iter().all(|name| line.contains(name)));
            problems.extend(said.map(|line| format!("the log: {line}")));
        }
        problems
    }
}

/// What a downloader tells of all channels.
struct Telling {
    metrics: String,
    health: String,
    asked: (Timestamp, Timestamp),
}

impl Telling {
    async fn heard(service: &Service) -> Self {
        let before = SystemClock.now();
        let metrics = body(&format!("{}/metrics", service.url)).await.unwrap();
        let health = body(&format!("{}/healthz", service.url)).await.unwrap();
        Self { metrics, health, asked: (before, SystemClock.now()) }
    }

    fn of(&self, channel: &Channel) -> Told {
        Told::read(&self.metrics, &self.health, channel.feed(), self.asked)
    }
}

/// Which segments of a channel that is well were asked for too late.
fn late(channel: &Channel, stopped: i64, latest: i64) -> Vec<String> {
    let (name, record) = (&channel.name, channel.record());
    let first_list = record.lists.first().map_or(latest, |list| list.asked.min(latest));
    let due = channel
        .stream
        .segments
        .iter()
        .filter(|segment| segment.at > first_list && segment.at < stopped - latest);
    let late = due.filter_map(|segment| {
        let asked = record.segments.get(&segment.index).and_then(|record| record.answers.first());
        let after = asked.map(|answer| answer.asked - segment.at);
        let is_late = after.is_none_or(|after| after > latest);
        is_late
            .then(|| format!("{name}: segment {} was asked for after {after:?} ms", segment.index))
    });
    late.collect()
}

/// The most memory that it may take for `scripts`.
fn memory_bound<'a>(scripts: impl ExactSizeIterator<Item = &'a Script>) -> u64 {
    let channels = scripts.len() as u64;
    let troubles = scripts.flat_map(|script| &script.list_troubles);
    let huge: Vec<&ListTrouble> =
        troubles.filter(|trouble| trouble.fault == ListFault::Huge).collect();
    let at_a_time = |at: i64| {
        let lasts =
            |of: &&&ListTrouble| of.during.start <= at && at < of.during.end + HUGE_LIST_LASTS;
        huge.iter().filter(lasts).count() as u64
    };
    let most = huge.iter().map(|trouble| at_a_time(trouble.during.start)).max().unwrap_or(0);
    MEMORY + channels * MEMORY_OF_CHANNEL + most * MEMORY_OF_HUGE_LIST
}
