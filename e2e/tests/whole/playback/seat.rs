//! The web server that a browser is sent to: gives it the page, passes on what the test asks for and
//! keeps what the page tells.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use common::io::http::server;
use common::service::CancellationToken;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex as Turn, mpsc};
use tokio::task::JoinSet;

use super::strip;

/// Names the file that is hls.js, which is no part of the project.
const HLS_JS: &str = "WUBLOADER_TEST_HLS_JS";
const PAGE: &str = include_str!("../../../browser/index.html");
const SCRIPT: &str = include_str!("../../../browser/player.js");

/// What a page tells of itself after each command.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Seen {
    /// The time of the broadcast, in milliseconds since 1970, by the playlist's dates.
    pub(super) date: Option<i64>,
    /// The strips of the pictures that were shown since it told last.
    shown: Vec<Vec<u8>>,
    /// The strip of the one that is shown now.
    strip: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
    /// What could be played at once, in the player's own time.
    pub(super) buffered: Vec<(f64, f64)>,
    /// `None` while it has no end.
    pub(super) duration: Option<f64>,
    /// How many pictures were decoded so far.
    pub(super) decoded: usize,
    pub(super) corrupted: usize,
    pub(super) ended: bool,
}

impl Seen {
    /// The number of the picture that is shown.
    pub(super) fn picture(&self) -> Option<usize> {
        strip::number(&self.strip)
    }

    /// The numbers of the pictures that were shown since it told last.
    pub(super) fn shown(&self) -> impl Iterator<Item = Option<usize>> {
        self.shown.iter().map(|strip| strip::number(strip))
    }
}

/// What a page tells by itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Event {
    /// Something went wrong.
    Error { details: String, fatal: bool, reason: String },
    /// A media playlist was loaded, perhaps again; this is all that is known of it now.
    Loaded { live: bool, segments: Vec<Listed> },
}

/// A segment as a playlist lists it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Listed {
    number: u64,
    pub(super) discontinuities: u64,
    date: i64,
    address: String,
}

/// The server of one page.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) address: SocketAddr,
    page: Arc<Page>,
    commands: mpsc::UnboundedSender<Value>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Page {
    commands: Turn<mpsc::UnboundedReceiver<Value>>,
    answer: mpsc::UnboundedSender<Seen>,
    answers: Turn<mpsc::UnboundedReceiver<Seen>>,
    events: Mutex<Vec<Event>>,
}

impl Seat {
    pub(super) fn start() -> Self {
        let (commands, to_page) = mpsc::unbounded_channel();
        let (answer, answers) = mpsc::unbounded_channel();
        let page = Arc::new(Page {
            commands: Turn::new(to_page),
            answer,
            answers: Turn::new(answers),
            events: Mutex::default(),
        });
        let listener = server::bind(([127, 0, 0, 1], 0).into()).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let mut tasks = JoinSet::new();
        tasks.spawn(server::serve(listener, routes(Arc::clone(&page)), CancellationToken::new()));
        Self { address, page, commands, _tasks: tasks }
    }

    /// Gives the page a command and waits for what it sees after it.
    pub(super) async fn ask(&self, command: Value) -> Seen {
        self.commands.send(command).expect("the server runs");
        self.page.answers.lock().await.recv().await.expect("the server runs")
    }

    /// What happened so far.
    pub(super) fn events(&self) -> Vec<Event> {
        self.page.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn routes(page: Arc<Page>) -> Router {
    let hls_js = std::env::var_os(HLS_JS).and_then(|path| std::fs::read(path).ok());
    let hls_js = Bytes::from(hls_js.unwrap_or_else(|| {
        panic!("{HLS_JS} does not name the file of hls.js; run: cargo xtask test")
    }));
    Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/player.js", get(async || script(SCRIPT.into())))
        .route("/hls.js", get(async move || script(hls_js)))
        .route("/command", get(command))
        .route("/answer", post(answer))
        .route("/event", post(event))
        .with_state(page)
}

fn script(text: Bytes) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], text)
}

async fn command(State(page): State<Arc<Page>>) -> impl IntoResponse {
    page.commands.lock().await.recv().await.map(Json).ok_or(StatusCode::GONE)
}

async fn answer(State(page): State<Arc<Page>>, Json(seen): Json<Seen>) -> StatusCode {
    // nobody waits for it when the test has ended
    let _ = page.answer.send(seen);
    StatusCode::NO_CONTENT
}

async fn event(State(page): State<Arc<Page>>, Json(event): Json<Event>) -> StatusCode {
    page.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    StatusCode::NO_CONTENT
}
