//! Expensive work: bounded, and stopped when nobody waits for it.

use std::path::Path;
use std::time::Duration;

use common::format::segment::Completeness;
use common::io::ffmpeg::Ffmpeg;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Served, at};

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
    let text = served.get("/metrics").await;
    let line = format!("{name}{{pool=\"pictures\"}} ");
    let value = text.text().lines().find_map(|found| found.strip_prefix(&line));
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
