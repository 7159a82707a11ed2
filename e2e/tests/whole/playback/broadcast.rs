//! A recorded channel and the restreamer that serves it.

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::format::segment::{Completeness, MediaDuration};
use common::io::store::{Access, Feed, Store};
use tempfile::TempDir;

use super::footage::RATE;
use crate::support::Service;

/// A channel `chan` whose pictures are numbered from its beginning on.
#[derive(Debug)]
pub(super) struct Broadcast {
    /// When picture 0 is shown.
    start: Timestamp,
    /// How long each segment is.
    seconds: usize,
    store: Store,
    restreamer: Service,
    _base: TempDir,
}

impl Broadcast {
    /// Serves a channel that begins at `start` and has nothing yet.
    pub(super) async fn new(start: Timestamp, seconds: usize) -> Self {
        let base = tempfile::tempdir().expect("a folder can be made");
        let store = Store::open(base.path(), Access::Write).expect("it was made");
        let restreamer = Service::start("restreamer", base.path()).await;
        Self { start, seconds, store, restreamer, _base: base }
    }

    /// Stores the segment that is the `index`th of the channel in `quality`.
    pub(super) async fn publish(&self, quality: &str, index: usize, bytes: &[u8]) {
        let name = |name: &str| name.parse().expect("tests know good names");
        let feed = Feed { channel: name("chan"), quality: name(quality) };
        let duration =
            MediaDuration::from_seconds(whole(self.seconds).into()).expect("it is short");
        let begun = self.store.begin_segment(&feed, self.start_of(index), duration).await;
        let mut segment = begun.expect("there is room");
        segment.write(bytes).await.expect("there is room");
        segment.publish(Completeness::Full).await.expect("there is room");
    }

    /// When the `index`th segment starts.
    pub(super) fn start_of(&self, index: usize) -> Timestamp {
        self.start + TimeDelta::seconds(whole(index * self.seconds).into())
    }

    /// The middle of the time for which the picture of this number is shown.
    pub(super) fn middle_of(&self, picture: usize) -> Timestamp {
        self.start + TimeDelta::milliseconds(whole((2 * picture + 1) * 500 / RATE).into())
    }

    /// The numbers of the pictures of the `index`th segment.
    pub(super) const fn pictures_of(&self, index: usize) -> std::ops::Range<usize> {
        let count = self.seconds * RATE;
        index * count..(index + 1) * count
    }

    /// The address of the media playlist of the first `segments` segments of `quality`.
    pub(super) fn media(&self, quality: &str, segments: usize) -> String {
        self.address(&format!("chan/{quality}.m3u8"), segments)
    }

    /// The address of the list of media playlists that together are that one.
    pub(super) fn list(&self, quality: &str, segments: usize) -> String {
        self.address(&format!("chan/{quality}.m3u"), segments)
    }

    /// The address of the multivariant playlist of the first `segments` segments.
    pub(super) fn multivariant(&self, segments: usize) -> String {
        self.address("chan.m3u8", segments)
    }

    fn address(&self, path: &str, segments: usize) -> String {
        let (start, end) = (self.start, self.start_of(segments));
        format!("{}/playlist/{path}?start={start}&end={end}", self.restreamer.url)
    }

    /// Ends the broadcast; the restreamer must have had nothing to complain about.
    pub(super) fn finish(self) {
        let log = self.restreamer.process.stderr().all();
        let is_bad = |line: &&String| line.contains("WARN") || line.contains("ERROR");
        let complaints: Vec<_> = log.iter().filter(is_bad).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}

fn whole(number: usize) -> i32 {
    number.try_into().expect("films are short")
}
