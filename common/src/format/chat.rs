//! Messages of a chat, as the lines of a batch file hold them.
//!
//! A message is an IRC command with its sender, parameters and tags: its *content*, which is kept as it
//! came and not looked into but for the id. Beside it stand when it was sent, as far as that is known,
//! and which node received it when.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use thiserror::Error;

use super::canonical_json;
use crate::base::time::{TimeRange, Timestamp};

/// The longest line that is read, in bytes: many times an IRC message with all its tags.
pub const MAX_LINE_BYTES: usize = 64 * 1024;
/// The longest span, in seconds, in which a message may have been sent: one that is known no better is
/// no help to anybody.
pub const MAX_TIME_RANGE_SECONDS: u32 = 3600;
/// How many nodes may have received a message.
const MAX_RECEIVERS: usize = 100;
/// The members of the object that are not content, in their order.
const RECEIVERS: &str = "receivers";
const TIME: &str = "time";
const TIME_RANGE: &str = "time_range";

/// One message, or one sighting of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatMessage {
    /// What the service calls it; most kinds of messages have no id.
    pub id: Option<Box<str>>,
    /// Everything but times and receivers, as canonical JSON.
    pub content: Box<str>,
    /// When it was sent.
    pub sent: Sent,
    /// When each node received it, in seconds since the Unix epoch; never empty.
    pub receivers: BTreeMap<Box<str>, f64>,
}

/// When a message was sent: at or after `time`, and at or before the end of its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The earliest instant, in seconds since the Unix epoch.
    pub time: f64,
    /// How many seconds later it may have been, written as it was read (`0` is not `0.0`).
    pub range: Number,
}

impl Sent {
    /// From `time` to `end`, or at `time` where `end` lies before it.
    pub fn between(time: f64, end: f64) -> Self {
        let range = Number::from_f64((end - time).max(0.0)).unwrap_or_else(|| 0.into());
        Self { time, range }
    }

    /// The latest instant.
    pub fn end(&self) -> f64 {
        self.time + self.range.as_f64().unwrap_or(0.0)
    }

    /// Whether the message may have been sent within `range`.
    pub fn touches(&self, range: TimeRange) -> bool {
        self.time < seconds(range.end()) && self.end() >= seconds(range.start())
    }
}

/// An instant in seconds since the Unix epoch, as messages count.
#[expect(clippy::cast_precision_loss, reason = "until the year 2255 every microsecond fits")]
pub fn seconds(instant: Timestamp) -> f64 {
    instant.micros() as f64 / 1e6
}

