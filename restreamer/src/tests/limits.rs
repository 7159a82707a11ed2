//! Expensive work: bounded, and stopped when nobody waits for it.

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::{HeaderMap, Request};
use common::format::segment::Completeness;
use common::io::ffmpeg::Ffmpeg;
use common::io::store::Store;
use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::{Served, at, feed};
use crate::app::App;
use crate::error::ApiError;
use crate::expensive::Pool;
use crate::handlers;
use crate::request::{Names, Query};

const HANGING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/hanging_ffmpeg.sh");

/// A store with one segment, served with `program` for ffmpeg.
async fn served(program: impl Into<std::path::PathBuf>) -> Served {
    let program = program.into();
    let served = Served::changed(|app| app.expensive.ffmpeg = Ffmpeg::new(program));
    let mut packet = vec![0; 188];
    packet[0] = 0x47;
    served.segment("source", 0, Completeness::Full, &packet).await;
    served
}

fn frame() -> String {
    format!("/frame/chan/source.png?timestamp={}", at(1))
}

/// Sends a request and does not wait for its answer.
async fn ask(served: &Served, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    stream
}

/// Waits until something is so; a test that waits in vain is ended by its runner.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    while !is_so().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn metric(served: &Served, name: &str) -> String {
    pool_metric(served, "pictures", name).await
}

async fn pool_metric(served: &Served, pool: &str, name: &str) -> String {
    metric_line(served, &format!("{name}{{pool=\"{pool}\"}} ")).await
}

/// The value of the metric whose line begins like this.
async fn metric_line(served: &Served, line: &str) -> String {
    let text = served.get("/metrics").await;
    let value = text.text().lines().find_map(|found| found.strip_prefix(line));
    value.unwrap().to_owned()
}

#[tokio::test]
async fn work_stops_when_its_client_goes_away() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("ffmpeg");
    std::os::unix::fs::symlink(HANGING, &program).unwrap();
    let served = served(&program).await;
    let client = ask(&served, &frame()).await;
    let told = folder.path().join("ffmpeg.pid");
    until(async || told.exists()).await;
    assert_eq!(metric(&served, "expensive_running").await, "1");
    let process = std::fs::read_to_string(told).unwrap();
    let process = Path::new("/proc").join(process.trim());
    assert!(process.exists());
    drop(client);
    until(async || !process.exists()).await;
    until(async || metric(&served, "expensive_running").await == "0").await;
}

#[tokio::test]
async fn a_full_queue_refuses_until_a_client_goes_away() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("ffmpeg");
    std::os::unix::fs::symlink(HANGING, &program).unwrap();
    let served = served(&program).await;
    let mut clients = Vec::new();
    let busy = "this node is busy; ask again in 10 seconds\n";
    // as many as are taken on, be there as many cores as there may
    loop {
        clients.push(ask(&served, &frame()).await);
        let count = clients.len().to_string();
        let taken = async || {
            let running: usize = metric(&served, "expensive_running").await.parse().unwrap();
            let waiting: usize = metric(&served, "expensive_waiting").await.parse().unwrap();
            let refused: usize = metric(&served, "expensive_refused_total").await.parse().unwrap();
            (running + waiting, refused)
        };
        until(async || {
            let (taken, refused) = taken().await;
            (taken + refused).to_string() == count
        })
        .await;
        if taken().await.1 > 0 {
            break;
        }
    }
    assert!(clients.len() > 8, "some may wait");
    let answer = served.get(&frame()).await;
    assert_eq!((answer.status, answer.text()), (503, busy));
    assert_eq!(answer.header("retry-after"), Some("10"));
    clients.clear();
    until(async || metric(&served, "expensive_waiting").await == "0").await;
    until(async || metric(&served, "expensive_running").await == "0").await;
}

#[tokio::test]
async fn a_missing_ffmpeg_is_for_the_log_alone() {
    let served = served("/nowhere/ffmpeg").await;
    let answer = served.get(&frame()).await;
    let sentence = "something is wrong on this node; its log says what\n";
    assert_eq!((answer.status, answer.text()), (500, sentence));
}

