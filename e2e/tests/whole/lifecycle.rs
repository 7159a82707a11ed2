//! Every service alone: it starts, tells how it is, and stops when it is asked to.

use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, Service, body};

/// What "at once" is on a busy machine, and for a cutter whose database is away: it tries for a
/// moment to give back what it may hold. A stop that is stuck takes 20 s.
const AT_ONCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn every_service_starts_and_stops() {
    for name in Service::ALL {
        for signal in [Signal::TERM, Signal::INT] {
            let base = tempfile::tempdir().unwrap();
            let mut service = Service::start(name, base.path()).await;
            let url = &service.url;
            let health = body(&format!("{url}/healthz")).await.unwrap();
            assert_eq!(health.lines().next(), Some("ok"), "{name}: {health}");
            let metrics = body(&format!("{url}/metrics")).await.unwrap();
            assert!(metrics.contains("build_info{"), "{name}: {metrics}");

            service.process.signal(signal);
            let status = service.process.ended(AT_ONCE).await;
            assert_eq!(status.code(), Some(0), "{name}: {:#?}", service.process.stderr());
        }
    }
}

#[tokio::test]
async fn a_second_signal_ends_a_stop_at_once() {
    // as much as no socket holds, so that the answer is under way for as long as nobody reads it
    const SEGMENT_BYTES: usize = 64 << 20;
    let base = tempfile::tempdir().unwrap();
    let hour = base.path().join("chan/source/2026-11-20T10");
    std::fs::create_dir_all(&hour).unwrap();
    let name = "00:00.000000-2.0-full-47DEQpj8HBSa_-TImW-5JCeuQeRkm5NMpJWZG3hSuFU.ts";
    std::fs::write(hour.join(name), vec![0; SEGMENT_BYTES]).unwrap();

    let mut restreamer = Service::start("restreamer", base.path()).await;
    let mut reader =
        TcpStream::connect(restreamer.url.trim_start_matches("http://")).await.unwrap();
    let request =
        format!("GET /segments/chan/source/2026-11-20T10/{name} HTTP/1.1\r\nhost: x\r\n\r\n");
    reader.write_all(request.as_bytes()).await.unwrap();
    reader.read_exact(&mut [0; 4096]).await.unwrap();

    restreamer.process.signal(Signal::TERM);
    restreamer.process.stderr().until("stops, asked by SIGTERM", PATIENCE).await;
    assert!(restreamer.process.lives(), "{:#?}", restreamer.process.stderr());
    restreamer.process.signal(Signal::TERM);
    let status = restreamer.process.ended(AT_ONCE).await;
    assert_eq!(status.code(), Some(1), "{:#?}", restreamer.process.stderr());
    let said = restreamer.process.stderr().with("a second signal came");
    assert_eq!(said.len(), 1, "{:#?}", restreamer.process.stderr());
}
