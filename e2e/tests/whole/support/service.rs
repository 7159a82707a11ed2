//! One service alone, with the options that it needs.

use std::path::Path;

use super::{PATIENCE, Process};

/// A service that serves.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) process: Process,
    /// Where it serves, `http://HOST:PORT`.
    pub(crate) url: String,
}

impl Service {
    /// The names of all four.
    pub(crate) const ALL: [&str; 4] = ["downloader", "backfiller", "restreamer", "cutter"];

    /// Starts the service `name` with the least that it needs, and `base` as its store.
    pub(crate) async fn start(name: &str, base: &Path) -> Self {
        let arguments = arguments(name, base);
        Self::run(name, arguments.iter().map(String::as_str)).await
    }

    /// Starts the service `name` with `arguments`, on a port that it finds free by itself.
    pub(crate) async fn run<'a>(name: &str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let arguments: Vec<&str> =
            arguments.into_iter().chain(["--listen", "127.0.0.1:0"]).collect();
        Self::of(Process::run(name, &arguments)).await
    }

    /// The service that `process` is, once it listens.
    pub(crate) async fn of(process: Process) -> Self {
        let line = process.stderr().until("listens on http://", PATIENCE).await;
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        Self { url: url.expect("the line holds it").to_owned(), process }
    }
}

/// What the service `name` cannot do without, beside a port.
pub(crate) fn arguments(name: &str, base: &Path) -> Vec<String> {
    let base = base.to_str().expect("tests have plain paths");
    let videos = std::env::temp_dir();
    let videos = videos.display();
    let locations = format!(r#"{{"local": {{"type": "local", "path": "{videos}"}}}}"#);
    // nobody listens on the discard port
    let own: &[&str] = match name {
        "downloader" => &["chan:url:http://127.0.0.1:9/live.m3u8"],
        "backfiller" => &["chan", "--static-nodes", "http://127.0.0.1:9/"],
        "cutter" => &["--database", "postgres://nobody@127.0.0.1:9/none", "--config", &locations],
        _ => &[],
    };
    let all = own.iter().copied().chain(["--base-dir", base]);
    all.map(str::to_owned).collect()
}
