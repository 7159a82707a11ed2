//! Instants of video time and of the wall clock, and where "now" comes from.
//!
//! Everything counts in whole microseconds of UTC, the grain of the segment names. This module owns
//! the text forms of instants and of hour folders; nobody else parses or prints them. Time-outs and
//! other waits are not video time: they are [`std::time::Duration`].

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::digits::two_digits;

mod parse;

pub(crate) use parse::number;
pub use parse::{ParseHourError, ParseTimeError};

/// Microseconds in an hour.
pub const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// An instant in UTC, in whole microseconds, within the years 0 to 9999.
///
/// Prints as `2026-11-20T10:00:00.000000`, always with six digits and without a zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first instant of the year 0.
    pub const MIN: Self = Self(-62_167_219_200_000_000);
    /// The last microsecond of the year 9999.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// The instant `micros` microseconds after the Unix epoch; one out of range becomes the nearest
    /// end of it.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads an instant as the HTTP interface takes it: `2026-11-20T10:00:00`, seconds optional, 1
    /// to 9 digits of fraction (those past the sixth are dropped), UTC unless an offset is given.
    ///
    /// # Errors
    ///
    /// When `text` has any other form or names no instant; nothing is guessed.
    pub fn parse_http(text: &str) -> Result<Self, ParseTimeError> {
        parse::http(text)
    }

    /// The hour that this instant lies in.
    pub const fn hour(self) -> Hour {
        Hour(self.0.div_euclid(MICROS_PER_HOUR))
    }

    /// This instant as a date and time of day, for PostgreSQL's `timestamp` and for formatting.
    pub fn to_naive(self) -> NaiveDateTime {
        DateTime::from_timestamp_micros(self.0)
            .expect("the years 0 to 9999 are within chrono's")
            .naive_utc()
    }

    /// The instant that `naive` means in UTC; what is finer than a microsecond is dropped.
    pub fn from_naive(naive: NaiveDateTime) -> Self {
        Self::from_micros(naive.and_utc().timestamp_micros())
    }

    /// The time from `earlier` to this instant, zero if that instant is later.
    pub fn saturating_since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_naive().format("%Y-%m-%dT%H:%M:%S%.6f"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Add<TimeDelta> for Timestamp {
    type Output = Self;

    fn add(self, delta: TimeDelta) -> Self {
        Self::from_micros(self.0.saturating_add(whole_micros(delta)))
    }
}

impl Sub<TimeDelta> for Timestamp {
    type Output = Self;

    fn sub(self, delta: TimeDelta) -> Self {
        Self::from_micros(self.0.saturating_sub(whole_micros(delta)))
    }
}

impl Sub for Timestamp {
    type Output = TimeDelta;

    fn sub(self, earlier: Self) -> TimeDelta {
        TimeDelta::microseconds(self.0 - earlier.0)
    }
}

/// Written as it prints, read as the HTTP interface reads.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_http(&text).map_err(serde::de::Error::custom)
    }
}

/// `delta` in microseconds, the nearest end of an `i64` if it does not fit.
fn whole_micros(delta: TimeDelta) -> i64 {
    delta.num_microseconds().unwrap_or(if delta < TimeDelta::zero() { i64::MIN } else { i64::MAX })
}

/// A half-open span of time `[start, end)` that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeRange {
    start: Timestamp,
    end: Timestamp,
}

impl TimeRange {
    /// The span from `start` up to but without `end`; `None` when that is empty or backwards.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The first instant of the span.
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// The first instant after the span.
    pub const fn end(self) -> Timestamp {
        self.end
    }

    /// How long the span is.
    pub fn length(self) -> TimeDelta {
        self.end - self.start
    }

    /// Whether the folder of `hour` can hold segments of this span: from the hour before `start`'s,
    /// for a segment that reaches over, up to the hour that `end` lies in.
    pub fn may_lie_in(self, hour: Hour) -> bool {
        let first = self.start.hour().previous().unwrap_or(self.start.hour());
        (first..=self.end.hour()).contains(&hour)
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.start, self.end)
    }
}

/// A UTC hour, the folder that holds the segments starting in it; prints as `2026-11-20T10`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    /// The first instant of the hour.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_micros(self.0 * MICROS_PER_HOUR)
    }

    /// The first instant after the hour; within the last hour of the year 9999, its last one.
    pub const fn end(self) -> Timestamp {
        Timestamp::from_micros((self.0 + 1) * MICROS_PER_HOUR)
    }

    /// The hour after this one, if the calendar goes on.
    pub fn next(self) -> Option<Self> {
        (self < Timestamp::MAX.hour()).then_some(Self(self.0 + 1))
    }

    /// The hour before this one, if the calendar goes back that far.
    pub fn previous(self) -> Option<Self> {
        (self > Timestamp::MIN.hour()).then_some(Self(self.0 - 1))
    }

    /// The hour `hour` (0 to 23) of a day.
    fn new(date: NaiveDate, hour: u32) -> Option<Self> {
        let start = date.and_hms_opt(hour, 0, 0)?;
        Some(Timestamp::from_naive(start).hour())
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.start().to_naive();
        // every listing and every path holds one
        let mut text = *b"0000-00-00T00";
        let year = start.year().unsigned_abs();
        let pairs = [year / 100, year % 100, start.month(), start.day(), start.hour()];
        for (at, pair) in [0, 2, 5, 8, 11].into_iter().zip(pairs) {
            text[at..at + 2].copy_from_slice(&two_digits(pair));
        }
        f.write_str(str::from_utf8(&text).expect("digits are text"))
    }
}

impl fmt::Debug for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hour {
    type Err = ParseHourError;

    fn from_str(text: &str) -> Result<Self, ParseHourError> {
        parse::hour(text)
    }
}

/// Where "now" comes from. Decisions take an instant; only executors hold a clock.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant of the wall clock.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_naive(chrono::Utc::now().naive_utc())
    }
}

#[cfg(test)]
mod tests;
