//! How far back to copy.

use std::str::FromStr;

use chrono::TimeDelta;
use common::base::time::{Hour, Timestamp};
use thiserror::Error;

/// From when on hours are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From so long before now, whenever now is.
    Back(TimeDelta),
    /// From an instant on.
    At(Timestamp),
}

/// A text that is neither a number of hours nor a time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is neither a number of hours like 48 nor a time like 2026-11-20T10:00")]
pub struct BadStart(String);

impl Start {
    /// Whether `hour` can hold something that is to be copied, at the time `now`.
    pub fn includes(self, hour: Hour, now: Timestamp) -> bool {
        let start = match self {
            Self::Back(by) => now - by,
            Self::At(start) => start,
        };
        hour.end() > start
    }
}

impl FromStr for Start {
    type Err = BadStart;

    fn from_str(text: &str) -> Result<Self, BadStart> {
        /// A millennium of hours, so that no arithmetic overflows.
        const MAX_HOURS: f64 = 8_766_000.0;
        if let Ok(time) = Timestamp::parse_http(text) {
            return Ok(Self::At(time));
        }
        let hours: f64 = text.parse().map_err(|_| BadStart(text.to_owned()))?;
        if !(0.0..=MAX_HOURS).contains(&hours) {
            return Err(BadStart(text.to_owned()));
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most a millennium of seconds")]
        let seconds = (hours * 3600.0) as i64;
        Ok(Self::Back(TimeDelta::seconds(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_times_are_read_and_nothing_else() {
        assert_eq!("48".parse(), Ok(Start::Back(TimeDelta::hours(48))));
        assert_eq!("0.5".parse(), Ok(Start::Back(TimeDelta::minutes(30))));
        let at = Timestamp::parse_http("2026-11-20T10:00").unwrap();
        assert_eq!("2026-11-20T10:00".parse(), Ok(Start::At(at)));
        for bad in ["-1", "nan", "inf", "1e99", "yesterday", "2026-11-20"] {
            assert!(bad.parse::<Start>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_hour_counts_while_some_of_it_does() {
        let now = Timestamp::parse_http("2026-11-20T10:30").unwrap();
        let hour = |text: &str| text.parse::<Hour>().unwrap();
        let back = Start::Back(TimeDelta::hours(2));
        assert!(back.includes(hour("2026-11-20T08"), now));
        assert!(!back.includes(hour("2026-11-20T07"), now));
        let at = Start::At(hour("2026-11-20T08").start());
        assert!(at.includes(hour("2026-11-20T08"), now));
        assert!(!at.includes(hour("2026-11-20T07"), now), "it ends where the start is");
    }
}
