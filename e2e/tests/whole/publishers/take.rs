//! What a downloader makes of a publisher.

use std::fs;
use std::ops::Range;

use chrono::TimeDelta;
use common::base::hash::ContentHash;
use common::format::segment::{Completeness, MediaDuration};
use rustix::process::Signal;
use tempfile::TempDir;

use super::publisher::{Published, Publisher};
use crate::support::{
    Missing, PATIENCE, Recorded, Service, Watch, eventually, missing, recorded, recorder_arguments,
};

/// Neighbours join when no more than this is between them, or twice there.
const TOLERANCE: TimeDelta = TimeDelta::milliseconds(10);
/// How far the dates may be off that we give to segments without any.
const ROUGHLY: TimeDelta = TimeDelta::seconds(10);

/// A downloader at work on one publisher.
#[derive(Debug)]
pub(super) struct Take {
    downloader: Service,
    watch: Watch,
    base: TempDir,
}

impl Take {
    /// Begins to record what is at `url`.
    pub(super) async fn start(url: &str) -> Self {
        let base = tempfile::tempdir().expect("a folder can be made");
        let watch = Watch::start(base.path());
        let arguments = recorder_arguments(url, base.path());
        let downloader = Service::run("downloader", arguments.iter().map(String::as_str)).await;
        Self { downloader, watch, base }
    }

    /// Waits until its log tells this.
    pub(super) async fn tells(&self, text: &str) {
        self.downloader.process.stderr().until(text, PATIENCE).await;
    }

    /// What is stored, in the order of time.
    pub(super) fn recorded(&self) -> Vec<Recorded> {
        recorded(self.base.path())
    }

    /// Waits until exactly `published` is stored, in that order, and all of it as `completeness`.
    pub(super) async fn holds(&self, published: &[Published], completeness: Completeness) {
        for segment in published {
            self.comes_to(segment).await;
        }
        let name = |recorded: &Recorded| {
            let bytes = fs::read(&recorded.path).expect("what was published stays");
            let same = published.iter().find(|published| published.bytes == bytes);
            let name = same.map_or_else(|| "a stranger".to_owned(), |same| same.name.clone());
            (name, recorded.completeness)
        };
        let held: Vec<_> = self.recorded().iter().map(name).collect();
        let expected: Vec<_> =
            published.iter().map(|published| (published.name.clone(), completeness)).collect();
        assert_eq!(held, expected, "{:#?}", self.downloader.process.stderr());
    }

    /// Waits until this segment is stored.
    pub(super) async fn comes_to(&self, segment: &Published) {
        let hash = ContentHash::of(&segment.bytes);
        let is_there = || self.recorded().iter().any(|recorded| recorded.hash == hash);
        let what = format!("the recording of {} by {:?}", segment.name, self.downloader);
        eventually(&what, async || is_there().then_some(())).await;
    }

    /// Each of these segments begins where the one before it ends.
    pub(super) fn joins(&self, range: Range<usize>) {
        let recorded = self.recorded();
        for pair in recorded[range].windows(2) {
            let gap = pair[1].start - pair[0].end();
            assert!(gap.abs() <= TOLERANCE, "{gap} between {pair:#?}");
        }
    }

    /// The segments that are listed last begin and last as their publisher says.
    pub(super) fn is_dated_as(&self, publisher: &Publisher) {
        let list = publisher.list().expect("there is one");
        let listed = list.segments.iter().map(|segment| {
            let duration = segment.duration.and_then(MediaDuration::from_seconds);
            (segment.program_date_time.expect("it has a date"), duration.expect("it has one"))
        });
        let listed: Vec<_> = listed.collect();
        let recorded = self.recorded();
        let held: Vec<_> =
            recorded.iter().map(|recorded| (recorded.start, recorded.duration)).collect();
        assert_eq!(held[held.len() - listed.len()..], listed);
    }

    /// The last segment that was recorded, which is `last`, ends about when it was published.
    pub(super) fn is_dated_by_arrival(&self, last: &Published) {
        let end = self.recorded().last().expect("there are some").end();
        let off = end - last.written;
        assert!(off.abs() <= ROUGHLY, "{off} between {end} and {}", last.written);
    }

    /// Ends the recording; returns what is noted as missing. The downloader must have complained of
    /// nothing but of what is `expected`, and of the end of a channel that should always be up.
    pub(super) async fn finish(mut self, expected: &[&str]) -> Vec<Missing> {
        self.downloader.process.signal(Signal::TERM);
        let status = self.downloader.process.ended(PATIENCE).await;
        assert_eq!(status.code(), Some(0), "{:?}", self.downloader);
        let is_complaint = |line: &&String| line.contains(" WARN ") || line.contains(" ERROR ");
        let ended = ["the stream has ended; waits for it to begin again"];
        let is_expected =
            |line: &String| expected.iter().chain(&ended).any(|text| line.contains(text));
        let log = self.log();
        let complaints: Vec<_> =
            log.iter().filter(is_complaint).filter(|line| !is_expected(line)).collect();
        assert!(complaints.is_empty(), "{complaints:#?} in {log:#?}");
        let count = recorded(self.base.path()).len();
        assert_eq!(self.watch.finish(), count);
        missing(self.base.path())
    }

    fn log(&self) -> Vec<String> {
        self.downloader.process.stderr().all()
    }
}
