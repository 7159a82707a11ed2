//! A segment's duration, kept as its publisher wrote it.

use std::fmt;

use chrono::TimeDelta;

use crate::base::digits::push_decimal;

/// How many digits a decimal may have so that no other one of as many digits reads as the same
/// number, and reading it is one division of whole numbers that an f64 holds exactly.
const EXACT_DIGITS: usize = 15;

/// How long a segment's media lasts: 0 to 3600 seconds, as EXTINF gave it.
///
/// Kept as the number of seconds and not in microseconds, because it is part of the file name, and
/// nodes that read the same EXTINF must write the same name.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct MediaDuration(f64);

impl MediaDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0.0);

    /// The longest duration that a segment's name may have.
    pub const MAX: Self = Self(3600.0);

    /// `seconds`, if that is a number from 0 to 3600.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        // adding zero makes a negative zero positive, which would print with a sign
        (0.0..=Self::MAX.0).contains(&seconds).then_some(Self(seconds + 0.0))
    }

    /// Reads digits, optionally with a point and more digits, if that is a number from 0 to 3600.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mut number, mut point) = (0_u64, None);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                // what overflows has too many digits to be used
                b'0'..=b'9' => number = number.wrapping_mul(10).wrapping_add((byte - b'0').into()),
                b'.' if point.is_none() => point = Some(at),
                _ => return None,
            }
        }
        let whole = point.unwrap_or(text.len());
        let fraction = point.map_or(0, |point| text.len() - point - 1);
        if whole == 0 || (point.is_some() && fraction == 0) {
            return None;
        }
        let exact = (whole + fraction <= EXACT_DIGITS).then(|| exact_decimal(number, fraction));
        Self::from_seconds(exact.or_else(|| text.parse().ok())?)
    }

    /// Whether `text`, which was read as this duration, is as it prints.
    pub(super) fn prints_as(self, text: &str) -> bool {
        if text.len() > EXACT_DIGITS {
            return self.to_string() == text;
        }
        // of so few digits every other decimal is another number, so the shortest is this one
        // unless it has zeros that say nothing
        let text = text.as_bytes();
        let Some(point) = text.iter().position(|byte| *byte == b'.') else { return false };
        let is_short = |digits: &[u8], idle: Option<&u8>| digits.len() == 1 || idle != Some(&b'0');
        let (whole, fraction) = (&text[..point], &text[point + 1..]);
        is_short(whole, whole.first()) && is_short(fraction, fraction.last())
    }

    /// The duration in seconds.
    pub const fn seconds(self) -> f64 {
        self.0
    }

    /// The duration in whole microseconds, half to even.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "at most 3600 s, so that all numbers are exact"
    )]
    pub fn micros(self) -> i64 {
        // the product of the whole, as in the recorded vectors; that of the fraction can differ by one.
        // Then what `round_ties_even` does, which is a call where the processor may not have it
        let micros = self.0 * 1e6;
        let whole = micros as i64;
        let rest = micros - whole as f64;
        whole + i64::from(rest > 0.5 || (rest >= 0.5 && whole % 2 == 1))
    }

    /// The duration in whole microseconds, half to even.
    pub fn delta(self) -> TimeDelta {
        TimeDelta::microseconds(self.micros())
    }

    /// The longer of the two.
    #[must_use]
    pub const fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// Appends the duration as it prints.
    pub fn push_to(self, out: &mut String) {
        push_decimal(out, self.0);
    }
}

/// The number whose `fraction` last digits stand after the point, of at most [`EXACT_DIGITS`].
#[expect(clippy::cast_precision_loss, reason = "of 15 digits, which an f64 holds")]
fn exact_decimal(number: u64, fraction: usize) -> f64 {
    const SCALES: [f64; EXACT_DIGITS + 1] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    number as f64 / SCALES[fraction]
}

/// The shortest decimal that reads back as the same number, always with a point: `2.0`, `1.967`.
impl fmt::Display for MediaDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_shortest_decimal_with_a_point() {
        let text = |seconds| MediaDuration::from_seconds(seconds).unwrap().to_string();
        assert_eq!(text(2.0), "2.0");
        assert_eq!(text(1.967), "1.967");
        assert_eq!(text(10.01), "10.01");
        assert_eq!(text(-0.0), "0.0");
        assert_eq!(text(3600.0), "3600.0");
        assert_eq!(text(1e-6), "0.000001");
        assert_eq!(text(1e-7), "0.0000001");
        assert_eq!(text(4.166_666_666_666_667), "4.166666666666667");
        assert_eq!(text(2.000_000_000_000_000_4), "2.0000000000000004");
    }

    #[test]
    fn reads_as_the_standard_library_does() {
        for text in [
            "2",
            "2.0",
            "0002.000",
            "1.967",
            "0.1",
            "3599.999999",
            "1.00000000000000",
            "0.000001",
            "4.166666666666667",
            "2.0000000000000004",
            "0.30000000000000004",
            "1234.56789012345678",
        ] {
            let expected = MediaDuration::from_seconds(text.parse().unwrap());
            assert_eq!(MediaDuration::parse(text), expected, "{text}");
        }
        for text in ["", ".", "2.", ".5", "+2", "-2", "2e0", " 2", "2.0.0", "3600.1", "inf", "٢"] {
            assert_eq!(MediaDuration::parse(text), None, "{text}");
        }
    }

    #[test]
    fn knows_how_it_prints() {
        for whole in ["0", "00", "2", "02", "10", "100", "3599", "0000000000000002"] {
            for fraction in
                ["", ".0", ".00", ".5", ".50", ".05", ".967", ".123456789", ".99999999999"]
            {
                let text = format!("{whole}{fraction}");
                let duration = MediaDuration::parse(&text).unwrap();
                assert_eq!(duration.prints_as(&text), duration.to_string() == text, "{text}");
            }
        }
        // longer than what can be told by its form
        for (text, is_shortest) in [("4.166666666666667", true), ("2.00000000000000000", false)] {
            assert_eq!(MediaDuration::parse(text).unwrap().prints_as(text), is_shortest, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for bad in [-0.1, 3600.1, f64::NAN, f64::INFINITY] {
            assert_eq!(MediaDuration::from_seconds(bad), None);
        }
    }

    #[test]
    fn rounds_half_to_even() {
        for seconds in [0.0, 0.1, 1.967, 2.0, 3_599.999_999_5, 3600.0, 0.000_001_5] {
            let expected = format!("{}", (seconds * 1e6_f64).round_ties_even());
            let micros = MediaDuration::from_seconds(seconds).unwrap().micros();
            assert_eq!(micros.to_string(), expected, "{seconds}");
        }
        let micros = |seconds| MediaDuration::from_seconds(seconds).unwrap().micros();
        assert_eq!(micros(0.000_000_5), 0);
        assert_eq!(micros(0.000_001_5), 2);
        assert_eq!(micros(1.999_999_5), 2_000_000);
        assert_eq!(micros(1.999_999_6), 2_000_000);
        // the fraction alone would be more than a half
        assert_eq!(micros(2_948.738_946_5), 2_948_738_946);
    }
}
