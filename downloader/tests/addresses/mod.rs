//! Addresses that stop being good, and what the feed's state says meanwhile.

use super::*;

/// An origin whose multivariant playlist leads to `/a/` first and to `/b/` from the second time on;
/// what is at `/a/live.m3u8` is up to `first`.
async fn moving(first: Vec<Response>) -> (Origin, String) {
    let origin = Origin::start().await;
    let multivariant = |folder| {
        Response::ok(format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{folder}/live.m3u8\n"))
    };
    origin.serve("/index.m3u8", [multivariant("a"), multivariant("b")]);
    origin.serve("/a/live.m3u8", first);
    serve_segments(&origin, "/a", 5..8);
    origin.serve("/b/live.m3u8", [Response::ok(playlist(6, 10))]);
    serve_segments(&origin, "/b", 6..10);
    let channel = format!("chan!:url:{}", origin.url("/index.m3u8"));
    (origin, channel)
}

/// Records on from `/b/` once `/a/` answers with `trouble`.
async fn moves_on_after(trouble: Response) {
    let list = || Response::ok(playlist(5, 8));
    let (origin, channel) = moving(vec![list(), list(), trouble]).await;
    let base = tempfile::tempdir().unwrap();
    let downloader = Downloader::start(base.path(), &[&channel]);
    until_recorded(base.path(), "source", 5..10).await;
    assert_eq!(origin.requests("/b/7.ts"), [], "it was there");
    downloader.stop().await;
}

#[tokio::test]
async fn an_address_that_is_refused_is_replaced() {
    moves_on_after(Response::status(403)).await;
}

#[tokio::test]
async fn an_address_that_keeps_failing_is_replaced() {
    moves_on_after(Response::status(500)).await;
}

#[tokio::test]
async fn a_list_that_brings_nothing_new_is_looked_for_elsewhere() {
    let (_origin, channel) = moving(vec![Response::ok(playlist(5, 8))]).await;
    let base = tempfile::tempdir().unwrap();
    let downloader = Downloader::start(base.path(), &[&channel]);
    until_recorded(base.path(), "source", 5..10).await;
    downloader.stop().await;
}

/// The state in the metrics of the only feed.
fn state(downloader: &Downloader) -> Option<String> {
    let text = downloader.context.metrics.render();
    let mut lines = text.lines().filter(|line| line.starts_with("feed_status{"));
    let line = lines.find(|line| line.ends_with(" 1")).unwrap_or_default();
    line.split("status=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned())
}

#[tokio::test]
async fn an_address_whose_segments_are_refused_is_replaced() {
    let origin = Origin::start().await;
    let multivariant = |folder| {
        Response::ok(format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{folder}/live.m3u8\n"))
    };
    origin.serve("/index.m3u8", [multivariant("a"), multivariant("b")]);
    origin.serve("/a/live.m3u8", (0..40).map(|n| Response::ok(playlist(5 + n, 8 + n))));
    for number in 5..50 {
        origin.serve(&format!("/a/{number}.ts"), [Response::status(403)]);
    }
    origin.serve("/b/live.m3u8", [Response::ok(playlist(6, 10))]);
    serve_segments(&origin, "/b", 6..10);
    let base = tempfile::tempdir().unwrap();
    let channel = format!("chan!:url:{}", origin.url("/index.m3u8"));
    let downloader = Downloader::start(base.path(), &[&channel]);
    eventually("it fails", || state(&downloader).as_deref() == Some("failing")).await;
    until_recorded(base.path(), "source", 6..10).await;
    eventually("it is up", || state(&downloader).as_deref() == Some("up")).await;
    downloader.stop().await;
}

#[tokio::test]
async fn an_address_that_brings_nothing_whole_does_not_replace_one_that_does() {
    let mut lists: Vec<_> = (0..30).map(|n| Response::ok(playlist(5 + n, 8 + n))).collect();
    lists.splice(1..1, vec![Response::status(500); 5]);
    let (origin, channel) = moving(lists).await;
    serve_segments(&origin, "/a", 5..40);
    // other segments than those of the other address
    origin.serve("/b/live.m3u8", (0..30).map(|n| Response::ok(playlist(600 + n, 603 + n))));
    for number in 600..640 {
        origin.serve(&format!("/b/{number}.ts"), [Response::ok([])]);
    }
    let base = tempfile::tempdir().unwrap();
    let downloader = Downloader::start(base.path(), &[&channel]);
    eventually("it records on", || {
        let stored = stored(base.path(), "chan", "source");
        (5..20).all(|number| stored.contains_key(&key(number)))
    })
    .await;
    assert!(!origin.requests("/b/600.ts").is_empty(), "it was tried");
    downloader.stop().await;
}

#[tokio::test]
async fn a_playlist_that_is_refused_is_told_as_what_it_is() {
    for (answer, expected) in [
        (Response::status(403), "refused"),
        (Response::status(404), "offline"),
        (Response::status(500), "unreachable"),
        (Response::ok("<html>come in</html>"), "changed"),
    ] {
        let (_origin, channel) = moving(vec![answer.clone()]).await;
        let base = tempfile::tempdir().unwrap();
        let downloader = Downloader::start(base.path(), &[&channel]);
        eventually(expected, || state(&downloader).as_deref() == Some(expected)).await;
        downloader.stop().await;
    }
}

#[tokio::test]
async fn a_stream_that_has_ended_is_asked_for_now_and_then() {
    let origin = Origin::start().await;
    let ended = playlist(5, 8) + "#EXT-X-ENDLIST\n";
    origin.serve("/live.m3u8", [Response::ok(ended)]);
    serve_segments(&origin, "", 5..8);
    let base = tempfile::tempdir().unwrap();
    let channel = format!("chan:url:{}", origin.url("/live.m3u8"));
    let downloader = Downloader::start(base.path(), &[&channel]);
    until_recorded(base.path(), "source", 5..8).await;
    eventually("it is offline", || state(&downloader).as_deref() == Some("offline")).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    // by the look alone
    assert_eq!(origin.requests("/live.m3u8").len(), 1);
    assert_eq!(state(&downloader).as_deref(), Some("offline"));
    downloader.stop().await;
}

#[tokio::test]
async fn what_is_missed_has_the_first_reason_why_lists_did_not_come() {
    let list = || Response::ok(playlist(5, 8));
    let (origin, channel) = moving(vec![list(), list(), Response::status(500)]).await;
    // a fresh address is gone before it ever showed a list, and comes back
    let later = Response::ok(playlist(20, 23));
    origin.serve("/b/live.m3u8", [Response::status(404), later]);
    serve_segments(&origin, "/b", 20..23);
    let base = tempfile::tempdir().unwrap();
    let downloader = Downloader::start(base.path(), &[&channel]);
    let newest = || stored(base.path(), "chan", "source").contains_key(&key(22));
    eventually("it records on", newest).await;
    eventually("the hole is noted", || !missed(base.path(), "source").is_empty()).await;
    assert_eq!(missed(base.path(), "source"), [(8, 12.0, Why::Expired)], "it was never offline");
    downloader.stop().await;
}