/// A store that is served with one segment, and what its requests share.
async fn shared() -> (Served, App) {
    let mut app = None;
    let served = Served::changed(|changed| app = Some(changed.clone()));
    served.segment("source", 0, Completeness::Full, b"video").await;
    (served, app.unwrap())
}

/// A selection in a turn of `pool` that lasts until it is dropped.
fn endless<'a>(app: &'a App, pool: &'a Pool) -> impl Future<Output = Result<(), ApiError>> + 'a {
    let select = |store: &Store, _: &_| {
        while store.check_awaited().is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(ApiError::Busy)
    };
    app.select_in(pool, feed("source"), select, |()| 0)
}

fn playlist(end: i64) -> String {
    format!("/playlist/chan/source.m3u8?start={}Z&end={}Z", at(0), at(end))
}

#[tokio::test]
async fn selections_wait_in_a_queue_that_ends_and_are_given_up_with_their_clients() {
    let (served, app) = shared().await;
    let metric = async |name| pool_metric(&served, "selections", name).await;
    let mut clients = Vec::new();
    // as many as are taken on
    let refused = loop {
        let mut client = Box::pin(endless(&app, &app.expensive.selections));
        match (&mut client).now_or_never() {
            None => clients.push(client),
            Some(refused) => break refused,
        }
    };
    assert!(matches!(refused, Err(ApiError::Busy)));
    let addresses = ["/waveform/chan/source.png", "/cut/chan/source.ts"];
    let others = addresses.map(|path| format!("{path}?start={}&end={}&type=rough", at(0), at(2)));
    for path in others.iter().chain([&playlist(2), &frame()]) {
        let answer = served.get(path).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("10")), "{path}");
    }
    // those that wait go first
    clients.truncate(4);
    until(async || metric("expensive_waiting").await == "0").await;
    let _waiting = ask(&served, &playlist(2)).await;
    until(async || metric("expensive_waiting").await == "1").await;
    // the work has begun, and would not end by itself
    clients.clear();
    assert_eq!(served.get(&playlist(2)).await.status, 200);
    until(async || metric("expensive_running").await == "0").await;
}

#[tokio::test]
async fn no_short_playlist_waits_for_long_ones() {
    let (served, app) = shared().await;
    let mut clients: Vec<_> =
        (0..3).map(|_| Box::pin(endless(&app, &app.expensive.long_selections))).collect();
    for client in &mut clients {
        assert!(client.now_or_never().is_none());
    }
    let half_a_day = 12 * 3600;
    assert_eq!(served.get(&playlist(half_a_day)).await.status, 200);
    assert_eq!(served.get("/playlist/chan/source.m3u8?last=60").await.status, 200);
    let waiting = async || pool_metric(&served, "long_selections", "expensive_waiting").await;
    assert_eq!(waiting().await, "1");
    let _long = ask(&served, &playlist(half_a_day + 1)).await;
    until(async || waiting().await == "2").await;
    let list = playlist(half_a_day + 2).replace(".m3u8", ".m3u");
    let _list = ask(&served, &list).await;
    until(async || waiting().await == "3").await;
}

/// The answer to a request for a media playlist.
async fn media(app: App, path: &str) -> Result<u16, ApiError> {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let (mut parts, _) = request.into_parts();
    let names = Names::from_request_parts(&mut parts, &()).await?;
    let query = Query::from_request_parts(&mut parts, &()).await?;
    let answer = handlers::playlist::of_quality(State(app), names, query, HeaderMap::new()).await?;
    Ok(answer.status().as_u16())
}

