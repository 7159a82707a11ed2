//! Reading instants and hours, to the letter of their two grammars.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use thiserror::Error;

use super::{Hour, Timestamp};

/// A text that is no instant of the form that the HTTP interface takes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} is no time: write it like 2026-11-20T10:00:00 or 2026-11-20T10:00:00.5Z (UTC)")]
pub struct ParseTimeError {
    text: String,
}

/// A text that is no hour of the form `YYYY-MM-DDTHH`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not an hour of the form YYYY-MM-DDTHH")]
pub struct ParseHourError;

/// How much of a refused text an error repeats.
const QUOTED_CHARS: usize = 40;

pub(super) fn http(text: &str) -> Result<Timestamp, ParseTimeError> {
    instant(text.as_bytes())
        .ok_or_else(|| ParseTimeError { text: text.chars().take(QUOTED_CHARS).collect() })
}

pub(super) fn hour(text: &str) -> Result<Hour, ParseHourError> {
    let (date, rest) = date(text.as_bytes()).ok_or(ParseHourError)?;
    match rest {
        [b'T', tens, ones] => {
            let hour = number(&[*tens, *ones]).ok_or(ParseHourError)?;
            Hour::new(date, hour).ok_or(ParseHourError)
        }
        _ => Err(ParseHourError),
    }
}

/// `DATE T HH:MM [ :SS [ .f{1,9} ] ] [ Z | ±HH:MM ]`
fn instant(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = date(text)?;
    let (hour, rest) = two_digits(rest.strip_prefix(b"T")?)?;
    let (minute, rest) = two_digits(rest.strip_prefix(b":")?)?;
    let (second, micros, rest) = match rest.strip_prefix(b":") {
        Some(rest) => {
            let (second, rest) = two_digits(rest)?;
            let (micros, rest) = fraction(rest)?;
            (second, micros, rest)
        }
        None => (0, 0, rest),
    };
    let local: NaiveDateTime = date.and_hms_micro_opt(hour, minute, second, micros)?;
    let utc = local.checked_sub_signed(offset(rest)?)?;
    let micros = utc.and_utc().timestamp_micros();
    let in_range = (Timestamp::MIN.micros()..=Timestamp::MAX.micros()).contains(&micros);
    in_range.then_some(Timestamp(micros))
}

/// `YYYY-MM-DD`, a real date of the years 1 to 9999, and what follows it.
fn date(text: &[u8]) -> Option<(NaiveDate, &[u8])> {
    let (date, rest) = text.split_at_checked(10)?;
    let (b'-', b'-') = (date[4], date[7]) else {
        return None;
    };
    let year = number(&date[..4]).filter(|year| *year > 0)?;
    let year = i32::try_from(year).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&date[5..7])?, number(&date[8..])?)?;
    Some((date, rest))
}

fn two_digits(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(2)?;
    Some((number(digits)?, rest))
}

/// An optional fraction of a second in microseconds, and what follows it.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    match length {
        1..=6 => Some((number(digits)? * 10_u32.pow(u32::try_from(6 - length).ok()?), rest)),
        7..=9 => Some((number(&digits[..6])?, rest)),
        _ => None,
    }
}

/// What must be taken from the local time: nothing for no zone and `Z`.
fn offset(text: &[u8]) -> Option<TimeDelta> {
    let (sign, rest) = match text {
        b"" | b"Z" => return Some(TimeDelta::zero()),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = two_digits(rest)?;
    let (minutes, rest) = two_digits(rest.strip_prefix(b":")?)?;
    let valid = rest.is_empty() && hours < 24 && minutes < 60;
    valid.then(|| TimeDelta::minutes(sign * (i64::from(hours) * 60 + i64::from(minutes))))
}

/// The value of a text of one to nine ASCII digits.
pub(crate) fn number(digits: &[u8]) -> Option<u32> {
    debug_assert!((1..=9).contains(&digits.len()), "the callers pass fixed widths");
    digits.iter().try_fold(0, |value, byte| match byte {
        b'0'..=b'9' => Some(value * 10 + u32::from(byte - b'0')),
        _ => None,
    })
}
