//! One list of chat messages out of what several nodes saw of a chat. Pure.
//!
//! The same message is listed once. Two sightings are of one message when they have the same id; where
//! messages have none, when their content is equal, they may have been sent at the same time, and no
//! node received both. A message was sent when all of its sightings allow. The result depends on
//! the sightings alone: not on their order, and how often each was read shows at most in the last digits
//! of a time range.

use std::cmp::Ordering;
use std::collections::{HashMap, hash_map::Entry};

use chrono::TimeDelta;

use crate::base::time::TimeRange;
use crate::format::chat::{ChatMessage, MAX_TIME_RANGE_SECONDS, Sent};

mod rivals;

/// How far outside of a range sightings can lie that tell something about messages in it.
const REACH: TimeDelta = TimeDelta::seconds(MAX_TIME_RANGE_SECONDS as i64);

/// What a message takes besides its texts, about.
const MESSAGE_BYTES: usize = size_of::<ChatMessage>() + 64;

/// What a receiver takes besides its name, about.
const RECEIVER_BYTES: usize = 48;

/// The messages of a range, as far as they were seen.
#[derive(Debug)]
pub struct ChatMerge {
    range: TimeRange,
    /// The span that sightings are taken from.
    reach: TimeRange,
    with_id: HashMap<Box<str>, ChatMessage>,
    without_id: Vec<ChatMessage>,
    held_bytes: usize,
}

impl ChatMerge {
    /// No messages yet of those that may have been sent within `range`.
    pub fn of(range: TimeRange) -> Self {
        let reach = TimeRange::new(range.start() - REACH, range.end() + REACH);
        Self {
            range,
            reach: reach.unwrap_or(range),
            with_id: HashMap::new(),
            without_id: Vec::new(),
            held_bytes: 0,
        }
    }

    /// The span in which sightings matter.
    pub const fn reach(&self) -> TimeRange {
        self.reach
    }

    /// About how much memory the messages take.
    pub const fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Takes in one sighting, if it can matter.
    pub fn add(&mut self, sighting: ChatMessage) {
        let Some(id) = sighting.id.clone() else {
            if sighting.sent.touches(self.reach) {
                self.held_bytes += bytes_of(&sighting);
                self.without_id.push(sighting);
            }
            return;
        };
        if !sighting.sent.touches(self.range) {
            return;
        }
        match self.with_id.entry(id) {
            Entry::Occupied(mut known) => {
                let both = united(known.get().clone(), sighting);
                self.held_bytes += bytes_of(&both);
                self.held_bytes -= bytes_of(&known.insert(both));
            }
            Entry::Vacant(place) => {
                self.held_bytes += bytes_of(&sighting);
                place.insert(sighting);
            }
        }
    }

    /// The messages, in the order in which they were sent.
    pub fn finish(self) -> Vec<ChatMessage> {
        let mut messages: Vec<ChatMessage> = self.with_id.into_values().collect();
        messages.extend(rivals::merged(self.without_id));
        messages.retain(|message| message.sent.touches(self.range));
        messages.sort_unstable_by(order);
        messages
    }
}

/// About how much memory `message` takes; its id is held twice.
fn bytes_of(message: &ChatMessage) -> usize {
    let receivers = message.receivers.keys().map(|node| node.len() + RECEIVER_BYTES);
    let id = message.id.as_deref().map_or(0, str::len);
    MESSAGE_BYTES + message.content.len() + 2 * id + receivers.sum::<usize>()
}

/// The one message that both are sightings of. Its time range is written as computed, even where both
/// say the same, as existing nodes do.
///
/// Where they contradict each other, each choice is one that the order cannot change: the content is
/// that of the sighting received first, a node received it at the earlier time, and of two times to be
/// sent at that exclude each other the later holds.
fn united(a: ChatMessage, b: ChatMessage) -> ChatMessage {
    let received = a.first_received().total_cmp(&b.first_received());
    let (mut first, other) = match received.then_with(|| a.content.cmp(&b.content)) {
        Ordering::Greater => (b, a),
        _ => (a, b),
    };
    let end = first.sent.end().min(other.sent.end());
    first.sent = Sent::between(first.sent.time.max(other.sent.time), end);
    for (node, time) in other.receivers {
        let known = first.receivers.entry(node).or_insert(time);
        *known = known.min(time);
    }
    first
}

/// By time; what is sent at the same time stays in an order that means nothing but is always the same.
fn order(a: &ChatMessage, b: &ChatMessage) -> Ordering {
    let receivers = |message: &ChatMessage| {
        let receivers = message.receivers.iter();
        receivers.map(|(node, time)| (node.clone(), time.to_bits())).collect::<Vec<_>>()
    };
    (a.sent.time.total_cmp(&b.sent.time))
        .then_with(|| a.content.cmp(&b.content))
        .then_with(|| a.sent.end().total_cmp(&b.sent.end()))
        .then_with(|| receivers(a).cmp(&receivers(b)))
}

#[cfg(test)]
mod tests;
