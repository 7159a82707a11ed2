use serde_json::{Value, json};

use super::*;
use crate::base::time::Timestamp;

const VECTORS: &str = include_str!("../../../testdata/vectors/chat_merge.json");

fn always() -> TimeRange {
    TimeRange::new(Timestamp::from_micros(0), Timestamp::MAX).unwrap()
}

fn merged<'v>(range: TimeRange, sightings: impl IntoIterator<Item = &'v Value>) -> String {
    let mut merge = ChatMerge::of(range);
    for sighting in sightings {
        merge.add(ChatMessage::parse(sighting.to_string().as_bytes()).unwrap());
    }
    let lines: Vec<String> = merge.finish().iter().map(ChatMessage::to_line).collect();
    lines.join("\n")
}

#[test]
fn the_vectors_hold_whatever_the_order() {
    let cases: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert!(cases.len() > 100, "the vectors are there");
    for case in &cases {
        let batches: Vec<Vec<Value>> = serde_json::from_value(case["batches"].clone()).unwrap();
        let forwards = merged(always(), batches.iter().flatten());
        assert_eq!(forwards, case["merged_formatted"].as_str().unwrap(), "case {}", case["id"]);
        let backwards = merged(always(), batches.iter().rev().flat_map(|batch| batch.iter().rev()));
        assert_eq!(backwards, forwards, "case {}", case["id"]);
    }
}

/// A message of the content and id given, which `node` received at `received`.
fn sighting(content: &str, id: Option<&str>, sent: (f64, f64), node: &str, received: f64) -> Value {
    json!({
        "command": "NOTICE", "params": [content], "tags": { "id": id },
        "time": sent.0, "time_range": sent.1, "receivers": { node: received },
    })
}

fn fields(text: &str, field: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()[field].clone()).collect()
}

#[test]
fn an_id_tells_though_the_content_does_not() {
    let early = sighting("true", Some("x"), (5000.0, 0.0), "n1", 5001.0);
    let late = sighting("false", Some("x"), (5000.5, 0.0), "n2", 5002.0);
    let both = merged(always(), [&late, &early, &late]);
    assert_eq!(fields(&both, "params"), [json!(["true"])]);
    assert_eq!(fields(&both, "time"), [json!(5000.5)]);
    assert_eq!(fields(&both, "receivers"), [json!({ "n1": 5001.0, "n2": 5002.0 })]);
    assert_eq!(both, merged(always(), [&early, &late]));
}

#[test]
fn what_one_node_received_twice_is_two_messages() {
    let first = sighting("same", None, (5000.0, 2.0), "n1", 5001.0);
    let again = sighting("same", None, (5000.0, 2.0), "n1", 5001.5);
    let other = sighting("same", None, (5010.0, 2.0), "n2", 5011.0);
    let text = merged(always(), [&first, &again, &other]);
    assert_eq!(fields(&text, "time"), [json!(5000.0), json!(5000.0), json!(5010.0)]);
}

#[test]
fn a_message_belongs_to_every_range_that_it_may_lie_in() {
    let range = |start: i64, end: i64| {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        TimeRange::new(at(start), at(end)).unwrap()
    };
    let unsure = sighting("a", None, (5000.0, 2.0), "n1", 5001.0);
    let elsewhere = sighting("a", None, (5001.5, 3.0), "n2", 5001.0);
    let sure = sighting("b", Some("x"), (5002.0, 0.0), "n1", 5001.0);
    let count =
        |start, end| merged(range(start, end), [&unsure, &elsewhere, &sure]).lines().count();
    assert_eq!(count(4990, 5001), 0, "both together begin later");
    assert_eq!(count(5001, 5002), 1, "the end is excluded");
    assert_eq!(count(5002, 5003), 2, "a start is included");
    assert_eq!(count(5003, 5004), 0);
}

#[test]
fn many_equal_messages_at_once_are_left_alone() {
    let sightings: Vec<Value> = (0..200)
        .map(|n| sighting("spam", None, (5000.0, 60.0), &format!("n{n}"), 5001.0))
        .collect();
    assert_eq!(merged(always(), &sightings).lines().count(), 200);
    assert_eq!(merged(always(), &sightings[..40]).lines().count(), 1);
}

#[test]
fn what_is_held_counts_receivers_and_what_reunions_add() {
    let mut merge = ChatMerge::of(always());
    let mut add = |content: &str, id, node: &str, received| {
        let sighting = sighting(content, id, (5000.0, 2.0), node, received);
        merge.add(ChatMessage::parse(sighting.to_string().as_bytes()).unwrap());
        merge.held_bytes()
    };
    let node = |letter: &str| letter.repeat(10_000);
    let one = add("small", None, &node("a"), 5001.0);
    assert!(one > 10_000, "{one}");
    let two = add("small", Some("x"), &node("b"), 5002.0);
    assert!(two > one + 10_000, "{two}");
    let three = add("small", Some("x"), &node("c"), 5003.0);
    assert!(three > two + 10_000, "{three}");
    assert_eq!(add("small", Some("x"), &node("c"), 5003.0), three, "nothing new");
    let earlier = add(&"long".repeat(10_000), Some("x"), &node("c"), 5001.0);
    assert!(earlier > three + 39_000, "the content of the first sighting counts: {earlier}");
}
