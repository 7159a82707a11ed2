//! A node with a store, a place to publish to and a database, and looking at what became of them.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chrono::TimeDelta;
use clap::Parser;
use common::base::time::Timestamp;
use common::format::segment::{Completeness, MediaDuration};
use common::io::db::edit::{Edit, Thumbnail};
use common::io::db::event::{self, NewEvent};
use common::io::db::transition::{self, Submission};
use common::io::db::{Database, EventState, Transition, VideoRange};
use common::io::store::{Access, Feed, Store};
use common::metrics::Metrics;
use common::service::{CancellationToken, Context};
use common::test_util::TestClock;
use common::test_util::database::{TestDatabase, fresh};
use cutter::Cutter;
use cutter::config::{Config, Options};
use tempfile::TempDir;
use url::Url;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// How long a segment is, in seconds.
const SEGMENT: i64 = 2;

/// Everything that a cutter needs, with ten segments in the store.
pub(crate) struct Installation {
    pub(crate) test: TestDatabase,
    pub(crate) database: Database,
    pub(crate) store: Store,
    pub(crate) base: TempDir,
    pub(crate) videos: TempDir,
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    let start = Timestamp::parse_http("2026-11-20T10:00:00").unwrap();
    start + TimeDelta::seconds(seconds)
}

/// The bytes of the segment that starts at `seconds`.
pub(crate) fn bytes_at(seconds: i64) -> Vec<u8> {
    format!("segment {seconds} ").into_bytes().repeat(1_000)
}

/// A plain edit of the first ten seconds.
pub(crate) fn edit() -> Edit {
    Edit {
        upload_location: "local".to_owned(),
        uploader_whitelist: None,
        allow_holes: false,
        public: true,
        video_ranges: vec![VideoRange { start: at(0), end: at(10) }],
        video_transitions: vec![],
        video_title: "A title".to_owned(),
        video_description: "Words".to_owned(),
        video_tags: vec!["tag".to_owned()],
        video_channel: "chan".to_owned(),
        video_quality: "source".to_owned(),
        thumbnail: Thumbnail::NONE,
    }
}

