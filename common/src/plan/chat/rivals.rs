//! Which of the messages of equal content are the same one, where no id tells.

use std::collections::HashMap;

use super::{order, united};
use crate::format::chat::ChatMessage;

/// How many messages of equal content may compete for each other. More than a person or a server would
/// send within one span of uncertainty are left as they are: comparing them costs the cube.
const MAX_RIVALS: usize = 40;

/// The messages that `sightings`, none of which has an id, are of; in no order.
pub(super) fn merged(mut sightings: Vec<ChatMessage>) -> Vec<ChatMessage> {
    sightings.sort_unstable_by(|a, b| a.content.cmp(&b.content).then_with(|| order(a, b)));
    let equals = sightings.chunk_by(|a, b| a.content == b.content);
    equals.flat_map(|equals| merged_equals(equals.to_vec())).collect()
}

/// [`merged`] for sightings of equal content.
fn merged_equals(sightings: Vec<ChatMessage>) -> Vec<ChatMessage> {
    if sightings.len() == 1 {
        return sightings;
    }
    let mut messages = unite_by_receipt(sightings);
    messages.sort_unstable_by(order);
    let mut merged = Vec::with_capacity(messages.len());
    let mut rivals: Vec<ChatMessage> = Vec::new();
    let mut end = f64::NEG_INFINITY;
    for message in messages {
        if message.sent.time > end {
            merged.append(&mut match_up(std::mem::take(&mut rivals)));
        }
        end = end.max(message.sent.end());
        rivals.push(message);
    }
    merged.append(&mut match_up(rivals));
    merged
}

/// Unites sightings that share a receipt: one node, at one time.
fn unite_by_receipt(sightings: Vec<ChatMessage>) -> Vec<ChatMessage> {
    let mut parents: Vec<usize> = (0..sightings.len()).collect();
    let mut first_of: HashMap<(&str, u64), usize> = HashMap::new();
    for (index, sighting) in sightings.iter().enumerate() {
        for (node, time) in &sighting.receivers {
            let first = *first_of.entry((node, time.to_bits())).or_insert(index);
            let (one, other) = (root(&mut parents, first), root(&mut parents, index));
            parents[one.max(other)] = one.min(other);
        }
    }
    drop(first_of);
    let mut united_at: HashMap<usize, ChatMessage> = HashMap::new();
    for (index, sighting) in sightings.into_iter().enumerate() {
        let root = root(&mut parents, index);
        let message = match united_at.remove(&root) {
            Some(message) => united(message, sighting),
            None => sighting,
        };
        united_at.insert(root, message);
    }
    united_at.into_values().collect()
}

/// The first of those that `index` was joined with.
fn root(parents: &mut [usize], mut index: usize) -> usize {
    while parents[index] != index {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    index
}

/// Unites what may be one message, the likeliest pair first, until none is left that may be.
fn match_up(mut rivals: Vec<ChatMessage>) -> Vec<ChatMessage> {
    if rivals.len() > MAX_RIVALS {
        return rivals;
    }
    while let Some((one, other)) = likeliest_pair(&rivals) {
        let sighting = rivals.remove(other);
        rivals[one] = united(rivals[one].clone(), sighting);
    }
    rivals
}

/// Where the two are in `rivals` that are likeliest the same; of equals the first, so that their order
/// decides.
fn likeliest_pair(rivals: &[ChatMessage]) -> Option<(usize, usize)> {
    let mut likeliest = None;
    let mut highest = 0.0;
    for (one, a) in rivals.iter().enumerate() {
        for (other, b) in rivals.iter().enumerate().skip(one + 1) {
            if let Some(likeness) = likeness(a, b).filter(|likeness| *likeness > highest) {
                (likeliest, highest) = (Some((one, other)), likeness);
            }
        }
    }
    likeliest
}

/// How much speaks for `a` and `b` being the same message: how far the shorter of their times lies within
/// the longer, and how much of both together they share. `None` when they cannot be the same.
///
/// Either share alone would pair messages differently from the recorded merges.
fn likeness(a: &ChatMessage, b: &ChatMessage) -> Option<f64> {
    /// Seconds; so that an instant within a time is shared whole.
    const GRAIN: f64 = 1e-6;
    let length = |message: &ChatMessage| message.sent.end() - message.sent.time;
    let (a_length, b_length) = (length(a), length(b));
    let shared = a.sent.end().min(b.sent.end()) - a.sent.time.max(b.sent.time);
    if shared < 0.0 || a.receivers.keys().any(|node| b.receivers.contains_key(node)) {
        return None;
    }
    let shared = shared + GRAIN;
    Some(shared / (a_length.min(b_length) + GRAIN) + shared / (a_length + b_length + GRAIN))
}
