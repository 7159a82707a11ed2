use common::format::segment::Completeness;
use serde_json::json;

use super::Served;

#[tokio::test]
async fn each_level_lists_what_is_below() {
    let served = Served::with(&[3600, 0, 2]).await;
    served.segment("480p", 0, Completeness::Full, b"video").await;
    served.file(".hidden/x", b"");
    served.file("other/source/2026-11-20T10/.hidden.ts", b"");
    for (path, expected) in [
        ("/files", json!(["chan", "other"])),
        ("/files/chan", json!(["480p", "source"])),
        ("/files/chan/source", json!(["2026-11-20T10", "2026-11-20T11"])),
        ("/files/other/source/2026-11-20T10", json!([])),
        ("/files/%63han", json!(["480p", "source"])),
    ] {
        let answer = served.get(path).await;
        assert_eq!((answer.status, answer.json()), (200, expected), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    let names = served.get("/files/chan/source/2026-11-20T10").await.json();
    let names: Vec<String> = serde_json::from_value(names).unwrap();
    assert!(names[0].starts_with("00:00.000000-2.0-full-"), "{names:?}");
    assert!(names[1].starts_with("00:02.000000-2.0-full-"), "{names:?}");
    assert_eq!(names.len(), 2);
}

#[tokio::test]
async fn tombstones_hide_and_are_listed_on_request() {
    let served = Served::with(&[0, 2]).await;
    let hour = "/files/chan/source/2026-11-20T10";
    let names: Vec<String> = serde_json::from_value(served.get(hour).await.json()).unwrap();
    let tombstone = names[0].replace(".ts", ".tombstone");
    served.file(&format!("chan/source/2026-11-20T10/{tombstone}"), b"");
    assert_eq!(served.get(hour).await.json(), json!([names[1]]));
    let with = served.get(&format!("{hour}?tombstones=true")).await.json();
    assert_eq!(with, json!([tombstone, names[1]]));
    let without = served.get(&format!("{hour}?tombstones=false")).await.json();
    assert_eq!(without, json!([names[1]]));
}

#[tokio::test]
async fn chat_batches_are_listed_only_among_chat() {
    let served = Served::new();
    served.file("chan/chat/2026-11-20T10/00:00.0-60.0-full-x.json", b"{}");
    served.file("chan/source/2026-11-20T10/00:00.0-60.0-full-x.json", b"{}");
    let list =
        async |quality| served.get(&format!("/files/chan/{quality}/2026-11-20T10")).await.json();
    assert_eq!(list("chat").await, json!(["00:00.0-60.0-full-x.json"]));
    assert_eq!(list("source").await, json!([]));
}

#[tokio::test]
async fn extras_are_listed_with_what_is_below_them() {
    let served = Served::new();
    for file in ["notes/b/chan/x.jsonl", "notes/a", "notes/.hidden/x", "other/x"] {
        served.file(file, b"");
    }
    assert_eq!(served.get("/extras/notes").await.json(), json!(["a", "b/chan/x.jsonl"]));
    assert_eq!(served.get("/extras/notes/b").await.json(), json!(["chan/x.jsonl"]));
}

#[tokio::test]
async fn the_service_tells_about_itself() {
    let served = Served::with(&[0]).await;
    served.get("/playlist/chan/source.m3u8").await;
    served.get("/playlist/stranger/source.m3u8").await;
    assert_eq!(served.get("/healthz").await.status, 200);
    for path in ["/metrics", "/metrics/restreamer"] {
        let answer = served.get(path).await;
        let text = answer.text();
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4"));
        let labels = "{channel=\"chan\",error=\"\",quality=\"source\"}";
        assert!(text.contains(&format!("select_segments_latency_count{labels} 1\n")), "{text}");
        assert!(text.contains("endpoint=\"/playlist/{channel}/{quality}\""), "{text}");
        assert!(!text.contains("stranger"), "a stranger cannot make up labels: {text}");
    }
}

#[tokio::test]
async fn everybody_may_read() {
    let served = Served::with(&[0]).await;
    let answer = served.send("GET", "/files", &["Origin: http://elsewhere"]).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}