#[tokio::test]
async fn who_asks_for_the_same_playlist_shares_a_turn() {
    let (served, app) = shared().await;
    let mut others: Vec<_> =
        (0..4).map(|_| Box::pin(endless(&app, &app.expensive.selections))).collect();
    for other in &mut others {
        assert!(other.now_or_never().is_none());
    }
    let path = "/playlist/chan/source.m3u8?last=60";
    let update = "/playlist/chan/source.m3u8?last=60&_HLS_skip=YES";
    let mut viewers = [path, path, update].map(|path| Box::pin(media(app.clone(), path)));
    for viewer in &mut viewers {
        assert!(viewer.now_or_never().is_none());
    }
    assert_eq!(pool_metric(&served, "selections", "expensive_waiting").await, "1");
    drop(others);
    for viewer in viewers {
        assert_eq!(viewer.await.unwrap(), 200);
    }
    let labels = "{channel=\"chan\",error=\"\",quality=\"source\"} ";
    let selected = metric_line(&served, &format!("select_segments_latency_count{labels}")).await;
    assert_eq!(selected, "1");
}

/// Asks for an answer of many megabytes and takes nothing of it.
async fn ask_and_take_nothing(served: &Served, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(served.address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    stream.read_u8().await.unwrap();
    stream
}

#[tokio::test]
async fn who_takes_a_chat_slowly_holds_memory_and_no_turn() {
    // more than the kernel holds of an answer
    const MESSAGES: usize = 140;
    let served = Served::new();
    let time = at(1).micros() / 1_000_000;
    let text = "x".repeat(60 << 10);
    let message = |id: usize| {
        let message = serde_json::json!({
            "command": "PRIVMSG", "params": ["#chan", text], "sender": "bob", "user": null, "host": "x",
            "tags": { "id": id.to_string() }, "time": time, "time_range": 0, "receivers": { "n": time },
        });
        format!("{message}\n")
    };
    for batch in 0..2 {
        let messages: String = (0..MESSAGES / 2).map(|id| message(batch * MESSAGES + id)).collect();
        served.file(&format!("chan/chat/2026-11-20T10/0{batch}:00-x.json"), messages.as_bytes());
    }
    let path = format!("/chan/chat.json?start={}&end={}", at(0), at(60));
    let readers = (0..4).map(|_| ask_and_take_nothing(&served, &path));
    let readers = futures_util::future::join_all(readers).await;
    until(async || pool_metric(&served, "walks", "expensive_running").await == "0").await;
    let held = async || metric_line(&served, "answers_held_bytes ").await.parse::<u64>().unwrap();
    assert!(held().await > 2 << 20, "it waits to be taken");
    assert_eq!(served.get("/extras/nothing").await.status, 200);
    drop(readers);
    until(async || held().await == 0).await;
}

#[tokio::test]
async fn what_there_is_no_room_to_hold_is_refused() {
    let (served, app) = shared().await;
    served.file("chan/chat/2026-11-20T10/00:00-x.json", b"");
    let mut held = Vec::new();
    for piece in [32 << 20, 1 << 10, 1] {
        held.extend(std::iter::from_fn(|| app.answers.hold(vec![0; piece]).ok()));
    }
    let chat = format!("/chan/chat.json?start={}&end={}", at(0), at(60));
    for path in [&chat, "/extras/chan", "/playlist/chan.m3u8"] {
        let answer = served.get(path).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("10")), "{path}");
    }
    assert_eq!(served.get(&playlist(2)).await.status, 200, "it is written as it is taken");
    held.clear();
    assert_eq!(served.get(&chat).await.status, 200);
}

#[tokio::test]
async fn no_walk_goes_on_for_nobody() {
    let (served, app) = shared().await;
    let channel = || feed("source").channel;
    let range = common::base::time::TimeRange::new(at(0), at(60)).unwrap();
    served.file("chan/chat/2026-11-20T10/00:00-x.json", b"");
    let given_up = served.store.while_awaited(Store::clone).await;
    assert!(app.looks.variants(&given_up, &channel(), range).is_err());
    assert!(crate::chat::messages(&given_up, channel(), range, 1000).is_err());
    assert_eq!(app.looks.variants(&served.store, &channel(), range).unwrap().len(), 1);
    assert!(crate::chat::messages(&served.store, channel(), range, 1000).is_ok());
}