/// A line that is no message.
#[derive(Debug, Error)]
pub enum BadChatLine {
    /// Longer than [`MAX_LINE_BYTES`].
    #[error("it is longer than {MAX_LINE_BYTES} bytes")]
    Length,
    /// Not a JSON object.
    #[error("it is no JSON object: {0}")]
    Json(#[from] serde_json::Error),
    /// A member is missing, or is not what it should be.
    #[error("its {0} is missing or out of bounds")]
    Member(&'static str),
}

impl ChatMessage {
    /// Reads a line of a batch, with or without its end.
    ///
    /// # Errors
    ///
    /// When it is no message, or beyond the bounds above.
    pub fn parse(line: &[u8]) -> Result<Self, BadChatLine> {
        if line.len() > MAX_LINE_BYTES {
            return Err(BadChatLine::Length);
        }
        let mut members: Map<String, Value> = serde_json::from_slice(line)?;
        let sent = sent(&mut members)?;
        let receivers = members.remove(RECEIVERS).and_then(receivers);
        let receivers = receivers.ok_or(BadChatLine::Member(RECEIVERS))?;
        let id = members.get("tags").and_then(|tags| tags.get("id")).and_then(Value::as_str);
        let id = id.filter(|id| !id.is_empty()).map(Into::into);
        let content = canonical_json::to_string(&members).into();
        Ok(Self { id, content, sent, receivers })
    }

    /// The canonical line of this message, without its end.
    pub fn to_line(&self) -> String {
        let content = serde_json::from_str(&self.content);
        let mut members: Map<String, Value> = content.expect("canonical JSON can be read back");
        let receivers =
            self.receivers.iter().map(|(node, time)| (node.to_string(), (*time).into()));
        members.insert(RECEIVERS.to_owned(), Value::Object(receivers.collect()));
        members.insert(TIME.to_owned(), self.sent.time.into());
        members.insert(TIME_RANGE.to_owned(), Value::Number(self.sent.range.clone()));
        canonical_json::to_string(&members)
    }

    /// The first time that any node received it.
    pub fn first_received(&self) -> f64 {
        self.receivers.values().copied().fold(f64::INFINITY, f64::min)
    }
}

fn sent(members: &mut Map<String, Value>) -> Result<Sent, BadChatLine> {
    let time = members.remove(TIME).as_ref().and_then(instant).ok_or(BadChatLine::Member(TIME))?;
    let Some(Value::Number(range)) = members.remove(TIME_RANGE) else {
        return Err(BadChatLine::Member(TIME_RANGE));
    };
    let in_bounds = |range: f64| (0.0..=f64::from(MAX_TIME_RANGE_SECONDS)).contains(&range);
    if !range.as_f64().is_some_and(in_bounds) {
        return Err(BadChatLine::Member(TIME_RANGE));
    }
    Ok(Sent { time, range })
}

/// An instant between 1970 and the year 9999.
fn instant(value: &Value) -> Option<f64> {
    let is_instant = |time: &f64| (0.0..=seconds(Timestamp::MAX)).contains(time);
    value.as_f64().filter(is_instant)
}

fn receivers(value: Value) -> Option<BTreeMap<Box<str>, f64>> {
    let Value::Object(receivers) = value else {
        return None;
    };
    if receivers.is_empty() || receivers.len() > MAX_RECEIVERS {
        return None;
    }
    receivers.into_iter().map(|(node, time)| Some((node.into(), instant(&time)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r##"{"command":"PRIVMSG","params":["#chan","h\u00e9"],"receivers":{"n1":1731174844.5},"sender":"bob","tags":{"id":"10aa"},"time":1731174844.084,"time_range":0,"user":null}"##;

    #[test]
    fn a_canonical_line_comes_back_as_it_was() {
        let message = ChatMessage::parse(LINE.as_bytes()).unwrap();
        assert_eq!(message.id.as_deref(), Some("10aa"));
        assert_eq!(message.to_line(), LINE);
    }

    #[test]
    fn what_is_no_message_is_told() {
        let told = |line: &str| ChatMessage::parse(line.as_bytes()).unwrap_err().to_string();
        for (member, bad) in [
            ("time", r#""time":null"#),
            ("time", r#""time":-1"#),
            ("time", r#""time":1e300"#),
            ("time_range", r#""time":1,"time_range":-0.5"#),
            ("time_range", r#""time":1,"time_range":3601"#),
            ("time_range", r#""time":1,"time_range":"2""#),
            ("receivers", r#""time":1,"time_range":0"#),
            ("receivers", r#""time":1,"time_range":0,"receivers":{}"#),
            ("receivers", r#""time":1,"time_range":0,"receivers":{"n":"x"}"#),
            ("receivers", r#""time":1,"time_range":0,"receivers":[1]"#),
        ] {
            let expected = format!("its {member} is missing or out of bounds");
            assert_eq!(told(&format!("{{{bad}}}")), expected, "{bad}");
        }
        for bad in ["", "[]", "{", "\"x\"", "null", &"[".repeat(1000), "{\"time\":1e999}"] {
            assert!(told(bad).starts_with("it is no JSON object"), "{bad}");
        }
        let long = format!("{{\"x\":\"{}\"}}", "x".repeat(MAX_LINE_BYTES));
        assert_eq!(told(&long), "it is longer than 65536 bytes");
        assert!(ChatMessage::parse(b"{\"x\":\"\xff\"}").is_err(), "not UTF-8");
    }
}
