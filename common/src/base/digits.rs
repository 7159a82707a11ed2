//! Printing numbers quickly: names and playlists hold hundreds of thousands of them.

use std::fmt::Write;

/// The most digits that a `u64` can have.
const MAX_DIGITS: usize = 20;

/// Appends `value` in decimal, with zeros in front to at least `width` digits (at most 20).
pub fn push_padded(out: &mut String, value: u64, width: usize) {
    let mut digits = [b'0'; MAX_DIGITS];
    let (mut at, mut rest) = (MAX_DIGITS, value);
    while rest > 0 {
        at -= 1;
        digits[at] |= (rest % 10).to_le_bytes()[0];
        rest /= 10;
    }
    let first = at.min(MAX_DIGITS - width.clamp(1, MAX_DIGITS));
    out.push_str(str::from_utf8(&digits[first..]).expect("digits are text"));
}

/// Appends `value` in decimal.
pub fn push_number(out: &mut String, value: u64) {
    push_padded(out, value, 1);
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
    push_number(out, micros / 1_000_000);
    out.push('.');
    let (mut fraction, mut width) = (micros % 1_000_000, 6);
    while width > 1 && fraction % 10 == 0 {
        (fraction, width) = (fraction / 10, width - 1);
    }
    push_padded(out, fraction, width);
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
    fn numbers_print_as_the_standard_library_prints_them() {
        for value in [0, 7, 10, 59, 999_999, 1_000_000, u64::MAX] {
            for width in [0, 1, 2, 6, 20] {
                let mut out = String::from("x");
                push_padded(&mut out, value, width);
                assert_eq!(out, format!("x{value:0width$}"), "{value} in {width}");
            }
        }
    }
}
