//! An origin that publishes by the clock: every second another segment, whatever anyone does.
//!
//! What is listed when depends on nothing but the time, so that every test can tell which segments
//! there were; what was asked for is kept, so that it can also tell who knew of them.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::response::IntoResponse;
use axum::routing::get;
use chrono::TimeDelta;
use common::base::hash::ContentHash;
use common::base::time::{Clock, SystemClock, Timestamp};
use common::io::http::server;
use common::io::process;
use common::service::CancellationToken;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Bytes of an MPEG-TS packet.
const PACKET: usize = 188;
/// In how many pieces the rest of a segment is sent that is sent slowly.
const PIECES: u32 = 20;

/// How a segment is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How many bytes are sent at once.
    pub(crate) at_once: usize,
    /// How long it takes to send the rest.
    pub(crate) rest: Duration,
}

impl Pace {
    /// As fast as it goes.
    pub(crate) const FAST: Self = Self { at_once: usize::MAX, rest: Duration::ZERO };
}

/// The origin; gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Clockwork {
    channel: Arc<Channel>,
    url: String,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Channel {
    began: Timestamp,
    /// How many segments are listed at a time.
    window: usize,
    pace: Pace,
    film: Vec<Vec<u8>>,
    /// How many bytes a segment has at least.
    bytes: usize,
    hashes: Vec<ContentHash>,
    /// Every list that was given, by the run that asked for it.
    lists: Mutex<Vec<(usize, Range<usize>)>>,
    /// Which segments nobody is given for now.
    withheld: Mutex<Range<usize>>,
}

#[derive(Debug, Deserialize)]
struct Asker {
    run: usize,
}

impl Clockwork {
    /// Begins a broadcast of `count` segments of one second and at least `bytes` bytes, of which
    /// `window` are listed at a time, each sent at `pace`.
    pub(crate) async fn start(count: usize, bytes: usize, window: usize, pace: Pace) -> Self {
        let film = film(count).await;
        let hash =
            |(number, segment): (usize, &Vec<u8>)| ContentHash::of(&padded(segment, number, bytes));
        let hashes = film.iter().enumerate().map(hash).collect();
        let (began, lists, withheld) = (SystemClock.now(), Mutex::default(), Mutex::default());
        let channel = Channel { began, window, pace, film, bytes, hashes, lists, withheld };
        let channel = Arc::new(channel);
        let listener = server::bind(([127, 0, 0, 1], 0).into()).expect("a port is free");
        let url = format!("http://{}/live.m3u8", listener.local_addr().expect("it is bound"));
        let routes = Router::new()
            .route("/live.m3u8", get(list))
            .route("/{name}", get(segment))
            .with_state(Arc::clone(&channel));
        let mut tasks = JoinSet::new();
        tasks.spawn(server::serve(listener, routes, CancellationToken::new()));
        Self { channel, url, _tasks: tasks }
    }

    /// The address of the media playlist for a downloader's `run`.
    pub(crate) fn url(&self, run: usize) -> String {
        format!("{}?run={run}", self.url)
    }

    /// How many segments were published so far.
    pub(crate) fn published(&self) -> usize {
        self.channel.published()
    }

    /// Waits until the segment of this number is published.
    pub(crate) async fn reaches(&self, number: usize) {
        let published = self.start_of(number + 1);
        sleep(published.saturating_since(SystemClock.now())).await;
    }

    /// When the segment of this number starts.
    pub(crate) fn start_of(&self, number: usize) -> Timestamp {
        self.channel.start_of(number)
    }

    /// Leaves requests for these segments unanswered, those of before no longer.
    pub(crate) fn withhold(&self, numbers: Range<usize>) {
        *self.channel.withheld.lock().unwrap_or_else(PoisonError::into_inner) = numbers;
    }

    /// The number of the segment whose bytes have this hash.
    pub(crate) fn number(&self, hash: ContentHash) -> Option<usize> {
        self.channel.hashes.iter().position(|known| *known == hash)
    }

    /// The numbers that were listed, for each list that was given to `run`.
    pub(crate) fn lists(&self, run: usize) -> Vec<Range<usize>> {
        let lists = self.channel.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.iter().filter(|(asker, _)| *asker == run).map(|(_, listed)| listed.clone()).collect()
    }
}

