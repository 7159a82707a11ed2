//! Chat as it is asked for.

use common::base::time::TimeRange;
use serde_json::{Value, json};

use super::{Served, at};
use crate::chat;

const HOUR: &str = "chan/chat/2026-11-20T10";

/// A message that the node `node` received `seconds` after ten o'clock.
fn message(id: &str, seconds: i64, node: &str) -> Value {
    let time = at(seconds).micros() / 1_000_000;
    json!({
        "command": "PRIVMSG", "params": ["#chan", id], "sender": "bob", "user": null, "host": "x",
        "tags": { "id": id }, "time": time, "time_range": 0, "receivers": { node: time },
    })
}

/// A batch file's content.
fn batch(messages: &[Value]) -> Vec<u8> {
    messages.iter().flat_map(|message| format!("{message}\n").into_bytes()).collect()
}

async fn ids(served: &Served, start: i64, end: i64) -> Vec<Value> {
    let path = format!("/chan/chat.json?start={}&end={}", at(start), at(end));
    let answer = served.get(&path).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let messages: Vec<Value> = serde_json::from_value(answer.json()).unwrap();
    messages.iter().map(|message| message["tags"]["id"].clone()).collect()
}

#[tokio::test]
async fn the_batches_of_all_nodes_are_one_chat() {
    let served = Served::new();
    let (a, b) = (message("a", 10, "n1"), message("b", 70, "n1"));
    served.file(&format!("{HOUR}/00:00-x.json"), &batch(&[a.clone(), message("early", -1, "n1")]));
    served.file(&format!("{HOUR}/01:00-x.json"), &batch(&[b]));
    served.file(&format!("{HOUR}/00:00-y.json"), &batch(&[message("a", 10, "n2")]));
    served.file("chan/chat/2026-11-20T11/00:00-x.json", &batch(&[message("c", 3600, "n1")]));
    assert_eq!(ids(&served, 0, 3601).await, ["a", "b", "c"]);
    assert_eq!(ids(&served, 10, 70).await, ["a"], "the end is excluded");
    assert_eq!(ids(&served, 20, 30).await, [] as [Value; 0]);
    assert_eq!(ids(&served, -90_000, -89_000).await, [] as [Value; 0]);
    let path = format!("/chan/chat.json?start={}&end={}", at(10), at(11));
    let merged = served.get(&path).await.json();
    let time = a["time"].as_f64().unwrap();
    assert_eq!(merged[0]["receivers"], json!({ "n1": time, "n2": time }));
}

#[tokio::test]
async fn what_is_no_batch_or_no_message_is_passed_over() {
    let served = Served::new();
    let good = message("good", 1, "n1");
    let bad = batch(&[message("bad", 2, "n1")]);
    let torn = [b"\n\xff\n[]\n{}\n".to_vec(), batch(&[good]), b"{\"command\":\"PRIV".to_vec()];
    served.file(&format!("{HOUR}/00:00-a.json"), &torn.concat());
    served.file(&format!("{HOUR}/00:00-b.json.123.temp"), &bad);
    served.file(&format!("{HOUR}/.00:00-c.json"), &bad);
    served.file(&format!("{HOUR}/00:00-d.json"), &bad);
    served.file(&format!("{HOUR}/00:00-d.tombstone"), b"");
    served.file(&format!("{HOUR}/00:00-e.ts"), &bad);
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("x"), &bad).unwrap();
    let link = |target: std::path::PathBuf, name: &str| {
        std::os::unix::fs::symlink(target, served.base.path().join(HOUR).join(name)).unwrap();
    };
    link(outside.path().join("x"), "00:00-f.json");
    link("nowhere".into(), "00:00-g.json");
    let huge = served.file(&format!("{HOUR}/00:00-h.json"), &bad);
    std::fs::File::options().write(true).open(huge).unwrap().set_len((16 << 20) + 1).unwrap();
    assert_eq!(ids(&served, 0, 60).await, ["good"]);
}

#[tokio::test]
async fn chat_is_bounded() {
    let served = Served::new();
    let messages: Vec<Value> = (0..100).map(|n| message(&n.to_string(), n, "n1")).collect();
    for (index, messages) in messages.chunks(10).enumerate() {
        served.file(&format!("{HOUR}/{index:02}:00-x.json"), &batch(messages));
    }
    let read = |end, max_held_bytes| {
        let range = TimeRange::new(at(0), at(end)).unwrap();
        chat::messages(&served.store, "chan".parse().unwrap(), range, max_held_bytes)
    };
    let error = read(100, 20_000).unwrap_err().to_string();
    assert_eq!(error, "end: there is too much chat before it; ask for a shorter range");
    assert_eq!(read(30, 20_000).unwrap().len(), 30, "only what lies in the range counts");
    assert_eq!(read(100, chat::MAX_HELD_BYTES).unwrap().len(), 100);
}
