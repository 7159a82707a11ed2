//! Printing numbers quickly: names and playlists hold hundreds of thousands of them.

use std::fmt::Write;

/// How many digits a second has in microseconds.
const FRACTION_DIGITS: usize = 6;

/// Appends the instant `micros` microseconds into an hour as `MM:SS.ffffff`, with so many `places` of
/// the fraction, at most six.
pub fn push_in_hour(out: &mut String, micros: u32, places: usize) {
    let mut text = *b"00:00.000000";
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let pairs =
        [seconds / 60, seconds % 60, fraction / 10_000, fraction / 100 % 100, fraction % 100];
    for (at, pair) in [0, 3, 6, 8, 10].into_iter().zip(pairs) {
        text[at..at + 2].copy_from_slice(&two_digits(pair));
    }
    let length = text.len() - FRACTION_DIGITS + places.min(FRACTION_DIGITS);
    out.push_str(str::from_utf8(&text[..length]).expect("digits are text"));
}

/// The last two digits of `number`.
pub fn two_digits(number: u32) -> [u8; 2] {
    [digit(u64::from(number / 10)), digit(u64::from(number))]
}

/// The last digit of `number`.
const fn digit(number: u64) -> u8 {
    b'0' + (number % 10).to_le_bytes()[0]
}

/// Appends the shortest decimal that reads back as `value`, always with a point and never with an
/// exponent: `2.0`, `1.967`.
pub fn push_decimal(out: &mut String, value: f64) {
    if let Some(micros) = whole_micros(value) {
        push_micros(out, micros);
    } else {
        let point = if value.fract() == 0.0 { ".0" } else { "" };
        write!(out, "{value}{point}").expect("a String takes any text");
    }
}

/// A million times `value`, if that is a whole number of few enough digits that no shorter decimal
/// reads as the same number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "bounded; and whether it is exactly equal is the question"
)]
fn whole_micros(value: f64) -> Option<u64> {
    /// Fifteen digits are always told apart.
    const MOST: f64 = 1e15;
    let micros = value * 1e6;
    if !(0.0..MOST).contains(&micros) || value.is_sign_negative() {
        return None;
    }
    // to the nearest; any other fails the test below
    let micros = (micros + 0.5) as u64;
    // one division of exact numbers rounds as reading the decimal does
    (micros as f64 / 1e6 == value).then_some(micros)
}

fn push_micros(out: &mut String, micros: u64) {
    /// The most digits that a `u64` can have, and a point.
    const MAX_LENGTH: usize = 21;
    let mut text = [b'0'; MAX_LENGTH];
    let (mut first, mut rest) = (MAX_LENGTH, micros);
    while rest > 0 || first > MAX_LENGTH - FRACTION_DIGITS - 2 {
        if first == MAX_LENGTH - FRACTION_DIGITS {
            first -= 1;
            text[first] = b'.';
        }
        first -= 1;
        text[first] = digit(rest);
        rest /= 10;
    }
    let mut end = MAX_LENGTH;
    while end > MAX_LENGTH - FRACTION_DIGITS + 1 && text[end - 1] == b'0' {
        end -= 1;
    }
    out.push_str(str::from_utf8(&text[first..end]).expect("digits are text"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_the_shortest_that_read_back() {
        for (value, text) in [
            (0.0, "0.0"),
            (2.0, "2.0"),
            (1.967, "1.967"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-6, "0.000001"),
            (1e-7, "0.0000001"),
            (123_456_789.123_456, "123456789.123456"),
            (1e9, "1000000000.0"),
            (999_999_999.999_999, "999999999.999999"),
            (0.1, "0.1"),
            (10.01, "10.01"),
            (100.0, "100.0"),
            (-1.5, "-1.5"),
            (-0.0, "-0.0"),
        ] {
            let mut out = String::new();
            push_decimal(&mut out, value);
            assert_eq!(out, text);
            assert_eq!(out.parse(), Ok(value));
        }
    }

    #[test]
    fn instants_print_as_the_standard_library_prints_numbers() {
        for micros in
            [0, 1, 999_999, 1_000_000, 59_999_999, 60_000_000, 1_234_567_890, 3_599_999_999]
        {
            let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
            let expected = format!("{:02}:{:02}.{fraction:06}", seconds / 60, seconds % 60);
            for places in [0, 3, 6] {
                let mut out = String::from("x");
                push_in_hour(&mut out, micros, places);
                assert_eq!(out, format!("x{}", &expected[..6 + places]));
            }
        }
    }
}
