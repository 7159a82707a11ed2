//! What a request for a cut says.

use common::base::time::TimeRange;
use common::cut::Kind;
use common::cut::full::Format;
use common::cut::smart::Timeline;
use common::plan::cut::Holes;

use super::Query;
use super::query::time;
use crate::error::ApiError;

/// How many ranges one cut may have.
const MAX_RANGES: usize = 200;

/// A cut that may be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CutRequest {
    /// In the order in which they are to be shown; at least one.
    pub(crate) ranges: Vec<TimeRange>,
    pub(crate) kind: CutKind,
    pub(crate) holes: Holes,
}

/// How exact a cut is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CutKind {
    /// One of these. A rough one leaves transitions out.
    Made(Kind),
    /// One that this program does not make yet.
    Later,
}

impl CutRequest {
    /// Reads `start` and `end` or any number of `range=START,END`; `transition=TYPE,SECONDS` between
    /// each two of them, empty for none; `type`; `allow_holes`.
    ///
    /// # Errors
    ///
    /// When a parameter is missing or wrong.
    pub(crate) fn of(query: &Query) -> Result<Self, ApiError> {
        let ranges = ranges(query)?;
        let transitions = check_transitions(query, ranges.len())?;
        let kind = match query.one("type")?.unwrap_or("rough") {
            "rough" => CutKind::Made(Kind::Rough),
            "fast" => CutKind::Made(Kind::Exact(Timeline::Kept)),
            "smart" => CutKind::Made(Kind::Exact(Timeline::Continuous)),
            "mpegts" => CutKind::Made(Kind::Full(Format::MpegTs)),
            "webm" => CutKind::Made(Kind::Full(Format::WebM)),
            _ => {
                let problem = "it must be rough, fast, smart, mpegts or webm";
                return Err(ApiError::parameter("type", problem));
            }
        };
        // a rough cut leaves them out
        let kind =
            if transitions && kind != CutKind::Made(Kind::Rough) { CutKind::Later } else { kind };
        let holes = Holes::allowed_if(query.flag("allow_holes")?);
        Ok(Self { ranges, kind, holes })
    }
}

fn ranges(query: &Query) -> Result<Vec<TimeRange>, ApiError> {
    let (start, end) = (query.time("start")?, query.time("end")?);
    let mut ranges = query.all("range").peekable();
    let problem = match (start, end, ranges.peek()) {
        (Some(start), Some(end), None) => {
            let range = TimeRange::new(start, end);
            let range =
                range.ok_or_else(|| ApiError::parameter("start", "it must be before end"))?;
            return Ok(vec![range]);
        }
        (None, None, Some(_)) => return ranges.map(range).collect::<Result<_, _>>().and_then(few),
        (_, _, Some(_)) => ("range", "give either ranges or start and end"),
        (None, _, None) => ("start", "it is missing"),
        (_, None, None) => ("end", "it is missing"),
    };
    Err(ApiError::parameter(problem.0, problem.1))
}

fn few(ranges: Vec<TimeRange>) -> Result<Vec<TimeRange>, ApiError> {
    if ranges.len() > MAX_RANGES {
        let problem = format!("there are more than {MAX_RANGES}");
        return Err(ApiError::parameter("range", problem));
    }
    Ok(ranges)
}

fn range(text: &str) -> Result<TimeRange, ApiError> {
    let both = text.split_once(',');
    let (start, end) = both.ok_or_else(|| ApiError::parameter("range", "it must be START,END"))?;
    let range = TimeRange::new(time("range", start)?, time("range", end)?);
    range.ok_or_else(|| ApiError::parameter("range", "its start must be before its end"))
}

/// Whether there are transitions, which must be a right one, or empty, between each two of `ranges` ranges.
fn check_transitions(query: &Query, ranges: usize) -> Result<bool, ApiError> {
    let refuse = |problem: &'static str| Err(ApiError::parameter("transition", problem));
    let (mut count, mut any) = (0, false);
    for transition in query.all("transition") {
        count += 1;
        any |= !transition.is_empty();
        if !transition.is_empty() && !is_transition(transition) {
            return refuse("it must be TYPE,SECONDS, or empty for a hard cut");
        }
    }
    if count > 0 && count + 1 != ranges {
        return refuse("there must be one fewer than ranges");
    }
    Ok(any)
}

/// Whether `text` is `TYPE,SECONDS`: a word, and a plain decimal number greater than zero.
fn is_transition(text: &str) -> bool {
    let Some((name, seconds)) = text.split_once(',') else {
        return false;
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_plain = seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_positive = seconds.parse().is_ok_and(|seconds: f64| seconds > 0.0 && seconds <= 3600.0);
    (1..=64).contains(&name.len()) && name.chars().all(is_word) && is_plain && is_positive
}
