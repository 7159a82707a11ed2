//! Which span of time a playlist is about. Pure.

use chrono::TimeDelta;
use common::base::time::{Hour, TimeRange, Timestamp};

use crate::error::ApiError;
use crate::request::Query;

/// The longest span that is not given in full: a player that someone left open must not make the node
/// list ever more.
const MAX_IMPLICIT: TimeDelta = TimeDelta::hours(12);

/// How much later than now the newest video may begin that an open end reaches. The recordings' clock is
/// the publisher's: it may be some minutes ahead of ours where one of them is set by hand. A wrong time
/// zone makes a quarter of an hour and more; what lies that far ahead would shut out for as long what
/// is being recorded.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

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

    /// Whether it is longer than a span can be that is not given in full.
    pub(crate) fn is_long(self) -> bool {
        self.start.zip(self.end).is_some_and(|(start, end)| end - start > MAX_IMPLICIT)
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
    /// What `asked` means at the instant `now` where `hours` have folders, in order: a missing start is
    /// that of the first hour, and a missing end that of the last. `first_of` tells when the first
    /// segment of an hour starts; hours without any are passed over.
    ///
    /// # Errors
    ///
    /// When a missing end or start cannot be told, or makes the span too long, or as `first_of` fails.
    pub(crate) fn new(
        asked: Asked,
        hours: &[Hour],
        now: Timestamp,
        first_of: impl Fn(Hour) -> Result<Option<Timestamp>, ApiError>,
    ) -> Result<Self, ApiError> {
        let nothing = || ApiError::not_found("nothing is stored yet; give start and end");
        if let Some(seconds) = asked.last_seconds {
            let edge = edge(hours, now, first_of)?;
            return Ok(Self::window(TimeDelta::seconds(i64::from(seconds)), edge));
        }
        let start = match asked.start {
            Some(start) => start,
            None => earliest(hours, &first_of)?.ok_or_else(nothing)?.start(),
        };
        let end = if let Some(end) = asked.end {
            end
        } else {
            let Edge { end, is_future, .. } = edge(hours, now, first_of)?.ok_or_else(nothing)?;
            // the future makes no span too long
            if is_future { end.min(start + MAX_IMPLICIT) } else { end }
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
    fn window(length: TimeDelta, edge: Option<Edge>) -> Self {
        let range = edge.and_then(|edge| {
            let hour_before = edge.hour.previous().unwrap_or(edge.hour);
            TimeRange::new(hour_before.start() - length, edge.end)
        });
        Self { range, is_over: false, window: Some(length) }
    }
}

/// Where what is stored ends, as far as it counts.
struct Edge {
    hour: Hour,
    /// That of the hour, or where the future begins.
    end: Timestamp,
    /// Whether there is nothing but the future.
    is_future: bool,
}

/// Where what is stored ends: nothing that begins in the future counts, unless there is nothing else.
fn edge(
    hours: &[Hour],
    now: Timestamp,
    first_of: impl Fn(Hour) -> Result<Option<Timestamp>, ApiError>,
) -> Result<Option<Edge>, ApiError> {
    for (future, is_future) in [(now + AHEAD, false), (Timestamp::MAX, true)] {
        for hour in hours.iter().rev().filter(|hour| hour.start() < future) {
            if first_of(*hour)?.is_some_and(|first| first < future) {
                return Ok(Some(Edge { hour: *hour, end: hour.end().min(future), is_future }));
            }
        }
    }
    Ok(None)
}

/// The first hour that holds anything.
fn earliest(
    hours: &[Hour],
    first_of: impl Fn(Hour) -> Result<Option<Timestamp>, ApiError>,
) -> Result<Option<Hour>, ApiError> {
    for hour in hours {
        if first_of(*hour)?.is_some() {
            return Ok(Some(*hour));
        }
    }
    Ok(None)
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
        let first_of = |hour: Hour| Ok(Some(hour.start()));
        Span::new(asked, &known, at(20), first_of).map_err(|error| error.to_string())
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

    /// The span of `asked` where nothing but the hours `full` holds anything, each from its
    /// `minute` on.
    fn span_of(asked: Asked, hours: &[i64], full: &[i64], minute: i64) -> Option<TimeRange> {
        let hours: Vec<Hour> = hours.iter().map(|hour| at(*hour).hour()).collect();
        let first_of = |hour: Hour| {
            let is_full = full.iter().any(|full| at(*full).hour() == hour);
            Ok(is_full.then(|| hour.start() + TimeDelta::minutes(minute)))
        };
        Span::new(asked, &hours, at(20), first_of).unwrap().range
    }

    #[test]
    fn the_future_is_not_the_end_unless_there_is_nothing_else() {
        let future = at(20) + AHEAD;
        let since = |start| Asked { start: Some(at(start)), ..Asked::default() };
        for ahead in [21, 23, 35, 24 * 365] {
            let hours = [11, 19, ahead];
            assert_eq!(span_of(since(12), &hours, &hours, 0), range(12, 20));
            assert_eq!(span_of(Asked::default(), &hours, &hours, 0), range(11, 20));
        }
        let hours = [19, 20, 21];
        assert_eq!(span_of(since(12), &hours, &hours, 0), TimeRange::new(at(12), future));
        assert_eq!(span_of(since(12), &hours, &hours, 6), range(12, 20), "it begins 6 min ahead");
        assert_eq!(span_of(since(12), &[21, 22], &[21, 22], 0), range(12, 23), "nothing else");
        assert_eq!(span_of(since(12), &[30], &[30], 0), range(12, 24), "that is not too long");
        let explicit = Asked { end: Some(at(30)), ..since(12) };
        assert_eq!(span_of(explicit, &[11, 29], &[11, 29], 0), range(12, 30));
        let window = Asked { last_seconds: Some(3600), ..Asked::default() };
        assert_eq!(span_of(window, &[19, 23], &[19, 23], 0), range(17, 20));
    }

    #[test]
    fn folders_without_segments_are_nothing() {
        let hours = [1, 2, 10, 14, 15];
        assert_eq!(span_of(Asked::default(), &hours, &[2, 10], 0), range(2, 11));
        let window = Asked { last_seconds: Some(3600), ..Asked::default() };
        assert_eq!(span_of(window, &hours, &[2, 10], 0), range(8, 11));
        assert_eq!(span_of(window, &hours, &[], 0), None);
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
