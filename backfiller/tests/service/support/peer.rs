//! A node to copy from, which by itself tells the truth: it serves listings and files by the
//! contract. Any answer can be replaced by another.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use common::io::http::server;
use futures_util::{StreamExt, stream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What to answer instead of the truth.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Status(u16),
    Text(String),
    /// Nothing, for ever.
    Silence,
    /// The beginning, and then nothing, for ever.
    Stall(&'static str),
    /// The beginning, and then the rest, again and again.
    Endless(&'static str, &'static str),
    /// A byte now and then, for ever.
    Trickle,
    /// The beginning of the truth, and then a connection that breaks.
    Broken,
    /// The truth, whatever range was asked for.
    Whole,
    /// The truth as if it were the range that was asked for.
    WrongRange,
}

#[derive(Default)]
struct Content {
    files: BTreeMap<String, Bytes>,
    replies: HashMap<String, Reply>,
    requests: Vec<String>,
}

/// A node that listens until it is dropped.
pub(crate) struct FakePeer {
    pub(crate) url: String,
    content: Arc<Mutex<Content>>,
    _server: JoinSet<()>,
}

impl FakePeer {
    /// A node that has `files`: paths below its base folder with what is in them.
    pub(crate) fn with<P: Into<String>>(
        files: impl IntoIterator<Item = (P, &'static str)>,
    ) -> Self {
        let content = Arc::new(Mutex::new(Content::default()));
        let listener = server::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&content));
        let mut tasks = JoinSet::new();
        tasks.spawn(server::serve(listener, routes, CancellationToken::new()));
        let peer = Self { url, content, _server: tasks };
        for (path, text) in files {
            peer.put(path, text);
        }
        peer
    }

    /// Gives it a file.
    pub(crate) fn put(&self, path: impl Into<String>, text: &'static str) {
        self.content.lock().unwrap().files.insert(path.into(), text.into());
    }

    /// Makes it answer a request for `path` (`files/…`, `segments/…`, `extras/…`) with `reply`.
    pub(crate) fn reply(&self, path: impl Into<String>, reply: Reply) {
        self.content.lock().unwrap().replies.insert(path.into(), reply);
    }

    /// Makes it list `names` at `path`.
    pub(crate) fn list(&self, path: impl Into<String>, names: &[&str]) {
        self.reply(path, Reply::Text(serde_json::to_string(names).unwrap()));
    }

    /// Makes it tell the truth again at `path`.
    pub(crate) fn repent(&self, path: &str) {
        self.content.lock().unwrap().replies.remove(path);
    }

    /// The paths that were asked for and begin with `start`, in order; a range follows after a blank.
    pub(crate) fn requests(&self, start: &str) -> Vec<String> {
        let content = self.content.lock().unwrap();
        content.requests.iter().filter(|path| path.starts_with(start)).cloned().collect()
    }
}

async fn answer(State(content): State<Arc<Mutex<Content>>>, request: Request) -> Response {
    let raw = request.uri().path().trim_start_matches('/').replace("%20", " ");
    let range = request.headers().get("range").map(|range| range.to_str().unwrap().to_owned());
    let (reply, truth) = {
        let mut content = content.lock().unwrap();
        let asked = range.as_ref().map_or_else(|| raw.clone(), |range| format!("{raw} {range}"));
        content.requests.push(asked);
        let tombstones = request.uri().query() == Some("tombstones=true");
        (content.replies.get(&raw).cloned(), content.truth(&raw, tombstones))
    };
    match reply {
        None => in_range(truth, range.as_deref()),
        Some(reply) => untruth(reply, truth).await,
    }
}

async fn untruth(reply: Reply, truth: Option<Bytes>) -> Response {
    let body = match reply {
        Reply::Status(status) => return StatusCode::from_u16(status).unwrap().into_response(),
        Reply::Text(text) => return text.into_response(),
        Reply::Silence => std::future::pending().await,
        Reply::Whole => return in_range(truth, None),
        Reply::WrongRange => {
            let truth = truth.expect("there is a truth to mistake");
            return part(0, truth.len(), truth);
        }
        Reply::Stall(start) => {
            let start = stream::iter([Ok::<_, Infallible>(Bytes::from(start))]);
            Body::from_stream(start.chain(stream::pending()))
        }
        Reply::Endless(start, rest) => {
            let start = stream::iter([Ok::<_, Infallible>(Bytes::from(start))]);
            // in pieces of a size that makes the limit come soon
            let rest = Bytes::from(rest.repeat(4096));
            Body::from_stream(start.chain(stream::repeat_with(move || Ok(rest.clone()))))
        }
        Reply::Trickle => Body::from_stream(stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, Infallible>(Bytes::from("[")), ()))
        })),
        Reply::Broken => {
            let truth = truth.expect("there is a truth to break");
            let half = Ok(truth.slice(..truth.len() / 2));
            Body::from_stream(stream::iter([half, Err("broken")]))
        }
    };
    Response::new(body)
}

/// `truth`, or what `range` (`bytes=N-`) leaves of it.
fn in_range(truth: Option<Bytes>, range: Option<&str>) -> Response {
    let Some(truth) = truth else { return StatusCode::NOT_FOUND.into_response() };
    let Some(range) = range else { return truth.into_response() };
    let from = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')).unwrap();
    let from: usize = from.parse().unwrap();
    let length = truth.len();
    if from >= length {
        return (StatusCode::RANGE_NOT_SATISFIABLE, "there is no more\n").into_response();
    }
    part(from, length, truth.slice(from..))
}

fn part(from: usize, length: usize, bytes: Bytes) -> Response {
    let mut headers = HeaderMap::new();
    let part = format!("bytes {from}-{}/{length}", length - 1);
    headers.insert("content-range", part.parse().unwrap());
    (StatusCode::PARTIAL_CONTENT, headers, bytes).into_response()
}

impl Content {
    /// What the contract says to answer; a listing of what is not there is empty.
    fn truth(&self, path: &str, tombstones: bool) -> Option<Bytes> {
        if let Some(file) = path.strip_prefix("segments/") {
            return self.files.get(file).cloned();
        }
        let names: BTreeSet<&str> = if let Some(folder) = path.strip_prefix("extras/") {
            self.below(folder).collect()
        } else {
            let folder = path.strip_prefix("files/")?;
            let is_hour = folder.split('/').count() == 3;
            let names = self.below(folder).map(|rest| rest.split('/').next().unwrap());
            names.filter(|name| !is_hour || tombstones || !name.ends_with(".tombstone")).collect()
        };
        Some(serde_json::to_vec(&names).unwrap().into())
    }

    fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = &'a str> {
        let start = format!("{folder}/");
        self.files.keys().filter_map(move |path| path.strip_prefix(&start))
    }
}
