//! Which span of time a playlist is about. Pure.

use chrono::TimeDelta;
use common::base::time::{Hour, TimeRange, Timestamp};

use crate::error::ApiError;
use crate::request::Query;

/// The longest span that is not given in full: a player that someone left open must not make the node
/// list ever more.
const MAX_IMPLICIT: TimeDelta = TimeDelta::hours(12);

/// An hour further ahead than a wrong time zone explains was named by mistake, and is not the end of
/// anything.
const FURTHEST_AHEAD: TimeDelta = TimeDelta::hours(24);

/// What a request says about the span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    /// Only what is less than so many seconds behind the newest video; instead of start and end.
    pub(crate) last_seconds: Option<u32>,
}

impl Asked {
    /// Reads `start` and `end`, or `last`.
    ///
    /// # Errors
    ///
    /// When one of them is no time, they are not in order, or more is given than makes sense.
    pub(crate) fn of(query: &Query) -> Result<Self, ApiError> {
        let last_seconds = query.one("last")?.map(last_seconds).transpose()?;
        let (start, end) = (query.time("start")?, query.time("end")?);
        let asked = Self { start, end, last_seconds };
        match asked {
            Self { start: Some(start), end: Some(end), .. } if start >= end => {
                Err(ApiError::parameter("start", "it must be before end"))
            }
            Self { last_seconds: Some(_), .. } if start.is_some() || end.is_some() => {
                Err(ApiError::parameter("last", "give either last or start and end"))
            }
            _ => Ok(asked),
        }
    }

    /// The whole span in which anything can lie that is asked for.
    pub(crate) fn widest(self) -> Option<TimeRange> {
        TimeRange::new(self.start.unwrap_or(Timestamp::MIN), self.end.unwrap_or(Timestamp::MAX))
    }

    /// The query that asks for it.
    pub(crate) fn to_query(self) -> String {
        let time = |name, time: Option<Timestamp>| time.map(|time| format!("{name}={time}Z"));
        let last = self.last_seconds.map(|seconds| format!("last={seconds}"));
        let all = [time("start", self.start), time("end", self.end), last];
        all.into_iter().flatten().collect::<Vec<_>>().join("&")
    }
}

/// Reads a whole number of seconds.
fn last_seconds(text: &str) -> Result<u32, ApiError> {
    let longest = u32::try_from(MAX_IMPLICIT.num_seconds()).expect("twelve hours fit");
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|seconds| is_plain && (1..=longest).contains(seconds));
    seconds.ok_or_else(|| {
        ApiError::parameter(
            "last",
            format!("it must be a whole number of seconds from 1 to {longest}"),
        )
    })
}

/// The span of a playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// `None` while nothing can lie in it: a playlist that begins after all that is known.
    pub(crate) range: Option<TimeRange>,
    /// Whether its end was given and lies in the past, so that nothing new can come to lie in it.
    pub(crate) is_over: bool,
    /// How far it reaches back from the newest video, where that is what was asked for.
    pub(crate) window: Option<TimeDelta>,
}

impl Span {
    /// What `asked` means at the instant `now` where `known` are the hours stored, in order: a missing
    /// start is that of the first hour, and a missing end that of the last.
    ///
    /// # Errors
    ///
    /// When a missing end or start cannot be told, or makes the span too long.
    pub(crate) fn new(asked: Asked, known: &[Hour], now: Timestamp) -> Result<Self, ApiError> {
        let nothing = || ApiError::not_found("nothing is stored yet; give start and end");
        let known = &known[..known.partition_point(|hour| hour.start() <= now + FURTHEST_AHEAD)];
        if let Some(seconds) = asked.last_seconds {
            return Ok(Self::window(TimeDelta::seconds(i64::from(seconds)), known));
        }
        let start = match asked.start {
            Some(start) => start,
            None => known.first().ok_or_else(nothing)?.start(),
        };
        let end = match asked.end {
            Some(end) => end,
            None => known.last().ok_or_else(nothing)?.end(),
        };
        if end - start > MAX_IMPLICIT {
            let problem = "without it the playlist would be longer than 12 hours";
            match asked {
                Asked { start: Some(_), end: Some(_), .. } => {}
                Asked { start: None, .. } => return Err(ApiError::parameter("start", problem)),
                Asked { end: None, .. } => return Err(ApiError::parameter("end", problem)),
            }
        }
        let is_over = asked.end.is_some_and(|end| end <= now);
        Ok(Self { range: TimeRange::new(start, end), is_over, window: None })
    }