impl Channel {
    fn start_of(&self, number: usize) -> Timestamp {
        let seconds = i64::try_from(number).expect("it is no eternity");
        self.began + TimeDelta::seconds(seconds)
    }

    /// A segment is published when all of it was broadcast.
    fn published(&self) -> usize {
        let seconds = SystemClock.now().saturating_since(self.began).as_secs();
        usize::try_from(seconds).expect("it is no eternity").min(self.film.len())
    }

    fn withholds(&self, number: usize) -> bool {
        self.withheld.lock().unwrap_or_else(PoisonError::into_inner).contains(&number)
    }

    /// The numbers that are listed now.
    fn listed(&self) -> Range<usize> {
        let published = self.published();
        published.saturating_sub(self.window)..published
    }
}

async fn list(State(channel): State<Arc<Channel>>, Query(asker): Query<Asker>) -> String {
    let listed = channel.listed();
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{}\n",
        listed.start
    );
    for number in listed.clone() {
        let date = channel.start_of(number);
        let lines = format!("#EXT-X-PROGRAM-DATE-TIME:{date}Z\n#EXTINF:1.0,\n{number}.ts\n");
        text.push_str(&lines);
    }
    channel.lists.lock().unwrap_or_else(PoisonError::into_inner).push((asker.run, listed));
    text
}

/// A segment that left the list is there for as long again as lists are (RFC 8216 §6.2.2), and then gone.
async fn segment(
    State(channel): State<Arc<Channel>>,
    Path(name): Path<String>,
) -> impl IntoResponse {
    let number = name.strip_suffix(".ts").and_then(|number| number.parse::<usize>().ok());
    let listed = channel.listed();
    let there = listed.start.saturating_sub(channel.window)..listed.end;
    let number = number.filter(|number| there.contains(number)).ok_or(StatusCode::NOT_FOUND)?;
    if channel.withholds(number) {
        std::future::pending::<()>().await;
    }
    let segment = padded(&channel.film[number], number, channel.bytes);
    let length = [(CONTENT_LENGTH, segment.len())];
    Ok::<_, StatusCode>((length, sent(segment, channel.pace)))
}

/// A body that comes at `pace`.
fn sent(mut segment: Bytes, pace: Pace) -> Body {
    let first = segment.split_to(pace.at_once.min(segment.len()));
    let piece = segment.len().div_ceil(PIECES as usize);
    let rest = stream::unfold(segment, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        sleep(pace.rest / PIECES).await;
        let next = rest.split_to(piece.min(rest.len()));
        Some((next, rest))
    });
    let pieces = stream::once(std::future::ready(first)).chain(rest);
    Body::from_stream(pieces.map(Ok::<_, std::io::Error>))
}

/// Films `count` segments of a second each.
async fn film(count: usize) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    // the last one may be shorter than it should be
    let length = (count + 1).to_string();
    let mut command = process::command("ffmpeg");
    command.current_dir(&folder).args(["-nostdin", "-v", "error", "-f", "lavfi"]);
    command.args(["-i", "testsrc2=size=160x90:rate=25", "-f", "lavfi", "-i", "sine"]);
    command.args(["-t", &length, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast"]);
    command.args(["-g", "25", "-keyint_min", "25", "-sc_threshold", "0", "-c:a", "aac"]);
    command.args(["-f", "hls", "-hls_time", "1", "-hls_list_size", "0"]);
    command.args(["-hls_segment_filename", "%d.ts", "list.m3u8"]);
    let output = command.output().await.expect("ffmpeg is installed; if not, run: make setup");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |number| std::fs::read(folder.path().join(format!("{number}.ts")));
    (0..count).map(|number| read(number).expect("it was written")).collect()
}

/// The segment with null packets (ISO/IEC 13818-1 §2.4.1.4) behind it that make it long, and tell its
/// number.
fn padded(film: &[u8], number: usize, bytes: usize) -> Bytes {
    let mut segment = film.to_vec();
    let mut packet = [0; PACKET];
    packet[..4].copy_from_slice(&[0x47, 0x1f, 0xff, 0x10]);
    packet[4..12].copy_from_slice(&number.to_be_bytes());
    while segment.len() < bytes {
        segment.extend_from_slice(&packet);
    }
    segment.into()
}
