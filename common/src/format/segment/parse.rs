//! Reading a segment's name, part by part, to the letter of the grammar.

use super::{Completeness, EXTENSION, MediaDuration, ParseSegmentError, SegmentName, Tail};
use crate::base::time::number;

pub(super) fn name(name: &str) -> Result<SegmentName, ParseSegmentError> {
    let stem = name.strip_suffix(EXTENSION).ok_or(ParseSegmentError::Extension)?;
    // only the first three dashes separate: a hash may hold dashes of its own
    let (start, rest) = part(stem).ok_or(ParseSegmentError::Shape)?;
    let (seconds, rest) = part(rest).ok_or(ParseSegmentError::Shape)?;
    let (completeness, tail) = part(rest).ok_or(ParseSegmentError::Shape)?;
    Ok(SegmentName {
        start_in_hour_micros: start_in_hour(start.as_bytes()).ok_or(ParseSegmentError::Start)?,
        duration: MediaDuration::parse(seconds).ok_or(ParseSegmentError::Duration)?,
        tail: self::tail(completeness, tail)?,
    })
}

/// What stands before the first dash, and what after it. Parts are short: `split_once` would cost
/// more than it finds.
fn part(text: &str) -> Option<(&str, &str)> {
    let dash = text.bytes().position(|byte| byte == b'-')?;
    Some((&text[..dash], &text[dash + 1..]))
}

/// Whether `text`, which was read as a name with this duration, is as that name prints.
pub(super) fn is_canonical(text: &str, duration: MediaDuration) -> bool {
    // all that follows the duration has one form only
    part(text).is_some_and(|(start, rest)| {
        let seconds = part(rest).map(|(seconds, _)| seconds);
        start.len() == "MM:SS.ffffff".len() && seconds.is_some_and(|text| duration.prints_as(text))
    })
}

/// `MM:SS`, optionally with a point and one to six digits, in microseconds.
fn start_in_hour(text: &[u8]) -> Option<u32> {
    let (whole, fraction) = text.split_at_checked(5)?;
    if whole[2] != b':' {
        return None;
    }
    let (minute, second) = (number(&whole[..2])?, number(&whole[3..])?);
    let micros = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=6).contains(&digits.len()) => {
            let padding = u32::try_from(6 - digits.len()).ok()?;
            number(digits)? * 10_u32.pow(padding)
        }
        _ => return None,
    };
    (minute < 60 && second < 60).then(|| (minute * 60 + second) * 1_000_000 + micros)
}

fn tail(completeness: &str, tail: &str) -> Result<Tail, ParseSegmentError> {
    let completeness = match completeness {
        "full" => Completeness::Full,
        "suspect" => Completeness::Suspect,
        "partial" => Completeness::Partial,
        "temp" if tail.is_empty() => return Err(ParseSegmentError::Shape),
        "temp" => return Ok(Tail::Temp(tail.into())),
        _ => return Err(ParseSegmentError::Completeness),
    };
    let hash = tail.parse().map_err(|_| ParseSegmentError::Hash)?;
    Ok(Tail::Published(completeness, hash))
}
