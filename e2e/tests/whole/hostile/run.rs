//! One downloader that records everything an origin publishes, for a while.

use std::collections::BTreeMap;
use std::time::Duration;

use common::io::store::{Access, Feed, Store};
use e2e::origin::{Case, Channel, Footage, Held, ListFault, Origin, Script, violations};
use rustix::process::Signal;

use super::CONTROL;
use crate::support::{PATIENCE, Process, Service};

/// This node's name in the notes.
const NODE: &str = "node";
/// How soon after it is published each segment of the control channel must be asked for, in
/// milliseconds: half of the time that it is listed, which a busy machine leaves untouched, and less than
/// the time-outs that the troubles of other channels run into.
const LATEST: i64 = 10_000;
/// What a downloader may take in bytes, whatever comes: itself, for each channel, and for each channel
/// whose list is too large to be taken, twice the largest list that is.
const MEMORY: u64 = 80 << 20;
const MEMORY_OF_CHANNEL: u64 = 1 << 20;
const MEMORY_OF_HUGE_LIST: u64 = 2 * (16 << 20);

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What is wrong with each channel.
    pub(super) violations: BTreeMap<String, Vec<String>>,
    /// The most memory that the downloader ever had, in bytes.
    pub(super) peak_memory: u64,
    /// The most that it may have.
    pub(super) memory_bound: u64,
    /// Segments of the control channel that were asked for too late.
    pub(super) late: Vec<String>,
    /// What the downloader's log says of bugs.
    pub(super) complaints: Vec<String>,
}

/// Lets a downloader record `scripts` for `seconds`.
pub(super) async fn run(scripts: BTreeMap<String, Script>, seconds: u64) -> Outcome {
    let base = tempfile::tempdir().unwrap();
    let memory_bound = memory_bound(scripts.values());
    let origin = Origin::start(scripts, i64::try_from(seconds).unwrap() + 60).await;
    let mut arguments = origin.arguments();
    arguments
        .extend(["--name", NODE, "--base-dir", base.path().to_str().unwrap()].map(str::to_owned));
    arguments.extend(["--listen", "127.0.0.1:0"].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // what became of each attempt is told where something is wrong
    let process = Process::run_logging("downloader", &arguments, "info,downloader=debug");
    let mut service = Service::of(process).await;
    origin.until(seconds).await;
    assert!(service.process.lives(), "it ended: {:#?}", service.process.stderr().all());
    let peak_memory = service.process.peak_memory().expect("it lives");
    let stopped = origin.now();
    service.process.signal(Signal::TERM);
    let status = service.process.ended(PATIENCE + Duration::from_secs(30)).await;
    assert!(status.success(), "{status}: {:#?}", service.process.stderr().all());
    let store = Store::open(base.path(), Access::Read).unwrap();
    let footage = Footage::get().await;
    let log = service.process.stderr().all();
    let mut violations = BTreeMap::new();
    for channel in origin.channels() {
        let mut problems = of_channel(&origin, channel, &store, footage, stopped);
        if !problems.is_empty() {
            problems.push(format!("the origin began at {}", origin.epoch()));
            problems.push(format!("the script: {:?}", channel.script));
            problems.push(format!("the lists: {}", channel.record().story_of_lists()));
            let named = format!("channel={} ", channel.name);
            let said = log.iter().filter(|line| line.contains(&named));
            problems.extend(said.map(|line| format!("the log: {line}")));
        }
        violations.insert(channel.name.clone(), problems);
    }
    let channels = origin.channels();
    let control = channels.into_iter().find(|channel| channel.name == CONTROL).unwrap();
    // what the origin does to a channel lasts less than the minute after which somebody has to act
    let is_bug = |line: &&String| line.contains("panicked") || line.contains(" ERROR ");
    Outcome {
        violations,
        peak_memory,
        memory_bound,
        late: late(control, stopped),
        complaints: log.iter().filter(is_bug).take(20).cloned().collect(),
    }
}

fn of_channel(
    origin: &Origin,
    channel: &Channel,
    store: &Store,
    footage: &Footage,
    stopped: i64,
) -> Vec<String> {
    let feed = Feed { channel: channel.name.parse().unwrap(), quality: "source".parse().unwrap() };
    let held = Held::read(store, NODE, &feed).unwrap();
    violations(&Case {
        name: &channel.name,
        script: &channel.script,
        stream: &channel.stream,
        record: &channel.record(),
        held: &held,
        footage,
        epoch: origin.epoch(),
        stopped,
    })
}

/// Which segments of a channel that is well were asked for too late.
fn late(channel: &Channel, stopped: i64) -> Vec<String> {
    let record = channel.record();
    let first_list = record.lists.first().map_or(LATEST, |list| list.asked.min(LATEST));
    let due = channel
        .stream
        .segments
        .iter()
        .filter(|segment| segment.at > first_list && segment.at < stopped - LATEST);
    let late = due.filter_map(|segment| {
        let asked = record.segments.get(&segment.index).and_then(|record| record.answers.first());
        let after = asked.map(|answer| answer.asked - segment.at);
        let is_late = after.is_none_or(|after| after > LATEST);
        is_late.then(|| format!("segment {} was asked for after {after:?} ms", segment.index))
    });
    late.collect()
}

fn memory_bound<'a>(scripts: impl ExactSizeIterator<Item = &'a Script>) -> u64 {
    let channels = scripts.len() as u64;
    let is_huge = |script: &&Script| {
        let faults = script.list_troubles.iter().map(|trouble| trouble.fault);
        faults.into_iter().any(|fault| fault == ListFault::Huge)
    };
    let huge = scripts.filter(is_huge).count() as u64;
    MEMORY + channels * MEMORY_OF_CHANNEL + huge * MEMORY_OF_HUGE_LIST
}
