//! Chats as several nodes see them, merged in every order.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;

use common::base::time::{TimeRange, Timestamp};
use common::format::canonical_json;
use common::format::chat::{ChatMessage, Sent};
use common::plan::chat::ChatMerge;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Number, json};

type Batch = Vec<ChatMessage>;

fn merged(sightings: impl IntoIterator<Item = ChatMessage>) -> Batch {
    let range = TimeRange::new(Timestamp::from_micros(0), Timestamp::MAX).unwrap();
    let mut merge = ChatMerge::of(range);
    sightings.into_iter().for_each(|sighting| merge.add(sighting));
    merge.finish()
}

/// What a message says, without how its time range is written.
fn meaning(messages: &[ChatMessage]) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
    let of = |message: &ChatMessage| {
        let ChatMessage { id, content, sent, receivers } = message.clone();
        (id, content, sent.time.to_bits(), sent.end().to_bits(), receivers)
    };
    messages.iter().map(of).collect()
}

/// Any sighting at all: few contents, ids and nodes and a short while, so that they meet.
fn any_sighting() -> impl Strategy<Value = ChatMessage> {
    let id = prop_oneof![3 => Just(None), 1 => "[ab]".prop_map(Some)];
    let receivers = btree_map("[xyz]", 5000_u32..5010, 1..3);
    (id, "[ab]", 5000_u32..5010, 0_u32..6, receivers).prop_map(
        |(id, text, time, range, receivers)| ChatMessage {
            content: canonical_json::to_string(&json!({ "params": [text], "tags": { "id": id } }))
                .into(),
            id: id.map(Into::into),
            sent: Sent { time: f64::from(time), range: Number::from(range) },
            receivers: receivers.into_iter().map(|(node, at)| (node.into(), at.into())).collect(),
        },
    )
}

/// What three honest nodes noted of one chat: the same messages, each received at its own time, and
/// without an id each sure of when it was sent only within a span of its own.
fn honest_batches() -> impl Strategy<Value = Vec<Batch>> {
    let slack = proptest::array::uniform6(0.0..3.0_f64);
    let message = (any::<bool>(), "[ab]", 0.0..30.0_f64, any::<[bool; 3]>(), slack);
    vec(message, 0..12).prop_map(|messages| {
        let mut batches = vec![Batch::new(); 3];
        for (index, (has_id, text, sent, seen, slack)) in messages.into_iter().enumerate() {
            let id = has_id.then(|| index.to_string());
            let content = json!({ "params": [text], "tags": { "id": id } });
            let sent = 1_731_174_000.0 + sent;
            for node in (0..3).filter(|node| seen[*node]) {
                let (before, after) = (slack[2 * node], slack[2 * node + 1]);
                let range = if has_id { 0.0 } else { before + after };
                let time = if has_id { sent } else { sent - before };
                batches[node].push(ChatMessage {
                    id: id.clone().map(Into::into),
                    content: canonical_json::to_string(&content).into(),
                    sent: Sent { time, range: Number::from_f64(range).unwrap() },
                    receivers: BTreeMap::from([(format!("n{node}").into(), sent + after)]),
                });
            }
        }
        batches
    })
}

proptest! {
    #[test]
    fn the_order_of_sightings_is_irrelevant(
        (one, other) in vec(any_sighting(), 0..20)
            .prop_flat_map(|sightings| (Just(sightings.clone()), Just(sightings).prop_shuffle()))
    ) {
        prop_assert_eq!(merged(one), merged(other));
    }

    #[test]
    fn what_was_read_twice_counts_once(sightings in vec(any_sighting(), 0..20)) {
        let once = merged(sightings.clone());
        let twice = merged(sightings.iter().chain(&sightings).cloned());
        prop_assert_eq!(meaning(&once), meaning(&twice));
    }

    #[test]
    fn merging_goes_on_from_what_was_merged(batches in honest_batches()) {
        let all = merged(batches.iter().flatten().cloned());
        prop_assert_eq!(meaning(&merged(all.clone())), meaning(&all));
        for batch in &batches {
            let again = merged(all.iter().chain(batch).cloned());
            prop_assert_eq!(meaning(&again), meaning(&all));
        }
    }

    #[test]
    fn every_sighting_is_of_one_message(batches in honest_batches()) {
        let all = merged(batches.iter().flatten().cloned());
        for sighting in batches.iter().flatten() {
            let (node, received) = sighting.receivers.first_key_value().unwrap();
            let of: Vec<_> = all
                .iter()
                .filter(|message| message.content == sighting.content)
                .filter(|message| message.receivers.get(node) == Some(received))
                .collect();
            prop_assert_eq!(of.len(), 1);
            prop_assert!(of[0].sent.time >= sighting.sent.time);
            prop_assert!(of[0].sent.end() <= sighting.sent.end());
        }
        prop_assert!(all.is_sorted_by(|a, b| a.sent.time <= b.sent.time));
        let ids = all.iter().filter_map(|message| message.id.as_ref());
        let distinct: std::collections::BTreeSet<_> = ids.clone().collect();
        prop_assert_eq!(distinct.len(), ids.count());
    }

    #[test]
    fn a_line_is_read_back_as_it_was(sighting in any_sighting()) {
        let line = sighting.to_line();
        let read = ChatMessage::parse(line.as_bytes()).unwrap();
        prop_assert_eq!(read.to_line(), line);
        prop_assert_eq!(read, sighting);
    }
}
