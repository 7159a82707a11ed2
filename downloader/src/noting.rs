//! From the planner's events to capture notes: what they are is decided here, purely but for the log, and
//! they are written beside the recording ([`Writer`]).

use chrono::TimeDelta;
use common::base::time::Timestamp;
use common::io::store::notes::{Note, Why};

use crate::planner::Event;

mod writer;

pub(crate) use writer::Writer;

/// The notes that `events` are worth, those of neighbouring spans with one reason joined.
pub(crate) fn notes(events: Vec<Event>, learned: Timestamp) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    let mut open: Option<Span> = None;
    for event in events {
        match event {
            Event::Missed { start, duration, why, detail } => {
                let span = Span { start, end: start + duration, why, detail };
                open = match open.take() {
                    Some(before) if before.goes_on_as(&span) => {
                        Some(Span { end: span.end, ..before })
                    }
                    before => {
                        notes.extend(before.map(|span| span.note(learned)));
                        Some(span)
                    }
                };
            }
            Event::Discontinuity { start, jumped, detail } => {
                let skipped = (jumped > TimeDelta::zero()).then(|| seconds(jumped));
                notes.push(Note::Discontinuity { start, skipped, detail, learned });
            }
            Event::Skew { .. }
            | Event::Renumbered
            | Event::Advertisement
            | Event::Elsewhere { .. }
            | Event::Doubted { .. } => {}
        }
    }
    notes.extend(open.map(|span| span.note(learned)));
    notes
}

/// A span that is missing.
struct Span {
    start: Timestamp,
    end: Timestamp,
    why: Why,
    detail: String,
}

impl Span {
    fn goes_on_as(&self, next: &Self) -> bool {
        self.end == next.start && self.why == next.why && self.detail == next.detail
    }

    fn note(self, learned: Timestamp) -> Note {
        let duration = seconds(self.end - self.start);
        Note::Missing { start: self.start, duration, why: self.why, detail: self.detail, learned }
    }
}

/// Tells people of each note in one line.
pub(crate) fn log(notes: &[Note]) {
    for note in notes {
        match note {
            Note::Missing { start, duration, why, detail, .. } => {
                let why = why.token();
                tracing::warn!(%start, seconds = duration, why, "video is missing: {detail}");
            }
            Note::Discontinuity { start, detail, .. } if detail.is_empty() => {
                tracing::info!(%start, "the publisher announced a discontinuity");
            }
            Note::Discontinuity { start, detail, .. } => tracing::warn!(%start, "{detail}"),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for thousands of years")]
fn seconds(delta: TimeDelta) -> f64 {
    delta.num_microseconds().unwrap_or(i64::MAX) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_spans_of_one_reason_are_one_note() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let missed = |start, why| Event::Missed {
            start: at(start),
            duration: TimeDelta::seconds(2),
            why,
            detail: "d".to_owned(),
        };
        let events = vec![
            missed(0, Why::Gap),
            missed(2, Why::Gap),
            Event::Discontinuity { start: at(2), jumped: TimeDelta::zero(), detail: String::new() },
            missed(4, Why::Expired),
            Event::Renumbered,
            missed(8, Why::Expired),
        ];
        let spans: Vec<_> = notes(events, at(9))
            .into_iter()
            .filter_map(|note| match note {
                Note::Missing { start, duration, why, .. } => Some((start, duration, why)),
                Note::Discontinuity { .. } => None,
            })
            .collect();
        let expected =
            [(at(0), 4.0, Why::Gap), (at(4), 2.0, Why::Expired), (at(8), 2.0, Why::Expired)];
        assert_eq!(spans, expected);
    }
}
