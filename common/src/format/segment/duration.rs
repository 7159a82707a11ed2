//! A segment's duration, kept as its publisher wrote it.

use std::fmt;

use chrono::TimeDelta;

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

    /// The duration in seconds.
    pub const fn seconds(self) -> f64 {
        self.0
    }

    /// The duration in whole microseconds, half to even.
    #[expect(clippy::cast_possible_truncation, reason = "at most 3600 s")]
    pub fn micros(self) -> i64 {
        (self.0 * 1e6).round_ties_even() as i64
    }

    /// The duration in whole microseconds, half to even.
    pub fn delta(self) -> TimeDelta {
        TimeDelta::microseconds(self.micros())
    }
}

/// The shortest decimal that reads back as the same number, always with a point: `2.0`, `1.967`.
impl fmt::Display for MediaDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rust prints an f64 as the shortest decimal that reads back, never with an exponent
        let point = if self.0.fract() == 0.0 { ".0" } else { "" };
        write!(f, "{}{point}", self.0)
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
        assert_eq!(text(-0.0), "0.0");
        assert_eq!(text(3600.0), "3600.0");
        assert_eq!(text(1e-6), "0.000001");
        assert_eq!(text(4.166_666_666_666_667), "4.166666666666667");
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for bad in [-0.1, 3600.1, f64::NAN, f64::INFINITY] {
            assert_eq!(MediaDuration::from_seconds(bad), None);
        }
    }

    #[test]
    fn rounds_half_to_even() {
        let micros = |seconds| MediaDuration::from_seconds(seconds).unwrap().micros();
        assert_eq!(micros(0.000_000_5), 0);
        assert_eq!(micros(0.000_001_5), 2);
        assert_eq!(micros(1.999_999_5), 2_000_000);
        assert_eq!(micros(1.999_999_6), 2_000_000);
    }
}