impl Installation {
    pub(crate) async fn new() -> Self {
        let test = fresh().await;
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Write).unwrap();
        let database = test.ready("test").await;
        let videos = tempfile::tempdir().unwrap();
        let this = Self { test, database, store, base, videos };
        for number in 0..10 {
            this.segment(number * SEGMENT).await;
        }
        this
    }

    pub(crate) async fn segment(&self, start: i64) {
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        let duration = MediaDuration::from_seconds(2.0).unwrap();
        let mut segment = self.store.begin_segment(&feed, at(start), duration).await.unwrap();
        segment.write(&bytes_at(start)).await.unwrap();
        segment.publish(Completeness::Full).await.unwrap();
    }

    /// Puts an event in and submits an edit of it.
    pub(crate) async fn submit(&self, id: &str, edit: &Edit, image: Option<&[u8]>) {
        let new = NewEvent {
            id: id.to_owned(),
            sheet_name: "day 1".to_owned(),
            event_start: Some(at(0)),
            event_end: None,
            category: String::new(),
            description: "What happened".to_owned(),
        };
        event::insert(&self.database, &new).await.unwrap();
        let submission = Submission { edit, thumbnail_image: image, editor: "me", at: at(0) };
        let submitted = transition::submit(&self.database, id, &submission).await.unwrap();
        assert_eq!(submitted, Transition::Done);
    }

    /// The options of a cutter of this name.
    pub(crate) fn arguments(&self, name: &str, database: &Url) -> Vec<String> {
        let videos = self.videos.path().to_str().unwrap();
        let config = serde_json::json!({"local": {
            "type": "local", "path": videos, "url_prefix": "https://v.example/", "write_info": true
        }});
        let base = self.base.path().to_str().unwrap();
        let listen = "127.0.0.1:0";
        let config = config.to_string();
        let arguments = ["--database", database.as_str(), "--config", &config, "--base-dir", base];
        let arguments = arguments.into_iter().chain(["--name", name, "--listen", listen]);
        arguments.map(str::to_owned).collect()
    }

    pub(crate) fn cutter(&self, name: &str) -> Cutter {
        self.cutter_by_way_of(name, self.test.url(), &Metrics::empty())
    }

    pub(crate) fn cutter_by_way_of(&self, name: &str, url: &Url, metrics: &Metrics) -> Cutter {
        let arguments = self.arguments(name, url);
        let arguments = std::iter::once("cutter".to_owned()).chain(arguments);
        let config = Config::new(Options::try_parse_from(arguments).unwrap()).unwrap();
        let mut context = Context::new(metrics.clone());
        context.clock = Arc::new(TestClock::at(at(100)));
        let database = Database::new(&config.database, name, metrics);
        Cutter::new(config, database, &context)
    }

    /// Runs a cutter until the event is in this state.
    pub(crate) async fn run_until(&self, cutter: &Cutter, id: &str, state: EventState) {
        let stop = CancellationToken::new();
        let run = cutter.run(&stop);
        let reached = async {
            self.reaches(id, state).await;
            stop.cancel();
        };
        tokio::join!(Box::pin(async { run.await.unwrap() }), reached);
    }

    pub(crate) async fn reaches(&self, id: &str, state: EventState) {
        eventually(async || {
            let event = event::get(&self.database, id).await.unwrap().unwrap();
            (event.state == state).then_some(()).ok_or(event)
        })
        .await;
    }

    /// All files that are published or not, hidden ones too, sorted.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.videos.path()).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The published videos by event, from what is written beside them.
    ///
    /// A video without that, or the other way round, or an unfinished file is a failure.
    pub(crate) fn videos_of_events(&self) -> HashMap<String, Vec<PathBuf>> {
        let mut videos: HashMap<String, Vec<PathBuf>> = HashMap::new();
        let files = self.files();
        for file in &files {
            match file.extension().unwrap().to_str().unwrap() {
                "ts" => {
                    let info = fs::read(file.with_extension("json")).unwrap();
                    let info: serde_json::Value = serde_json::from_slice(&info).unwrap();
                    let id = info["event_id"].as_str().unwrap().to_owned();
                    videos.entry(id).or_default().push(file.clone());
                }
                "json" => {
                    assert!(file.with_extension("ts").exists(), "{} is alone", file.display());
                }
                _ => panic!("{} is left", file.display()),
            }
        }
        videos
    }

    /// That the event is DONE, its only video is the one that the row links to, and it is right.
    pub(crate) async fn assert_published_once(&self, id: &str) {
        let event = event::get(&self.database, id).await.unwrap().unwrap();
        assert_eq!(event.state, EventState::Done, "{event:?}");
        let videos = self.videos_of_events();
        let [video] = &videos[id][..] else { panic!("{:?}", videos[id]) };
        let name = video.file_name().unwrap().to_str().unwrap();
        let link = format!("https://v.example/{}", name.replace(' ', "%20"));
        assert_eq!(event.video_link, Some(link));
        assert!(name.contains(&event.video_id.unwrap()));
        let expected: Vec<u8> = (0..5).flat_map(|number| bytes_at(number * SEGMENT)).collect();
        assert!(fs::read(video).unwrap() == expected, "other bytes");
        self.assert_history_is_legal(id).await;
    }

    /// That the audit log of the event is a way through the states.
    async fn assert_history_is_legal(&self, id: &str) {
        let history = self
            .test
            .query(&format!(
                "SELECT old_values ->> 'state', new_values ->> 'state' FROM audit_log \
                 WHERE row_id = '{id}' AND new_values ? 'state' ORDER BY id"
            ))
            .await;
        let mut now = "UNEDITED".to_owned();
        for step in &history[1..] {
            let [Some(old), Some(new)] = &step[..] else { panic!("{history:?}") };
            assert_eq!(*old, now, "{history:?}");
            let old = EventState::ALL.into_iter().find(|state| state.name() == old).unwrap();
            assert!(old.successors().iter().any(|state| state.name() == new), "{history:?}");
            now.clone_from(new);
        }
        assert_eq!(now, "DONE", "{history:?}");
    }
}

/// Waits for a condition; what is wrong is shown when it does not come true.
pub(crate) async fn eventually<E: std::fmt::Debug>(
    mut condition: impl AsyncFnMut() -> Result<(), E>,
) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while let Err(wrong) = condition().await {
        assert!(tokio::time::Instant::now() < deadline, "{wrong:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Polls a future until it has been left waiting `times` times, or to its end.
pub(crate) async fn poll_times<F: Future>(
    mut future: Pin<&mut F>,
    times: usize,
) -> Option<F::Output> {
    let mut left = times;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}
