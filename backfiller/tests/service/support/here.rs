//! The node that copies, in a folder of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use backfiller::Limits;
use backfiller::config::{Config, Options};
use clap::Parser;
use common::base::time::Timestamp;
use common::metrics::Metrics;
use common::service::Context;
use common::test_util::TestClock;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::peer::FakePeer;

/// How long anything may take that should happen at once.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A store, its surroundings, and a service that fills it.
pub(crate) struct Here {
    outer: TempDir,
    context: Context,
    arguments: Vec<String>,
    limits: Limits,
}

impl Here {
    /// An empty store, at a time when every hour of the tests is over.
    pub(crate) fn new() -> Self {
        Self::at("2026-11-21T00:00")
    }

    /// An empty store, at the time `now`.
    pub(crate) fn at(now: &str) -> Self {
        let outer = tempfile::tempdir().unwrap();
        std::fs::create_dir(outer.path().join("base")).unwrap();
        let mut context = Context::new(Metrics::empty());
        context.clock = Arc::new(TestClock::at(Timestamp::parse_http(now).unwrap()));
        let limits = Limits {
            database_timeout: SOON,
            headers_timeout: Duration::from_millis(500),
            read_timeout: Duration::from_millis(500),
            listing_timeout: Duration::from_secs(1),
            file_timeout: Duration::from_secs(2),
            ..Limits::default()
        };
        Self { outer, context, arguments: vec!["chan".to_owned()], limits }
    }

    /// Copies from `peers`.
    pub(crate) fn from(mut self, peers: &[&FakePeer]) -> Self {
        let urls: Vec<&str> = peers.iter().map(|peer| peer.url.as_str()).collect();
        self.arguments.push(format!("--static-nodes={}", urls.join(",")));
        self
    }

    /// Passes further arguments.
    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Takes files of at most `bytes`.
    pub(crate) fn taking_files_of(mut self, bytes: u64) -> Self {
        self.limits.file_bytes = bytes;
        self
    }

    /// Waits no longer than this for a database.
    pub(crate) fn asking_a_database_for(mut self, timeout: Duration) -> Self {
        self.limits.database_timeout = timeout;
        self
    }

    /// Waits for answers as long as `timeout`, which must be no less than a test may take.
    pub(crate) fn waiting_for(mut self, timeout: Duration) -> Self {
        self.limits.headers_timeout = timeout;
        self.limits.read_timeout = timeout;
        self.limits.listing_timeout = timeout;
        self
    }

    /// The folder that holds the store, which nothing may be written to but the store.
    pub(crate) fn outer(&self) -> &Path {
        self.outer.path()
    }

    /// The store's folder.
    pub(crate) fn base(&self) -> PathBuf {
        self.outer.path().join("base")
    }

    /// Puts a file into the store.
    pub(crate) fn put(&self, path: &str, text: &str) {
        let path = self.base().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Every file below the outer folder, with what is in it.
    pub(crate) fn everything(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.outer.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.outer.path()).unwrap().to_str().unwrap();
                    let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
                    files.insert(name.to_owned(), text);
                }
            }
        }
        files
    }

    /// The paths of everything below the outer folder, which must all be in the store.
    pub(crate) fn files(&self) -> Vec<String> {
        let names = self.everything().into_keys();
        names
            .map(|name| match name.strip_prefix("base/") {
                Some(name) => name.to_owned(),
                None => panic!("{name} is outside of the store"),
            })
            .collect()
    }

    pub(crate) fn config(&self) -> Config {
        let base_dir = format!("--base-dir={}", self.base().display());
        let own = ["backfiller", "--listen=127.0.0.1:0", &base_dir].map(str::to_owned);
        let options = Options::try_parse_from(own.iter().chain(&self.arguments)).unwrap();
        Config { limits: self.limits, ..Config::new(options).unwrap() }
    }

    /// Makes one pass.
    pub(crate) async fn run_once(&self) -> anyhow::Result<()> {
        let config = Config { run_once: true, ..self.config() };
        let context = Context { metrics: Metrics::empty(), ..self.context.clone() };
        tokio::time::timeout(SOON, backfiller::run(context, config)).await.expect("it ends")
    }

    /// Makes one pass and returns what was counted.
    pub(crate) async fn run_once_counting(&self) -> (anyhow::Result<()>, String) {
        let config = Config { run_once: true, ..self.config() };
        let outcome = tokio::time::timeout(SOON, backfiller::run(self.context.clone(), config));
        (outcome.await.expect("it ends"), self.context.metrics.render())
    }

    /// Starts the service.
    pub(crate) fn start(&self) -> Running {
        let mut task = JoinSet::new();
        task.spawn(backfiller::run(self.context.clone(), self.config()));
        Running { task, context: self.context.clone() }
    }

    /// Waits until the store has `path`.
    pub(crate) async fn until_there(&self, path: &str) {
        let path = self.base().join(path);
        until(&format!("{} is there", path.display()), || path.exists()).await;
    }
}

/// A service that runs.
pub(crate) struct Running {
    task: JoinSet<anyhow::Result<()>>,
    pub(crate) context: Context,
}

impl Running {
    /// Stops the service and returns how it ended.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.context.stop.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(2), self.task.join_next()).await;
        ended.expect("it stops within two seconds").unwrap().unwrap()
    }
}

/// Waits until `happened`.
pub(crate) async fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + SOON;
    while !happened() {
        assert!(tokio::time::Instant::now() < deadline, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