    /// The span of the newest video. Where that ends in its last hour is not known yet, so it begins
    /// as early as it may.
    fn window(length: TimeDelta, known: &[Hour]) -> Self {
        let range = known.last().and_then(|last| {
            let hour_before = last.previous().unwrap_or(*last);
            TimeRange::new(hour_before.start() - length, last.end())
        });
        Self { range, is_over: false, window: Some(length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(text: &str) -> Hour {
        text.parse().unwrap()
    }

    /// `10` is ten o'clock.
    fn at(hours: i64) -> Timestamp {
        hour("2026-11-20T00").start() + TimeDelta::hours(hours)
    }

    fn span(start: Option<i64>, end: Option<i64>, known: &[i64]) -> Result<Span, String> {
        let known: Vec<Hour> = known.iter().map(|hour| at(*hour).hour()).collect();
        let asked = Asked { start: start.map(at), end: end.map(at), last_seconds: None };
        Span::new(asked, &known, at(20)).map_err(|error| error.to_string())
    }

    fn range(start: i64, end: i64) -> Option<TimeRange> {
        TimeRange::new(at(start), at(end))
    }

    #[test]
    fn what_is_missing_comes_from_the_hours_known() {
        let known = [10, 11, 13];
        assert_eq!(span(None, None, &known).unwrap().range, range(10, 14));
        assert_eq!(span(Some(12), None, &known).unwrap().range, range(12, 14));
        assert_eq!(span(None, Some(12), &known).unwrap().range, range(10, 12));
        assert_eq!(span(Some(9), Some(15), &known).unwrap().range, range(9, 15));
    }

    #[test]
    fn an_hour_of_a_year_to_come_is_not_the_end() {
        assert_eq!(span(Some(10), None, &[10, 11, 24 * 365]).unwrap().range, range(10, 12));
        assert_eq!(span(Some(10), None, &[10, 21]).unwrap().range, range(10, 22), "a time zone");
        assert!(span(Some(10), None, &[24 * 365]).is_err(), "and nothing else is known");
    }

    #[test]
    fn only_an_end_that_was_given_and_passed_is_an_end() {
        assert!(span(Some(10), Some(20), &[10]).unwrap().is_over);
        assert!(!span(Some(10), Some(21), &[10]).unwrap().is_over, "it is in the future");
        assert!(!span(Some(10), None, &[10]).unwrap().is_over, "though that hour has passed");
    }

    #[test]
    fn a_span_is_long_only_when_both_ends_are_given() {
        let known = [0, 12];
        assert!(span(Some(0), Some(13), &known).is_ok());
        let problem = "without it the playlist would be longer than 12 hours";
        assert_eq!(span(None, None, &known), Err(format!("start: {problem}")));
        assert_eq!(span(None, Some(13), &known), Err(format!("start: {problem}")));
        assert_eq!(span(Some(0), None, &known), Err(format!("end: {problem}")));
        assert!(span(Some(1), None, &known).is_ok(), "exactly 12 hours");
    }

    #[test]
    fn a_playlist_may_begin_before_its_video_is_there() {
        assert_eq!(span(Some(14), None, &[10, 13]).unwrap().range, None);
        assert_eq!(span(Some(15), None, &[10, 13]).unwrap().range, None);
        assert_eq!(span(None, Some(10), &[10, 13]).unwrap().range, None);
        assert!(span(Some(14), None, &[]).is_err(), "nothing says where it would end");
        assert!(span(None, None, &[]).is_err());
    }
}
